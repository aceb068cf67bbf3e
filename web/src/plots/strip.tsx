// A goal over time, with the version that answered as a band below: state is on the disc, history is here.
import { day, fixed } from '../design/format';

import { extent, linear, path, ticks } from './scale';

export interface StripPoint {
  at: string;
  value: number;
  lower: number | null;
  upper: number | null;
  model: string;
}

interface StripProps {
  points: StripPoint[];
  goal?: number | undefined;
  name: string;
  champion?: string | undefined;
  width: number;
  height: number;
}

// Windows that follow each other with the same version are one piece of the band.
function bands(points: StripPoint[]): { model: string; from: number; to: number }[] {
  const found: { model: string; from: number; to: number }[] = [];
  points.forEach((point, i) => {
    const at = Date.parse(point.at);
    const end = Date.parse(points[i + 1]?.at ?? point.at);
    const last = found.at(-1);
    if (last?.model === point.model) last.to = end;
    else found.push({ model: point.model, from: at, to: end });
  });
  return found;
}

export function Strip({ points, goal, name, champion, width, height }: StripProps) {
  const margin = { left: 38, right: 86, top: 22, bottom: 36 };
  const times = points.map((point) => Date.parse(point.at));
  const ends = extent([...points.flatMap((point) => [point.lower ?? point.value, point.upper ?? point.value]), goal]);
  const last = points.at(-1);
  if (ends === undefined || last === undefined) return null;
  const x = linear(times[0]!, times.at(-1)!, margin.left, width - margin.right);
  const y = linear(ends[0], ends[1], height - margin.bottom - 4, margin.top);
  const line = points.map((point) => [Date.parse(point.at), point.value] as const);
  const band = [...points.map((point) => [Date.parse(point.at), point.upper ?? point.value] as const), ...points.map((point) => [Date.parse(point.at), point.lower ?? point.value] as const).reverse()];
  const dates = ticks(0, points.length - 1, Math.max(2, Math.floor(width / 120))).map((i) => points[Math.round(i)]!.at);
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${name} over ${points.length} windows of traffic, now ${fixed(last.value)}${goal === undefined ? '' : `, goal ${goal}`}`}>
      <text x={0} y={11} className="s">
        {name} of the answers that got labels
      </text>
      <text x={width} y={11} textAnchor="end">
        band: 95 % interval
      </text>
      {ticks(ends[0], ends[1], 3).map((value) => (
        <g key={value}>
          <line x1={margin.left} x2={width - margin.right} y1={Math.round(y(value)) + 0.5} y2={Math.round(y(value)) + 0.5} stroke="var(--grid)" />
          <text x={margin.left - 6} y={y(value) + 4} textAnchor="end">
            {fixed(value, 2)}
          </text>
        </g>
      ))}
      <path d={`${path(band, x, y)}Z`} fill="var(--ref-s)" fillOpacity={0.6} />
      {goal !== undefined && (
        <>
          <line x1={margin.left} x2={width - margin.right} y1={y(goal)} y2={y(goal)} stroke="var(--ink-2)" strokeDasharray="4 3" />
          <text className="s" x={width - margin.right + 7} y={y(goal) + (Math.abs(y(goal) - y(last.value)) < 12 ? (y(goal) > y(last.value) ? 14 : -6) : 4)}>
            goal {goal}
          </text>
        </>
      )}
      <path d={path(line, x, y)} fill="none" stroke="var(--ink)" strokeWidth={1.6} strokeLinejoin="round" />
      <circle cx={x(times.at(-1)!)} cy={y(last.value)} r={3} fill="var(--ink)" />
      <text className="b" x={width - margin.right + 7} y={y(last.value) + 4}>
        {fixed(last.value)}
      </text>
      <line x1={margin.left} x2={width - margin.right} y1={height - margin.bottom + 0.5} y2={height - margin.bottom + 0.5} stroke="var(--axis)" />
      {bands(points).map(({ model, from, to }) => {
        const answers = model === champion;
        return (
          <g key={`${model}${from}`}>
            <rect x={x(from)} y={height - 34} width={Math.max(2, x(to) - x(from) - 1)} height={13} fill={answers ? 'var(--champ)' : 'var(--ref-s)'} />
            {x(to) - x(from) > 60 && (
              <text x={x(from) + 6} y={height - 24} className={answers ? 'on' : 's'}>
                {model}
              </text>
            )}
          </g>
        );
      })}
      {dates.map((date) => (
        <text key={date} x={x(Date.parse(date))} y={height - 6} textAnchor="middle">
          {day(date)}
        </text>
      ))}
    </svg>
  );
}
