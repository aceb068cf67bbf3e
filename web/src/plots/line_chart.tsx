// Lines over a common x, on uPlot: crosshair, zoom by dragging, labels at their ends, a table for whoever reads instead of looks.
import { useLayoutEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { useTheme } from '../app/theme';
import { figure } from '../design/format';
import { Segments } from '../design/parts';

import './line_chart.css';

export interface Line {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
}

interface LineChartProps {
  lines: Line[];
  label: string;
  unit: string; // of y, said once, top left
  xName: string; // top right
  height?: number;
}

const INKS = ['--c1', '--c2', '--c3', '--c4', '--c5', '--c6', '--c7', '--c8'];

export function inkOf(index: number): string {
  return `var(${INKS[index % INKS.length]})`;
}

// One x axis for all lines; where a line has no value there is a gap.
function aligned(lines: Line[]): uPlot.AlignedData {
  const xs = [...new Set(lines.flatMap((line) => line.points.map(([x]) => x)))].sort((a, b) => a - b);
  const at = new Map(xs.map((x, i) => [x, i]));
  const columns = lines.map((line) => {
    const column = new Array<number | null | undefined>(xs.length).fill(undefined);
    for (const [x, y] of line.points) column[at.get(x)!] = y;
    return column;
  });
  return [xs, ...columns] as uPlot.AlignedData;
}

function draw(box: HTMLElement, lines: Line[]): uPlot {
  const tokens = getComputedStyle(document.documentElement);
  const ink = (name: string) => tokens.getPropertyValue(name).trim();
  const font = `11px ${tokens.getPropertyValue('--font').trim()}`;
  const axis: uPlot.Axis = { font, stroke: ink('--ink-3'), ticks: { show: false }, gap: 4 };
  return new uPlot(
    {
      width: box.clientWidth,
      height: box.clientHeight,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { points: { size: 6 }, drag: { x: true, y: false } },
      scales: { x: { time: false } },
      axes: [
        { ...axis, size: 22, grid: { show: false }, border: { show: true, stroke: ink('--axis'), width: 1 } },
        { ...axis, size: 46, grid: { stroke: ink('--grid'), width: 1 }, values: (_, values) => values.map((value) => figure(value)) },
      ],
      series: [{}, ...lines.map((line, i): uPlot.Series => ({ label: line.name, stroke: ink(INKS[i % INKS.length]!), width: 1.6, spanGaps: true, points: { show: line.points.length < 3 } }))],
      hooks: {
        setCursor: [
          (plot) => {
            const at = plot.cursor.idx;
            box.dispatchEvent(new CustomEvent('point', { detail: at === null || at === undefined ? null : at }));
          },
        ],
      },
    },
    aligned(lines),
    box,
  );
}

export function LineChart({ lines, label, unit, xName, height = 220 }: LineChartProps) {
  const theme = useTheme();
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const [view, setView] = useState<'chart' | 'table'>('chart');
  const data = aligned(lines);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    let plot = draw(element, lines);
    const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: element.clientHeight }));
    resized.observe(element);
    const pointed = (event: Event) => setAt((event as CustomEvent<number | null>).detail);
    element.addEventListener('point', pointed);
    return () => {
      resized.disconnect();
      element.removeEventListener('point', pointed);
      plot.destroy();
    };
    // The theme is read from the tokens when it is drawn.
  }, [lines, theme, view]);

  const shown = at ?? data[0].length - 1;
  return (
    <div className="lchart">
      <div className="row t11 dim">
        <span className="sub">{unit}</span>
        <span className="push">{xName} →</span>
        <Segments label="Show as" options={[{ value: 'chart', text: 'Chart' }, { value: 'table', text: 'Table' }]} value={view} onChange={setView} />
      </div>
      {view === 'chart' ? (
        <div ref={box} role="img" aria-label={label} style={{ height }} />
      ) : (
        <div className="tb-scroll" style={{ height }} role="region" aria-label={label} tabIndex={0}>
          <table className="tb">
            <thead>
              <tr>
                <th className="num">{xName}</th>
                {lines.map((line) => (
                  <th key={line.name} className="num">
                    {line.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {Array.from(data[0], (x, row) => (
                <tr key={x}>
                  <td className="num">{figure(x)}</td>
                  {lines.map((line, i) => (
                    <td key={line.name} className="num">
                      {figure(data[i + 1]![row])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div className="legend">
        {lines.map((line, i) => (
          <span key={line.name} className="lg">
            <span className="sw" style={{ background: inkOf(i) }} />
            {line.name} <b className="strong">{figure(data[i + 1]![shown])}</b>
          </span>
        ))}
        <span className="lg push dim">
          {xName} {figure(data[0][shown])}
        </span>
      </div>
    </div>
  );
}
