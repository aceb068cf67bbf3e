// One column's distribution with its axes: share of rows over the values, or the commonest values as bars.
import { figure, percent } from '../design/format';

import { linear, ticks } from './scale';

interface HistogramProps {
  edges: readonly unknown[];
  counts: readonly number[];
  label: string;
  width: number;
  height: number;
}

export function Histogram({ edges, counts, label, width, height }: HistogramProps) {
  const margin = { left: 42, right: 10, top: 20, bottom: 20 };
  const total = counts.reduce((sum, count) => sum + count, 0) || 1;
  const shares = counts.map((count) => count / total);
  const high = Math.max(...shares) * 1.08;
  const y = linear(0, high, height - margin.bottom, margin.top);
  const x = linear(0, counts.length, margin.left, width - margin.right);
  const numbers = edges.every((edge) => typeof edge === 'number');
  const shown = numbers ? [0, counts.length / 2, counts.length] : [0, counts.length];
  const textAt = (at: number) => {
    const edge = edges[Math.round(at)];
    return typeof edge === 'number' ? figure(edge) : String(edge).slice(0, 10);
  };
  const outline = `M${x(0)} ${y(0)}${shares.map((share, i) => `V${y(share).toFixed(1)}H${x(i + 1).toFixed(1)}`).join('')}V${y(0)}`;
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <text x={0} y={11} className="s">
        share of rows
      </text>
      {ticks(0, high, 3).map((share) => (
        <g key={share}>
          <line x1={margin.left} x2={width - margin.right} y1={Math.round(y(share)) + 0.5} y2={Math.round(y(share)) + 0.5} stroke="var(--grid)" />
          <text x={margin.left - 6} y={y(share) + 4} textAnchor="end">
            {percent(share, 0)}
          </text>
        </g>
      ))}
      <path d={`${outline}Z`} fill="var(--ref-s)" />
      <path d={outline} fill="none" stroke="var(--cur)" strokeWidth={1.5} />
      <line x1={margin.left} x2={width - margin.right} y1={y(0)} y2={y(0)} stroke="var(--axis)" />
      {shown.map((at, i) => (
        <text key={at} x={x(at)} y={height - 5} textAnchor={i === 0 ? 'start' : i === shown.length - 1 ? 'end' : 'middle'}>
          {textAt(at)}
        </text>
      ))}
    </svg>
  );
}
