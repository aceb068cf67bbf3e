// States have a shape of their own, so that they read in greyscale; the word stands beside or in the label.
export type State = 'ok' | 'warn' | 'bad' | 'run' | 'wait' | 'idle' | 'cached' | 'off';

const SHAPES: Record<State, React.ReactNode> = {
  ok: <circle cx="6" cy="6" r="4" fill="var(--ok-f)" />,
  warn: <path d="M6 1.2 11.2 10.6H.8z" fill="var(--warn-f)" />,
  bad: <path d="M6 .6 11.4 6 6 11.4 .6 6z" fill="var(--bad-f)" />,
  run: (
    <>
      <circle cx="6" cy="6" r="4" fill="none" stroke="var(--line-2)" strokeWidth="2" />
      <path className="spin" d="M6 2a4 4 0 0 1 4 4" fill="none" stroke="var(--run-f)" strokeWidth="2" />
    </>
  ),
  wait: <circle cx="6" cy="6" r="3.6" fill="none" stroke="var(--idle-f)" strokeWidth="1.4" strokeDasharray="2 1.8" />,
  idle: <circle cx="6" cy="6" r="3.6" fill="none" stroke="var(--idle-f)" strokeWidth="1.4" />,
  cached: <path d="M2 6h8" stroke="var(--idle-f)" strokeWidth="2" />,
  off: <path d="M2.5 2.5l7 7m0-7l-7 7" stroke="var(--idle-f)" strokeWidth="1.6" />,
};

// Without a label it is an ornament of the word beside it.
export function Mark({ state, label }: { state: State; label?: string }) {
  const said = label === undefined ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label };
  return (
    <span className="mk" {...said}>
      <svg viewBox="0 0 12 12">{SHAPES[state]}</svg>
    </span>
  );
}

// What the server's words for states look like.
const WORDS: Record<string, State> = {
  finished: 'ok',
  succeeded: 'ok',
  ok: 'ok',
  met: 'ok',
  ready: 'ok',
  promoted: 'ok',
  running: 'run',
  queued: 'wait',
  scheduled: 'wait',
  waiting: 'wait',
  pending: 'warn',
  failed: 'bad',
  firing: 'bad',
  missed: 'bad',
  killed: 'off',
  cancelled: 'off',
  unknown: 'idle',
};

export function stateOf(word: string): State {
  return WORDS[word] ?? 'idle';
}

export function StateWord({ word }: { word: string }) {
  return (
    <span className="st">
      <Mark state={stateOf(word)} />
      {word}
    </span>
  );
}

// The spiral: the mark of gyre, and the disc of the Loop page.
export function spiral(cx: number, cy: number, from: number, to: number, turns: number): string {
  const steps = Math.ceil(turns * 40);
  let path = '';
  for (let i = 0; i <= steps; i += 1) {
    const t = i / steps;
    const angle = ((-90 + t * turns * 360) * Math.PI) / 180;
    const radius = from + (to - from) * t;
    path += `${i ? 'L' : 'M'}${(cx + radius * Math.cos(angle)).toFixed(2)} ${(cy + radius * Math.sin(angle)).toFixed(2)}`;
  }
  return path;
}

export function Brand({ size = 20 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={spiral(12, 12, 2, 10.4, 2.25)} fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
    </svg>
  );
}
