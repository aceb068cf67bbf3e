import { getRouteApi } from '@tanstack/react-router';

import { useApi, useLateApi } from '../api/queries';
import { figure } from '../design/format';
import { StateWord } from '../design/mark';
import { Ago, Empty, PageHead, Panel } from '../design/parts';

import { Feed } from './feed';
import './home.css';

const route = getRouteApi('/inside/p/$project/');

export function ProjectHome() {
  const path = route.useParams();
  const project = useApi('GET /api/v1/projects/{project}', { path });
  const kpis = useLateApi('GET /api/v1/projects/{project}/kpis', { path })?.items ?? [];
  const events = useLateApi('GET /api/v1/events', { query: { project: path.project, limit: 50 } })?.items ?? [];
  return (
    <>
      <PageHead title={project.name} say={project.problem?.statement || 'No problem statement yet.'} />
      <Panel title="Goals" flush>
        {kpis.length === 0 ? (
          <Empty title="No goal yet" command={`gyre projects edit ${project.name} --kpi 'auc >= 0.8'`} />
        ) : (
          <table className="tb">
            <thead>
              <tr>
                <th>Goal</th>
                <th>State</th>
                <th className="num">Value</th>
                <th className="num">Measured</th>
              </tr>
            </thead>
            <tbody>
              {kpis.map((kpi) => (
                <tr key={kpi.kpi}>
                  <td>{kpi.kpi}</td>
                  <td>
                    <StateWord word={kpi.state} /> <span className="dim">{kpi.reason}</span>
                  </td>
                  <td className="num">{figure(kpi.value)}</td>
                  <td className="num dim">{kpi.at ? <Ago time={kpi.at} /> : null}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Panel>
      <Panel title="Activity">{events.length === 0 ? <Empty title="Nothing has happened yet" command={`gyre add data.csv --project ${project.name}`} /> : <Feed events={events} />}</Panel>
    </>
  );
}
