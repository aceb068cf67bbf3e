// Numbers, times and sizes as every page writes them: 1,284; 25 % with a thin space; a true minus; "2 d ago".
const THIN = '\u2009';

export const NONE = '\u2013';

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US').replace('-', '\u2212');
}

export function fixed(value: number, digits = 3): string {
  return value.toFixed(digits).replace('-', '\u2212');
}

// As many digits as tell values of this size apart.
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  if (!Number.isFinite(value)) return String(value).replace('-', '\u2212');
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return whole(value);
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2).replace(/-/g, '\u2212');
  if (size >= 1000) return whole(value);
  return fixed(value, size >= 100 ? 1 : size >= 10 ? 2 : 3);
}

export function signed(value: number, digits = 3): string {
  return (value > 0 ? '+' : value < 0 ? '\u2212' : '\u00b1') + Math.abs(value).toFixed(digits);
}

export function percent(share: number, digits = 1): string {
  return fixed(share * 100, share === 0 || share === 1 ? 0 : digits) + THIN + '%';
}

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)}${THIN}${units[unit]}`;
}

export function duration(seconds: number): string {
  if (seconds < 0.9995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const two = (n: number) => String(Math.round(n)).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(Math.floor(seconds % 60))} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
}

export function relative(time: string, now: number): string {
  const seconds = (now - Date.parse(time)) / 1000;
  const size = Math.abs(seconds);
  const text =
    size < 50 ? `${Math.max(1, Math.round(size))} s`
    : size < 3000 ? `${Math.round(size / 60)} min`
    : size < 79_200 ? `${Math.round(size / 3600)} h`
    : size < 86_400 * 13 ? `${Math.round(size / 86_400)} d`
    : size < 86_400 * 60 ? `${Math.round(size / 604_800)} wk`
    : `${Math.round(size / 2_629_800)} mo`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

export function absolute(time: string): string {
  const date = new Date(time);
  const two = (n: number) => String(n).padStart(2, '0');
  const zone = -date.getTimezoneOffset();
  const offset = `${zone < 0 ? '\u2212' : '+'}${two(Math.floor(Math.abs(zone) / 60))}:${two(Math.abs(zone) % 60)}`;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${offset}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function day(time: string | number): string {
  const date = new Date(time);
  return `${date.getDate()} ${MONTHS[date.getMonth()]}`;
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}
