import type { Kpi, KpiState, Window } from '../api/generated';
import { figure } from '../design/format';
import type { State } from '../design/mark';

export const COMPARISONS: Record<string, string> = { '>=': '\u2265', '<=': '\u2264', '>': '>', '<': '<', '=': '=' };

export function goalText(kpi: Kpi): string {
  return `${COMPARISONS[kpi.comparison] ?? kpi.comparison} ${kpi.value}${kpi.unit ? `\u2009${kpi.unit}` : ''}`;
}

export function smallerIsBetter(kpi: Kpi): boolean {
  return kpi.comparison.startsWith('<');
}

// How far it is from its goal, in the words of a row.
export function distance(kpi: Kpi, value: number): string {
  const gap = Math.abs(value - kpi.value);
  return `${isOff(kpi, value) ? 'off' : 'clear'} ${figure(gap)}`;
}

export function isOff(kpi: Kpi, value: number): boolean {
  switch (kpi.comparison) {
    case '>=':
      return value < kpi.value;
    case '<=':
      return value > kpi.value;
    case '>':
      return value <= kpi.value;
    case '<':
      return value >= kpi.value;
    default:
      return value !== kpi.value;
  }
}

// A project's mark: the worst of what is known of its goals.
export function markOf(states: KpiState[] | undefined, firing: number): State {
  if (firing > 0) return 'bad';
  if (states === undefined || states.length === 0) return 'idle';
  if (states.some((state) => state.state === 'missed')) return 'warn';
  return states.some((state) => state.state === 'met') ? 'ok' : 'idle';
}

// The metric over the windows of traffic, oldest first, of those that had labels.
export function seriesOf(windows: Window[] | undefined, metric: string): { at: string; value: number; lower: number | null; upper: number | null; model: string }[] {
  const points = [];
  for (const window of windows ?? []) {
    const estimate = window.performance[0]?.metrics[metric];
    if (estimate?.estimate === null || estimate?.estimate === undefined) continue;
    points.push({ at: window.begin, value: estimate.estimate, lower: estimate.lower ?? null, upper: estimate.upper ?? null, model: window.performance[0]!.model });
  }
  return points.reverse();
}
