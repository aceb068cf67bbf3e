// The runs of a project, newest first or the best by a metric; read on as one scrolls. Sorting and filtering are the server's.
import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp, Columns3 } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';

import type { Run } from '../api/generated';
import { usePages } from '../api/queries';
import { runsRoute } from '../app/router';
import type { RunsView } from '../app/router';
import { useView } from '../app/view';
import { NONE, counted, duration, figure } from '../design/format';
import { Mark, stateOf } from '../design/mark';
import { Ago, Empty, PageHead, Panel } from '../design/parts';
import { Box } from '../plots/box';
import { Scatter } from '../plots/scatter';

import './runs.css';

const PAGE = 200;
const ROW = 28;
const COLUMNS_SHOWN = 4;

function metricsOf(runs: Run[]): string[] {
  const seen = new Map<string, number>();
  for (const run of runs) for (const name of Object.keys(run.metrics)) seen.set(name, (seen.get(name) ?? 0) + 1);
  return [...seen.entries()].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
}

export function took(run: Run): number | undefined {
  if (run.resources?.wall_seconds) return run.resources.wall_seconds;
  if (!run.started_at || !run.ended_at) return undefined;
  return (Date.parse(run.ended_at) - Date.parse(run.started_at)) / 1000;
}

export function Runs(): ReactNode {
  const { project } = runsRoute.useParams();
  const [{ kind, status, order, ascending, columns }, change] = useView<RunsView>(runsRoute);
  const { items: runs, more, fetching, next } = usePages('GET /api/v1/projects/{project}/runs', {
    path: { project },
    query: { limit: PAGE, kind, status, order_by: order, ascending },
  });
  const metrics = metricsOf(runs);
  const shown = columns ? columns.split(',').filter(Boolean) : metrics.slice(0, COLUMNS_SHOWN);
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count: runs.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 12 });
  const last = rows.getVirtualItems().at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !fetching && last > runs.length - 40) next();
  }, [more, fetching, last, runs.length, next]);

  const template = `16px minmax(150px,1.8fr) 72px repeat(${shown.length},minmax(64px,.8fr)) 64px 72px`;
  const chart = order ?? shown[0];
  const dots = chart
    ? runs.flatMap((run) => {
        const [x, y] = [took(run), run.metrics[chart]];
        return x === undefined || y === null || y === undefined ? [] : [{ id: run.id, x, y, marked: false }];
      })
    : [];

  const sort = (name: string) => (order === name ? change(ascending === undefined ? { ascending: true } : { order: undefined, ascending: undefined }) : change({ order: name, ascending: undefined }));

  return (
    <>
      <PageHead title="Runs" say={runs.length === 0 ? 'No run here.' : `${counted(runs.length, 'run')}${more ? ' so far' : ''}, ${order ? `the best by ${order} first` : 'newest first'}.`} />
      <div className="row gap3 tools">
        <Choice label="kind" value={kind} values={['training', 'candidate', 'program', 'imported']} onChange={(value) => change({ kind: value })} />
        <Choice label="status" value={status} values={['scheduled', 'running', 'finished', 'failed', 'killed'] as const} onChange={(value) => change({ status: value })} />
        <span className="push" />
        <DropdownMenu.Root modal={false}>
          <DropdownMenu.Trigger className="btn sm">
            <Columns3 size={14} aria-hidden="true" />
            Columns
          </DropdownMenu.Trigger>
          <DropdownMenu.Portal>
            <DropdownMenu.Content className="dropdown" align="end" sideOffset={4}>
              {metrics.map((name) => (
                <DropdownMenu.CheckboxItem
                  key={name}
                  checked={shown.includes(name)}
                  onSelect={(event) => event.preventDefault()}
                  onCheckedChange={(on) => change({ columns: (on ? [...shown, name] : shown.filter((one) => one !== name)).join(',') })}
                >
                  <span className={`chk ${shown.includes(name) ? 'on' : ''}`} aria-hidden="true">
                    {shown.includes(name) && (
                      <svg viewBox="0 0 24 24">
                        <path d="M4 12l6 6L20 6" />
                      </svg>
                    )}
                  </span>
                  {name}
                </DropdownMenu.CheckboxItem>
              ))}
            </DropdownMenu.Content>
          </DropdownMenu.Portal>
        </DropdownMenu.Root>
      </div>
      <div className="grid-runs">
        <section className="panel">
          {runs.length === 0 ? (
            <Empty title={kind || status ? 'No run is like that' : 'No run yet'} command={`gyre train DATASET --target COLUMN --project ${project}`}>
              What is trained here, what a script logs, and what is brought from elsewhere stands in this table.
            </Empty>
          ) : (
            <div className="tb-scroll" ref={box} role="region" aria-label="Runs" tabIndex={0}>
              <div role="table" aria-label="Runs" aria-rowcount={more ? -1 : runs.length + 1} className="vt">
                <div role="row" className="vr vhead" style={{ gridTemplateColumns: template }}>
                  <span role="columnheader" aria-label="State" />
                  <span role="columnheader">Run</span>
                  <span role="columnheader">Kind</span>
                  {shown.map((name) => (
                    <span key={name} role="columnheader" className="num" aria-sort={order === name ? (ascending ? 'ascending' : 'descending') : 'none'}>
                      <button type="button" className="ell" title={name} onClick={() => sort(name)}>
                        {order === name && (ascending ? <ArrowUp size={11} aria-hidden="true" /> : <ArrowDown size={11} aria-hidden="true" />)}
                        {name}
                      </button>
                    </span>
                  ))}
                  <span role="columnheader" className="num">
                    Took
                  </span>
                  <span role="columnheader" className="num">
                    Made
                  </span>
                </div>
                <div role="rowgroup" className="vbody" style={{ height: rows.getTotalSize() }}>
                  {rows.getVirtualItems().map((item) => {
                    const run = runs[item.index]!;
                    const seconds = took(run);
                    return (
                      <div key={run.id} role="row" aria-rowindex={item.index + 2} className="vr" style={{ gridTemplateColumns: template, transform: `translateY(${item.start}px)`, height: ROW }}>
                        <span role="cell">
                          <Mark state={stateOf(run.status)} label={run.status} />
                        </span>
                        <span role="cell" className="ell">
                          <Link to="/p/$project/runs/$run" params={{ project, run: run.id }} className="strong">
                            {run.name}
                          </Link>{' '}
                          <code className="dim">{run.id.slice(0, 7)}</code>
                        </span>
                        <span role="cell" className="dim">
                          {run.kind}
                        </span>
                        {shown.map((name) => (
                          <span key={name} role="cell" className="num">
                            {run.metrics[name] === undefined ? <span className="dim">{NONE}</span> : figure(run.metrics[name])}
                          </span>
                        ))}
                        <span role="cell" className="num dim">
                          {seconds === undefined ? NONE : duration(seconds)}
                        </span>
                        <span role="cell" className="num dim">
                          <Ago time={run.created_at} />
                        </span>
                      </div>
                    );
                  })}
                </div>
              </div>
            </div>
          )}
        </section>
        {dots.length > 1 && chart && (
          <Panel title="Quality against time" meta={counted(dots.length, 'run')} className="side">
            <Box height={260}>{(width, height) => <Scatter dots={dots} unit={chart} xName="took, s" width={width} height={height} />}</Box>
          </Panel>
        )}
      </div>
    </>
  );
}

function Choice<T extends string>({ label, value, values, onChange }: { label: string; value: T | undefined; values: readonly T[]; onChange: (value: T | undefined) => void }) {
  return (
    <label className="row gap1 t12 dim">
      {label}
      <select className="inp choice" value={value ?? ''} onChange={(event) => onChange(values.find((one) => one === event.target.value))}>
        <option value="">all</option>
        {values.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}
