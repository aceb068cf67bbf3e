// One run: what it got and what it was given, its curves, what it left, what it said.
import { Link } from '@tanstack/react-router';
import { Suspense, useState } from 'react';
import type { ReactNode } from 'react';

import { useSuspenseQueries, useSuspenseQuery } from '@tanstack/react-query';

import type { Artifact, Run } from '../api/generated';
import { send, urlOf } from '../api/client';
import { apiQuery, useApi, useLateApi } from '../api/queries';
import { runRoute } from '../app/router';
import type { RunView } from '../app/router';
import { useView } from '../app/view';
import { NONE, bytes, counted, duration, figure } from '../design/format';
import { StateWord, stateOf } from '../design/mark';
import { Ago, Command, Empty, Facts, PageHead, Panel, Pill, Stat, Stats, Waiting } from '../design/parts';
import { LineChart } from '../plots/line_chart';

import './runs.css';
import { took } from './runs';

const CURVES_MAX = 8;

export function RunPage(): ReactNode {
  const path = runRoute.useParams();
  const run = useApi('GET /api/v1/projects/{project}/runs/{run}', { path });
  const [{ tab = 'overview' }, change] = useView<RunView>(runRoute);
  const seconds = took(run);
  const names = Object.keys(run.metrics);
  const first = names.find((name) => name.startsWith('test_')) ?? names[0];
  const inputs = run.inputs ?? [];
  const tabs = [
    ['overview', undefined],
    ['metrics', names.length],
    ['artifacts', undefined],
    ['log', undefined],
  ] as const;
  return (
    <>
      <PageHead
        title={run.name}
        pills={
          <>
            <code className="dim">{run.id.slice(0, 8)}</code>
            <Pill tone={run.status === 'failed' ? 'bad' : run.status === 'running' ? 'run' : 'ok'} mark={stateOf(run.status)}>
              {run.status}
            </Pill>
          </>
        }
        say={
          <>
            A {run.kind} run of experiment {run.experiment}
            {run.parent ? (
              <>
                , part of{' '}
                <Link to="/p/$project/runs/$run" params={{ project: path.project, run: run.parent }}>
                  {run.parent.slice(0, 8)}
                </Link>
              </>
            ) : null}
            .
          </>
        }
      />
      {run.error !== '' && (
        <div className="note bad" role="alert">
          <p className="t12">{run.error}</p>
        </div>
      )}
      <Stats>
        <Stat label={first ?? 'Metrics'} value={first ? figure(run.metrics[first]) : NONE} note={counted(names.length, 'metric')} />
        <Stat label="Took" value={seconds === undefined ? NONE : duration(seconds)} note={run.resources?.cpu_seconds ? `${duration(run.resources.cpu_seconds)} of CPU` : undefined} />
        <Stat label="Data" value={inputs[0]?.name ?? NONE} note={inputs.length > 1 ? `and ${inputs.length - 1} more` : undefined} />
        <Stat label="Memory" value={run.resources?.memory_bytes_peak ? bytes(run.resources.memory_bytes_peak) : NONE} note="at its peak" />
        <Stat label="Made" value={<Ago time={run.created_at} />} note={`by ${run.created_by}`} />
      </Stats>
      <div className="tabs" role="tablist" aria-label="Run">
        {tabs.map(([name, count]) => (
          <button key={name} type="button" role="tab" aria-selected={name === tab} onClick={() => change({ tab: name })}>
            {name.charAt(0).toUpperCase() + name.slice(1)}
            {count !== undefined && <span className="n">{count}</span>}
          </button>
        ))}
      </div>
      <Suspense fallback={<Waiting />}>
        {tab === 'overview' && <Overview project={path.project} run={run} />}
        {tab === 'metrics' && <Metrics project={path.project} run={run} />}
        {tab === 'artifacts' && <Artifacts project={path.project} run={run} />}
        {tab === 'log' && <Log project={path.project} run={run} />}
      </Suspense>
    </>
  );
}

function Overview({ project, run }: { project: string; run: Run }) {
  const params = Object.entries(run.params);
  const metrics = Object.entries(run.metrics);
  const parts = useLateApi('GET /api/v1/projects/{project}/runs', { path: { project }, query: { parent: run.id, limit: 100 } })?.items ?? [];
  return (
    <div className="grid-run">
      <Panel title="Metrics" meta={metrics.length} flush>
        {metrics.length === 0 ? (
          <Empty title={parts.length > 0 ? 'Its candidates have them' : 'None was logged'} />
        ) : (
          <Pairs rows={metrics.map(([name, value]) => [name, figure(value)])} />
        )}
      </Panel>
      <Panel title="Parameters" meta={params.length} flush>
        {params.length === 0 ? <Empty title="None was logged" /> : <Pairs rows={params} mono />}
      </Panel>
      <Panel title="Made of">
        <Facts
          rows={[
            ...(run.inputs ?? []).map((input): [string, ReactNode] => [input.kind.replace('_', ' '), <InputLink key={input.id} project={project} name={input.name} kind={input.kind} />]),
            ['experiment', run.experiment],
            ['started', run.started_at ? <Ago time={run.started_at} /> : undefined],
            ['ended', run.ended_at ? <Ago time={run.ended_at} /> : undefined],
            ...Object.entries(run.tags).map(([name, value]): [string, ReactNode] => [name, value]),
          ]}
        />
        <div className="col">
          <span className="dim t11">the same in a shell</span>
          <Command text={`gyre runs show ${run.id.slice(0, 8)} --project ${project}`} />
        </div>
      </Panel>
      {parts.length > 0 && (
        <Panel title="Candidates" meta={parts.length} flush className="wide2">
          <table className="tb">
            <thead>
              <tr>
                <th>Run</th>
                <th>State</th>
                <th className="num">Best known</th>
                <th className="num">Took</th>
              </tr>
            </thead>
            <tbody>
              {parts.map((part) => {
                const name = Object.keys(part.metrics).find((one) => one.endsWith('auc') || one.endsWith('rmse') || one.endsWith('log_loss')) ?? Object.keys(part.metrics)[0];
                const seconds = took(part);
                return (
                  <tr key={part.id}>
                    <td>
                      <Link to="/p/$project/runs/$run" params={{ project, run: part.id }} className="strong">
                        {part.name}
                      </Link>
                    </td>
                    <td>
                      <StateWord word={part.status} />
                    </td>
                    <td className="num">
                      <span className="dim">{name}</span> {name ? figure(part.metrics[name]) : NONE}
                    </td>
                    <td className="num dim">{seconds === undefined ? NONE : duration(seconds)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Panel>
      )}
    </div>
  );
}

function InputLink({ project, name, kind }: { project: string; name: string; kind: string }) {
  const [dataset, version] = name.split(':');
  if (kind !== 'dataset_version' || !dataset || !version) return <>{name}</>;
  return (
    <Link to="/p/$project/datasets/$dataset" params={{ project, dataset }} search={{ version }}>
      {name}
    </Link>
  );
}

function Pairs({ rows, mono = false }: { rows: [string, string][]; mono?: boolean }) {
  return (
    <table className="tb flat">
      <tbody>
        {rows.map(([name, value]) => (
          <tr key={name}>
            <td className={mono ? 'mono' : ''}>{name}</td>
            <td className={`num ${mono ? 'mono' : 'strong'}`} title={value}>
              {value}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

// The metrics that were logged more than once have a curve; the others one value.
function Metrics({ project, run }: { project: string; run: Run }) {
  const names = Object.keys(run.metrics);
  const [chosen, setChosen] = useState(() => names.slice(0, CURVES_MAX));
  const histories = useSuspenseQueries({ queries: chosen.map((key) => apiQuery('GET /api/v1/projects/{project}/runs/{run}/metrics/{key*}', { path: { project, run: run.id, key }, query: { limit: 2000 } })) }).map((query) => query.data);
  const curves = histories.filter((history) => history.items.length > 1);
  if (names.length === 0) return <Empty title="No metric was logged" />;
  return (
    <div className="grid-run">
      <Panel title="Curves" meta={curves.length === 0 ? 'each metric has one value' : `${curves.length} with more than one value`} className="wide2">
        {curves.length === 0 ? (
          <Empty title="One value each">A script that logs a metric at each step has its curve here.</Empty>
        ) : (
          <LineChart
            lines={curves.map((history) => ({ name: history.key, points: history.items.flatMap((point) => (point.value === null || point.value === undefined ? [] : [[point.step, point.value] as const])) }))}
            label={`curves of ${curves.map((history) => history.key).join(', ')}`}
            unit="value"
            xName="step"
            height={320}
          />
        )}
      </Panel>
      <Panel title="All metrics" meta={names.length} flush>
        <table className="tb flat">
          <thead>
            <tr>
              <th>Metric</th>
              <th className="num">Last</th>
              <th className="num">Curve</th>
            </tr>
          </thead>
          <tbody>
            {names.map((name) => (
              <tr key={name}>
                <td>{name}</td>
                <td className="num strong">{figure(run.metrics[name])}</td>
                <td className="num">
                  <input
                    type="checkbox"
                    aria-label={`Curve of ${name}`}
                    checked={chosen.includes(name)}
                    disabled={!chosen.includes(name) && chosen.length >= CURVES_MAX}
                    onChange={(event) => setChosen(event.target.checked ? [...chosen, name] : chosen.filter((one) => one !== name))}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
    </div>
  );
}

function Artifacts({ project, run }: { project: string; run: Run }) {
  const items = useApi('GET /api/v1/projects/{project}/runs/{run}/artifacts', { path: { project, run: run.id } }).items;
  if (items.length === 0) return <Empty title="It left no file" />;
  return (
    <section className="panel">
      <table className="tb">
        <thead>
          <tr>
            <th>File</th>
            <th className="wide">Kind</th>
            <th className="num">Size</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one: Artifact) => (
            <tr key={one.path}>
              <td>
                <a href={urlOf('GET /api/v1/projects/{project}/runs/{run}/artifacts/{path*}', { path: { project, run: run.id, path: one.path } }).href} download>
                  {one.path}
                </a>
              </td>
              <td className="wide dim">{one.media_type}</td>
              <td className="num">{bytes(one.size_bytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Log({ project, run }: { project: string; run: Run }) {
  const input = { path: { project, run: run.id } };
  const text = useSuspenseQuery({
    queryKey: ['GET /api/v1/projects/{project}/runs/{run}/log', input],
    queryFn: async ({ signal }) => (await send('GET /api/v1/projects/{project}/runs/{run}/log', input, signal)).text(),
  }).data;
  return (
    <section className="panel">
      {text === '' ? (
        <Empty title="It said nothing" />
      ) : (
        <pre className="log" role="region" aria-label="Log" tabIndex={0}>
          {text}
        </pre>
      )}
    </section>
  );
}
