interface BarsProps {
  counts: readonly number[];
  reference?: readonly number[] | undefined; // same bins
  width?: number;
  height?: number;
  tone?: string;
  label: string;
}

// A histogram that stands in a row. With a reference: its area in grey, the current one as a line over it.
export function Bars({ counts, reference, width = 112, height = 22, tone = 'var(--ref)', label }: BarsProps) {
  const high = Math.max(1e-12, ...counts, ...(reference ?? []));
  const step = width / Math.max(1, counts.length);
  const y = (value: number) => height - 1 - (value / high) * (height - 4);
  const outline = (values: readonly number[]) => `M0 ${height - 1}${values.map((value, i) => `V${y(value).toFixed(1)}H${((i + 1) * step).toFixed(1)}`).join('')}V${height - 1}`;
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {reference ? (
        <>
          <path d={`${outline(reference)}Z`} fill="var(--h2)" />
          <path d={outline(counts)} fill="none" stroke="var(--cur)" strokeWidth={1.3} />
        </>
      ) : (
        counts.map((value, i) => (
          <rect key={i} x={i * step + 0.5} y={y(value)} width={Math.max(1, step - 1)} height={Math.max(0, height - 1 - y(value))} fill={tone} />
        ))
      )}
      <line x1={0} x2={width} y1={height - 0.5} y2={height - 0.5} stroke="var(--axis)" />
    </svg>
  );
}
