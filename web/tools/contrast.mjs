// node web/tools/contrast.mjs: proves the colour tokens. Text >= 4.5:1 on every ground it may stand on, marks and series >= 3:1.
import fs from 'node:fs';
const css = fs.readFileSync(new URL('../src/design/tokens.css', import.meta.url), 'utf8');
const block = (sel) => { const i = css.indexOf(sel + '{'), s = css.slice(i, css.indexOf('\n}', i)), o = {};
  for (const m of s.matchAll(/--([\w-]+):(#[0-9a-f]{6})/g)) o[m[1]] = m[2]; return o; };
const light = block(':root'), dark = { ...light, ...block(':root[data-theme=dark]') };
const lum = (h) => { const c = [1, 3, 5].map((i) => parseInt(h.slice(i, i + 2), 16) / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]; };
const ratio = (a, b) => { const x = lum(a), y = lum(b); return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
const grounds = ['bg', 'panel', 'sunk', 'hover'];
const text = [...['ink', 'ink-2', 'ink-3', 'accent', 'ok-t', 'warn-t', 'bad-t', 'run-t', 'idle-t'].flatMap((f) => grounds.map((g) => [f, g])),
  ['on-accent', 'accent'], ['accent', 'accent-soft'], ['ink', 'accent-soft'], ['ink-3', 'accent-soft'], ['champ', 'accent-soft'], ['chall', 'accent-soft'], ['chall', 'panel'],
  ...['ok', 'warn', 'bad', 'run', 'idle'].map((k) => [k + '-t', k + '-s']), ['h0t', 'h0'], ['h3t', 'h3'], ['h5t', 'h5']];
const marks = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'ok-f', 'warn-f', 'bad-f', 'run-f', 'idle-f', 'champ', 'chall', 'focus'];
let bad = 0;
for (const [name, t] of [['light', light], ['dark', dark]]) {
  for (const [f, g] of text) if (ratio(t[f], t[g]) < 4.5) { bad++; console.log(name, 'text', f, 'on', g, ratio(t[f], t[g]).toFixed(2)); }
  for (const f of marks) if (ratio(t[f], t.panel) < 3) { bad++; console.log(name, 'mark', f, ratio(t[f], t.panel).toFixed(2)); }
}
console.log(bad ? `${bad} below the floor` : 'all pairs hold');
process.exit(bad ? 1 : 0);
