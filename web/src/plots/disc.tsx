// The history of a project as a chart recorder draws it: one turn of the spiral is one lap around the eight stages, the rim is now. Thickness is how
// much was done; a missing arc is where the lap ended.
import type { Lap, LoopStage, RunningLap } from '../api/generated';
import { day } from '../design/format';

import { Tipped } from './tipped';

const TURNS_MAX = 9;
const PITCH_MAX = 30;
const WIDTH: Record<string, number> = { none: 0, reused: 1.6, some: 5, most: 9.5 };
const STATE_INK: Record<string, string> = { bad: 'bad', running: 'run' };

interface Turn {
  name: string;
  now: boolean;
  at: string | undefined;
  arcs: { effort: string; mark: string; text: string; to: number }[]; // `to`: how far the arc is drawn, 1 = whole
  running: number; // the stage it is in; 8 = through
}

function turnsOf(laps: Lap[], stages: LoopStage[], running: RunningLap | null | undefined): Turn[] {
  const at = running ? stages.findIndex((stage) => stage.stage === running.stage) : -1;
  const turns = laps.map((lap): Turn => {
    const now = at >= 0 && running?.version === lap.version;
    return {
      name: `v${lap.version}`,
      now,
      at: lap.begun,
      running: now ? at : 8,
      arcs: lap.arcs.map((arc) => ({ effort: arc.effort, mark: arc.mark ?? '', text: arc.text ?? '', to: 1 })),
    };
  });
  if (at >= 0 && (running?.version === null || running?.version === undefined)) {
    const next = `v${(laps.at(-1)?.version ?? 0) + 1}`;
    turns.push({ name: next, now: true, at: running?.since ?? undefined, running: at, arcs: stages.map(() => ({ effort: 'some', mark: '', text: '', to: 1 })) });
  }
  return turns.slice(-TURNS_MAX);
}

interface DiscProps {
  laps: Lap[];
  before: number;
  stages: LoopStage[];
  running: RunningLap | null | undefined;
  width: number;
  height: number;
  leaders: boolean;
  label: string;
}

const radians = (degrees: number) => (degrees * Math.PI) / 180;
const angle = (stage: number) => -90 + stage * 45;

export function Disc({ laps, before, stages, running, width, height, leaders, label }: DiscProps) {
  const turns = turnsOf(laps, stages, running);
  const hidden = before + Math.max(0, laps.length + (turns.some((turn) => turn.now && !laps.some((lap) => `v${lap.version}` === turn.name)) ? 1 : 0) - turns.length);
  const rim = Math.min(216, (Math.min(width, height - 14) - 68) / 2);
  const hub = rim * 0.34;
  const cx = width / 2;
  const cy = height / 2 - 4;
  const pitch = Math.min(PITCH_MAX, (rim - hub) / Math.max(1, turns.length + (hidden > 0 ? 1 : 0)));
  const start = rim - pitch * turns.length;
  const point = (degrees: number, radius: number): [number, number] => [cx + radius * Math.cos(radians(degrees)), cy + radius * Math.sin(radians(degrees))];
  const text = (at: [number, number]) => at.map((v) => v.toFixed(1)).join(' ');
  const radius = (turn: number, stage: number) => start + pitch * (turn + stage / 8);
  const arc = (turn: number, from: number, to: number) => {
    let path = '';
    for (let i = 0; i <= 14; i += 1) {
      const at = from + ((to - from) * i) / 14;
      path += (i ? 'L' : 'M') + text(point(angle(at), radius(turn, at)));
    }
    return path;
  };
  const sector = (stage: number) => {
    const [a, b, inner, outer] = [angle(stage), angle(stage + 1), hub - 12, rim + 10];
    return `M${text(point(a, inner))}L${text(point(a, outer))}A${outer} ${outer} 0 0 1 ${text(point(b, outer))}L${text(point(b, inner))}A${inner} ${inner} 0 0 0 ${text(point(a, inner))}`;
  };
  const current = turns.findIndex((turn) => turn.now);
  const nowStage = current >= 0 ? turns[current]!.running + 0.5 : 0;
  const lapNumber = before + laps.length + (current >= 0 && !laps.some((lap) => `v${lap.version}` === turns[current]!.name) ? 1 : 0);
  const outer = rim + 22;

  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {stages.map((stage, i) => STATE_INK[stage.state] && <path key={stage.stage} d={sector(i)} fill={`var(--${STATE_INK[stage.state]}-s)`} />)}
      {stages.map((stage, i) => {
        const [from, to] = [point(angle(i), hub - 12), point(angle(i), rim + 10)];
        return <line key={stage.stage} x1={from[0]} y1={from[1]} x2={to[0]} y2={to[1]} stroke={i === 0 ? 'var(--line-2)' : 'var(--line)'} />;
      })}
      <circle cx={cx} cy={cy} r={hub - 12} fill="var(--panel)" stroke="var(--line)" />
      {hidden > 0 && <circle cx={cx} cy={cy} r={start - pitch * 0.4} fill="none" stroke="var(--ref)" strokeOpacity={0.5} strokeWidth={3} />}
      {turns.map((turn, t) => {
        const ink = turn.now ? 'var(--accent)' : 'var(--ink-2)';
        const fade = turn.now ? 1 : 0.3 + (0.6 * (t + 1)) / turns.length;
        const [labelX, labelY] = point(angle(0), radius(t, 0));
        return (
          <g key={turn.name}>
            {turn.arcs.map((one, s) => {
              if (s >= turn.running) {
                const half = s === turn.running;
                return (
                  <g key={s}>
                    {half && <path d={arc(t, s + 0.035, s + 0.5)} stroke={ink} strokeWidth={WIDTH.some} fill="none" />}
                    <path d={arc(t, half ? s + 0.5 : s + 0.035, s + 0.965)} stroke="var(--run-f)" strokeWidth={1.4} strokeDasharray="1.5 3.5" fill="none" />
                  </g>
                );
              }
              const thick = (WIDTH[one.effort] ?? 0) * Math.min(1, rim / 200);
              if (thick === 0) return null;
              return (
                <Tipped key={s} text={`${turn.name}, ${stages[s]?.stage ?? ''}\n${one.text || one.effort}${turn.at ? `\nbegun ${day(turn.at)}` : ''}`}>
                  <path d={arc(t, s + 0.035, s + 0.965)} stroke={ink} strokeOpacity={fade} strokeWidth={thick} fill="none" />
                </Tipped>
              );
            })}
            {turn.arcs.map((one, s) => one.mark && <Happened key={s} at={point(angle(s + 0.62), radius(t, s + 0.62))} mark={one.mark} text={`${turn.name}: ${one.mark}. ${one.text}`} />)}
            <rect x={labelX - 9} y={labelY - 7.5} width={18} height={15} fill="var(--bg)" />
            <text x={labelX} y={labelY + 4} textAnchor="middle" className={turn.now ? 'b' : ''} fill="currentColor">
              {turn.name}
            </text>
          </g>
        );
      })}
      {current >= 0 && <Needle from={point(angle(nowStage), hub - 12)} to={point(angle(nowStage), radius(current, nowStage))} />}
      {stages.map((stage, i) => {
        const [x, y] = point(angle(i + 0.5), outer);
        const tone = STATE_INK[stage.state];
        const ink = tone ? `var(--${tone}-t)` : 'var(--line-2)';
        const right = i < 4;
        const row = (right ? i : 7 - i) * (height / 4) + 13;
        const knee = right ? Math.max(x + 26, width - 34) : Math.min(x - 26, 34);
        return (
          <g key={stage.stage}>
            {leaders && <path d={`M${x + (right ? 10 : -10)} ${y}L${knee} ${row}H${right ? width : 0}`} fill="none" stroke={ink} />}
            <circle cx={x} cy={y} r={10} fill={tone ? ink : 'var(--panel)'} stroke={ink} />
            <text x={x} y={y + 4} textAnchor="middle" className={tone ? 'on' : 'b'}>
              {i + 1}
            </text>
          </g>
        );
      })}
      <path d={`M${text(point(-104, outer))}A${outer} ${outer} 0 0 1 ${text(point(-76.5, outer))}`} fill="none" stroke="var(--ink-3)" />
      <path d={`M${text(point(-79, outer - 4.5))}L${text(point(-76.5, outer))}L${text(point(-79, outer + 4.5))}`} fill="none" stroke="var(--ink-3)" />
      <rect x={cx - 28} y={cy - outer - 8} width={56} height={16} fill="var(--bg)" />
      <text x={cx} y={cy - outer + 4} textAnchor="middle">
        feedback
      </text>
      <Legend x={cx - 142} y={height - 3} />
      <text x={cx} y={cy - 22} textAnchor="middle">
        {lapNumber === 0 ? 'no lap yet' : 'lap'}
      </text>
      {lapNumber > 0 && (
        <text x={cx} y={cy + 12} textAnchor="middle" className="hubnum">
          {lapNumber}
        </text>
      )}
      {running && (
        <text x={cx} y={cy + 31} textAnchor="middle" className="s">
          {running.stage}
        </text>
      )}
    </svg>
  );
}

function Happened({ at: [x, y], mark, text }: { at: [number, number]; mark: string; text: string }) {
  return (
    <Tipped text={text}>
      <g>
        <circle cx={x} cy={y} r={8.5} fill="var(--panel)" />
        {mark === 'rolled back' ? (
          <path d={`M${x} ${y - 6}l6 10.6h-12z`} fill="var(--warn-f)" />
        ) : (
          <path d={`M${x} ${y - 6}l6 6-6 6-6-6z`} fill="var(--bad-f)" />
        )}
      </g>
    </Tipped>
  );
}

function Needle({ from, to }: { from: [number, number]; to: [number, number] }) {
  return (
    <>
      <line x1={from[0]} y1={from[1]} x2={to[0]} y2={to[1]} stroke="var(--accent)" strokeWidth={1.2} />
      <circle cx={to[0]} cy={to[1]} r={6} fill="var(--panel)" stroke="var(--accent)" strokeWidth={2.4} />
    </>
  );
}

function Legend({ x, y }: { x: number; y: number }) {
  const rows: [number, string, number][] = [
    [9.5, 'most work', 0],
    [5, 'some', 84],
    [1.6, 'reused', 140],
  ];
  return (
    <>
      {rows.map(([thick, name, at]) => (
        <g key={name}>
          <path d={`M${x + at} ${y - 4}h16`} stroke="var(--ink-3)" strokeWidth={thick} />
          <text x={x + at + 21} y={y}>
            {name}
          </text>
        </g>
      ))}
      <path d={`M${x + 204} ${y - 4}h18`} stroke="var(--run-f)" strokeWidth={1.4} strokeDasharray="1.5 3.5" />
      <text x={x + 227} y={y}>
        to come
      </text>
    </>
  );
}
