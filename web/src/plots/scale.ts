// From values to pixels, and the round numbers of an axis.
export type Scale = (value: number) => number;

export function linear(from: number, to: number, start: number, end: number): Scale {
  const span = to - from || 1;
  return (value) => start + ((value - from) / span) * (end - start);
}

export function ticks(from: number, to: number, count = 4): number[] {
  const rough = (to - from) / count;
  if (!(rough > 0)) return [from];
  const size = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / size;
  const step = (lead >= 7 ? 10 : lead >= 3.5 ? 5 : lead >= 1.5 ? 2 : 1) * size;
  const found: number[] = [];
  for (let value = Math.ceil(from / step - 1e-9) * step; value <= to + step * 1e-6; value += step) found.push(Number(value.toFixed(10)));
  return found;
}

export function path(points: readonly (readonly [number, number])[], x: Scale, y: Scale): string {
  return points.map(([a, b], i) => `${i ? 'L' : 'M'}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join('');
}

// The extent of values that are numbers; undefined without any.
export function extent(values: readonly (number | null | undefined)[]): [number, number] | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || value === undefined || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low > high ? undefined : [low, high];
}
