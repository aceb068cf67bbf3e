import { extent, linear } from './scale';

interface SparkProps {
  values: readonly number[];
  goal?: number | undefined;
  lower?: boolean; // smaller is better
  width?: number;
  height?: number;
  label: string;
}

// One ink line, the goal dashed, a dot at the end that is red when it is off goal.
export function Spark({ values, goal, lower = false, width = 112, height = 30, label }: SparkProps) {
  const ends = extent(goal === undefined ? values : [...values, goal]);
  const last = values.at(-1);
  if (ends === undefined || last === undefined) return null;
  const pad = (ends[1] - ends[0]) * 0.12 || Math.abs(ends[0]) * 0.01 || 1;
  const x = linear(0, Math.max(1, values.length - 1), 2, width - 5);
  const y = linear(ends[0] - pad, ends[1] + pad, height - 3, 3);
  const off = goal !== undefined && (lower ? last > goal : last < goal);
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {goal !== undefined && <line x1={0} x2={width} y1={y(goal)} y2={y(goal)} stroke="var(--axis)" strokeDasharray="3 2" />}
      <path
        d={values.map((value, i) => `${i ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join('')}
        fill="none"
        stroke="var(--ink-2)"
        strokeWidth={1.3}
        strokeLinejoin="round"
      />
      <circle cx={x(values.length - 1)} cy={y(last)} r={2.6} fill={off ? 'var(--bad-f)' : 'var(--ink)'} />
    </svg>
  );
}
