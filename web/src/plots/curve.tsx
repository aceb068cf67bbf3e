// A curve in the unit square: ROC, recall and precision, calibration. The diagonal or a level is what chance gives.
import { linear, path } from './scale';

interface CurveProps {
  points: readonly (readonly [number, number])[];
  dots?: boolean;
  diagonal?: boolean;
  xName: string;
  yName: string;
  label: string;
  width: number;
  height: number;
}

export function Curve({ points, dots = false, diagonal = false, xName, yName, label, width, height }: CurveProps) {
  const margin = { left: 30, right: 10, top: 20, bottom: 20 };
  const x = linear(0, 1, margin.left, width - margin.right);
  const y = linear(0, 1, height - margin.bottom, margin.top);
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <text x={0} y={11} className="s">
        {yName}
      </text>
      <text x={width - margin.right} y={11} textAnchor="end">
        {xName} →
      </text>
      {[0, 0.5, 1].map((value) => (
        <g key={value}>
          <line x1={margin.left} x2={width - margin.right} y1={Math.round(y(value)) + 0.5} y2={Math.round(y(value)) + 0.5} stroke={value === 0 ? 'var(--axis)' : 'var(--grid)'} />
          <text x={margin.left - 6} y={y(value) + 4} textAnchor="end">
            {value}
          </text>
          <text x={x(value)} y={height - 5} textAnchor={value === 0 ? 'start' : value === 1 ? 'end' : 'middle'}>
            {value}
          </text>
        </g>
      ))}
      {diagonal && <line x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} stroke="var(--axis)" strokeDasharray="4 3" />}
      <path d={path(points, x, y)} fill="none" stroke="var(--c1)" strokeWidth={1.8} strokeLinejoin="round" />
      {dots && points.map(([a, b]) => <circle key={a} cx={x(a)} cy={y(b)} r={3} fill="var(--c1)" />)}
    </svg>
  );
}
