// Two figures of many things against each other. Points are few thousand at most; a link leads to each from the table beside.
import { figure } from '../design/format';

import { extent, linear, ticks } from './scale';

export interface Dot {
  id: string;
  x: number;
  y: number;
  marked: boolean;
}

interface ScatterProps {
  dots: Dot[];
  unit: string;
  xName: string;
  width: number;
  height: number;
}

export function Scatter({ dots, unit, xName, width, height }: ScatterProps) {
  const margin = { left: 42, right: 10, top: 20, bottom: 20 };
  const xs = extent(dots.map((dot) => dot.x));
  const ys = extent(dots.map((dot) => dot.y));
  if (xs === undefined || ys === undefined) return null;
  const pad = (ys[1] - ys[0]) * 0.06 || 1;
  const x = linear(Math.min(0, xs[0]), xs[1], margin.left, width - margin.right);
  const y = linear(ys[0] - pad, ys[1] + pad, height - margin.bottom, margin.top);
  const cloud = dots
    .filter((dot) => !dot.marked)
    .map((dot) => `M${x(dot.x).toFixed(1)} ${y(dot.y).toFixed(1)}h0`)
    .join('');
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${unit} against ${xName} of ${dots.length} runs`}>
      <text x={0} y={11} className="s">
        {unit}
      </text>
      <text x={width - margin.right} y={11} textAnchor="end">
        {xName} →
      </text>
      {ticks(ys[0], ys[1], 4).map((value) => (
        <g key={value}>
          <line x1={margin.left} x2={width - margin.right} y1={Math.round(y(value)) + 0.5} y2={Math.round(y(value)) + 0.5} stroke="var(--grid)" />
          <text x={margin.left - 6} y={y(value) + 4} textAnchor="end">
            {figure(value)}
          </text>
        </g>
      ))}
      <line x1={margin.left} x2={width - margin.right} y1={height - margin.bottom + 0.5} y2={height - margin.bottom + 0.5} stroke="var(--axis)" />
      {ticks(Math.min(0, xs[0]), xs[1], Math.max(2, Math.floor(width / 90))).map((value) => (
        <text key={value} x={x(value)} y={height - 5} textAnchor="middle">
          {figure(value)}
        </text>
      ))}
      <path d={cloud} stroke="var(--c1)" strokeWidth={5} strokeLinecap="round" strokeOpacity={0.5} />
      {dots
        .filter((dot) => dot.marked)
        .map((dot) => (
          <circle key={dot.id} cx={x(dot.x)} cy={y(dot.y)} r={5} fill="var(--c1)" stroke="var(--ink)" strokeWidth={1.6} />
        ))}
    </svg>
  );
}
