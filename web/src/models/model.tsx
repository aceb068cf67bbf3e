// One model: its versions, the selected one's evaluation, and who was champion when. The version is in the address.
import { Link } from '@tanstack/react-router';
import { Suspense } from 'react';
import type { ReactNode } from 'react';

import type { ModelVersion } from '../api/generated';
import { useApi, useLateApi } from '../api/queries';
import { modelRoute } from '../app/router';
import type { ModelView } from '../app/router';
import { useView } from '../app/view';
import { NONE, counted, figure } from '../design/format';
import { Ago, Alias, Command, Empty, PageHead, Panel, Waiting } from '../design/parts';

import { EvaluationCharts } from './evaluation';
import './models.css';

export function ModelPage(): ReactNode {
  const { project, model: name } = modelRoute.useParams();
  const [{ version: asked }, change] = useView<ModelView>(modelRoute);
  const model = useApi('GET /api/v1/projects/{project}/models/{model}', { path: { project, model: name } });
  const versions = useApi('GET /api/v1/projects/{project}/models/{model}/versions', { path: { project, model: name } }).items;
  const selected = versions.find((one) => `v${one.version}` === (asked ?? model.latest)) ?? versions[0];
  const primary = mostShared(versions);
  return (
    <>
      <PageHead
        title={model.name}
        pills={Object.keys(model.aliases).map((alias) => (
          <Alias key={alias} name={alias} />
        ))}
        say={model.description || `${counted(versions.length, 'version')}. ${Object.entries(model.aliases).map(([alias, version]) => `@${alias} is ${version}`).join(', ') || 'No version has an alias.'}`}
      />
      <div className="grid-models">
        <Panel title="Versions" meta={versions.length} flush>
          <div className="tb-scroll" role="region" aria-label="Versions" tabIndex={0}>
            <table className="tb">
              <thead>
                <tr>
                  <th>Version</th>
                  <th>Learner</th>
                  <th className="num">{primary}</th>
                  <th className="wide">Run</th>
                  <th className="num">Made</th>
                </tr>
              </thead>
              <tbody>
                {versions.map((one) => (
                  <tr key={one.id} aria-selected={one.id === selected?.id} data-link onClick={() => change({ version: `v${one.version}` })}>
                    <td>
                      <span className="row gap1">
                        <button type="button" className="rowb strong" onClick={() => change({ version: `v${one.version}` })}>
                          v{one.version}
                        </button>
                        {one.aliases.map((alias) => (
                          <Alias key={alias} name={alias} />
                        ))}
                      </span>
                    </td>
                    <td className="dim">{one.learner}</td>
                    <td className="num">{primary ? figure(one.metrics[primary]) : NONE}</td>
                    <td className="wide">
                      {one.run ? (
                        <Link to="/p/$project/runs/$run" params={{ project, run: one.run }} className="mono">
                          {one.run.slice(0, 8)}
                        </Link>
                      ) : (
                        NONE
                      )}
                    </td>
                    <td className="num dim">
                      <Ago time={one.created_at} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Panel>
        <History project={project} model={name} />
      </div>
      {selected && (
        <Suspense fallback={<Waiting />}>
          <h2 className="t15 strong">
            {selected.name} <span className="dim t12">predicts {selected.target}</span>
          </h2>
          <Evaluated project={project} version={selected} />
          {!selected.aliases.includes('champion') && <Command text={`gyre models promote ${selected.name} --project ${project}`} />}
        </Suspense>
      )}
    </>
  );
}

// The metric that most versions have: one column compares them.
function mostShared(versions: ModelVersion[]): string {
  const seen = new Map<string, number>();
  for (const version of versions) for (const name of Object.keys(version.metrics)) seen.set(name, (seen.get(name) ?? 0) + 1);
  return [...seen.entries()].sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';
}

function Evaluated({ project, version }: { project: string; version: ModelVersion }) {
  if (!version.evaluation) return <Empty title="It was not evaluated" command={`gyre evaluate ${version.name} --project ${project}`} />;
  return <EvaluationOf project={project} version={version} />;
}

function EvaluationOf({ project, version }: { project: string; version: ModelVersion }) {
  const evaluation = useApi('GET /api/v1/projects/{project}/models/{model}/versions/{version}/evaluation', { path: { project, model: version.model, version: `v${version.version}` } });
  return <EvaluationCharts of={evaluation} />;
}

function History({ project, model }: { project: string; model: string }) {
  const moves = useLateApi('GET /api/v1/projects/{project}/models/{model}/history', { path: { project, model } })?.items ?? [];
  return (
    <Panel title="Who was what" meta="newest first">
      {moves.length === 0 ? (
        <Empty title="No alias has moved yet" />
      ) : (
        <ul className="moves">
          {moves.map((move) => (
            <li key={move.sequence}>
              <div className="row">
                <Alias name={move.alias} />
                <b className="strong">{move.version ?? 'taken away'}</b>
                {move.previous && <span className="dim">after {move.previous}</span>}
                <span className="push dim t11">
                  <Ago time={move.moved_at} />
                </span>
              </div>
              <p className="sub t12">
                by {move.basis}
                {move.reason ? `: ${move.reason}` : ''}, {move.by}
              </p>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
