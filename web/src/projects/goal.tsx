// What is to be solved, for whom, and how one knows: the statement, its goals as they stand, and its earlier versions.
import type { ReactNode } from 'react';

import { useApi, useLateApi } from '../api/queries';
import { goalRoute } from '../app/router';
import { figure, signed } from '../design/format';
import { StateWord } from '../design/mark';
import { Ago, Command, Empty, Facts, PageHead, Panel } from '../design/parts';

import './home.css';

export function Goal(): ReactNode {
  const path = goalRoute.useParams();
  const project = useApi('GET /api/v1/projects/{project}', { path });
  const kpis = useLateApi('GET /api/v1/projects/{project}/kpis', { path })?.items ?? [];
  const history = useLateApi('GET /api/v1/projects/{project}/problem/history', { path })?.items ?? [];
  const problem = project.problem;
  return (
    <>
      <PageHead title="Goal" say={problem?.statement || 'Nobody has said yet what is to be solved.'} />
      <Panel title="Goals" meta={kpis.length} flush>
        {kpis.length === 0 ? (
          <Empty title="No goal yet" command={`gyre projects edit ${project.name} --kpi 'auc >= 0.8'`}>
            A goal is measured all the time: a metric of the champion, of live answers, of feedback or cost.
          </Empty>
        ) : (
          <div className="tb-scroll" role="region" aria-label="Goals" tabIndex={0}>
            <table className="tb">
              <thead>
                <tr>
                  <th>Goal</th>
                  <th>State</th>
                  <th className="num">Value</th>
                  <th className="num wide">Change</th>
                  <th className="num wide">Since</th>
                  <th className="num">Measured</th>
                </tr>
              </thead>
              <tbody>
                {kpis.map((kpi) => (
                  <tr key={kpi.kpi}>
                    <td className="mono">{kpi.kpi}</td>
                    <td>
                      <StateWord word={kpi.state} /> <span className="dim">{kpi.reason}</span>
                    </td>
                    <td className="num strong">{figure(kpi.value)}</td>
                    <td className="num wide dim">{kpi.trend ? signed(kpi.trend.change) : ''}</td>
                    <td className="num wide dim">{kpi.since && <Ago time={kpi.since} />}</td>
                    <td className="num dim">{kpi.at && <Ago time={kpi.at} />}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Panel>
      <div className="grid-two">
        <Panel title="Statement" meta={problem ? `version ${problem.version}` : undefined}>
          {problem && (
            <Facts
              rows={[
                ['owner', problem.owner],
                ['target', problem.target],
                ['stated by', problem.created_by],
                ['stated', <Ago key="at" time={problem.created_at} />],
              ]}
            />
          )}
          <div className="col">
            <span className="dim t11">state it anew in a shell; the earlier version stays</span>
            <Command text={`gyre projects edit ${project.name} --statement TEXT --kpi 'auc >= 0.84'`} />
          </div>
        </Panel>
        <Panel title="Earlier versions" meta={Math.max(0, history.length - 1)}>
          {history.length < 2 ? (
            <Empty title="It was stated once" />
          ) : (
            <ul className="feed">
              {history.slice(1).map((one) => (
                <li key={one.version}>
                  <b className="strong t12">v{one.version}</b>
                  <span className="t12 grow">
                    {one.statement} <span className="dim mono">{one.kpis.map((kpi) => kpi.text).join(', ')}</span>
                  </span>
                  <span className="dim t11">
                    <Ago time={one.created_at} />
                  </span>
                </li>
              ))}
            </ul>
          )}
        </Panel>
      </div>
    </>
  );
}
