// What watches the answers: alerts first, then each monitor's windows, newest first.
import type { ReactNode } from 'react';

import type { Monitor } from '../api/generated';
import { useApi, useLateApi } from '../api/queries';
import { monitoringRoute } from '../app/router';
import { NONE, counted, day, figure, whole } from '../design/format';
import { Mark, StateWord, stateOf } from '../design/mark';
import { Ago, Empty, PageHead, Panel } from '../design/parts';
import { Box } from '../plots/box';
import { Strip } from '../plots/strip';
import { seriesOf } from '../projects/kpi';

import './monitoring.css';

export function Monitoring(): ReactNode {
  const path = monitoringRoute.useParams();
  const monitors = useApi('GET /api/v1/projects/{project}/monitors', { path }).items;
  const alerts = useLateApi('GET /api/v1/projects/{project}/alerts', { path, query: { all: true } })?.items ?? [];
  const open = alerts.filter((alert) => alert.state !== 'ok');
  const over = alerts.filter((alert) => alert.state === 'ok' && alert.what !== '');
  return (
    <>
      <PageHead
        title="Monitoring"
        say={monitors.length === 0 ? 'Nothing is watched yet.' : `${counted(monitors.length, 'monitor')}, ${open.length === 0 ? 'nothing fires' : `${counted(open.length, 'alert')} open`}.`}
      />
      {monitors.length === 0 ? (
        <section className="panel">
          <Empty title="No monitor" command={`gyre deploy MODEL@champion --project ${path.project}`}>
            An endpoint is watched from its deployment on.
          </Empty>
        </section>
      ) : (
        <>
          <Panel title="Alerts" meta={`${open.length} open, ${over.length} over`} flush>
            {open.length + over.length === 0 ? (
              <Empty title="None so far" />
            ) : (
              <div className="tb-scroll" role="region" aria-label="Alerts" tabIndex={0}>
                <table className="tb">
                  <thead>
                    <tr>
                      <th>Alert</th>
                      <th>State</th>
                      <th>What</th>
                      <th className="num">Since</th>
                    </tr>
                  </thead>
                  <tbody>
                    {[...open, ...over].map((alert) => (
                      <tr key={alert.id}>
                        <td className="strong">{alert.name}</td>
                        <td>
                          <span className="st">
                            <Mark state={stateOf(alert.state)} />
                            {alert.state === 'ok' ? 'over' : alert.state}
                          </span>
                        </td>
                        <td className="what">{alert.what}</td>
                        <td className="num dim">{alert.since && <Ago time={alert.since} />}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          </Panel>
          {monitors.map((monitor) => (
            <Watched key={monitor.id} project={path.project} monitor={monitor} />
          ))}
        </>
      )}
    </>
  );
}

function Watched({ project, monitor }: { project: string; monitor: Monitor }) {
  const windows = useApi('GET /api/v1/projects/{project}/monitors/{monitor}/windows', { path: { project, monitor: monitor.name }, query: { limit: 60 } }).items;
  const primary = windows.find((window) => window.performance[0])?.performance[0]?.primary;
  const series = primary ? seriesOf(windows, primary) : [];
  return (
    <Panel title={monitor.name} meta={`${monitor.window_text}; alert: ${monitor.alert_text}`} acts={<StateWord word={monitor.state} />} flush>
      {primary && series.length > 1 && (
        <div className="mstrip">
          <Box height={150}>{(width, height) => <Strip points={series} name={primary} champion={series.at(-1)?.model} width={width} height={height} />}</Box>
        </div>
      )}
      {windows.length === 0 ? (
        <Empty title="No window is complete yet" />
      ) : (
        <div className="tb-scroll" role="region" aria-label={`Windows of ${monitor.name}`} tabIndex={0}>
          <table className="tb">
            <thead>
              <tr>
                <th>Window</th>
                <th className="num">Rows</th>
                <th className="num wide">With labels</th>
                <th className="wide">Model</th>
                {primary && <th className="num">{primary}</th>}
                <th>Columns that drifted</th>
              </tr>
            </thead>
            <tbody>
              {windows.map((window) => {
                const drifted = window.columns.filter((column) => column.drifted !== false);
                const estimate = primary ? window.performance[0]?.metrics[primary] : undefined;
                return (
                  <tr key={window.id}>
                    <td>
                      <Mark state={drifted.length > 0 ? 'bad' : 'ok'} label={drifted.length > 0 ? 'drifted' : 'calm'} /> {day(window.begin)} <span className="dim">{window.state}</span>
                    </td>
                    <td className="num">{whole(window.rows)}</td>
                    <td className="num wide">{whole(window.labelled)}</td>
                    <td className="wide dim">{window.model}</td>
                    {primary && <td className="num">{estimate ? figure(estimate.estimate) : NONE}</td>}
                    <td className="what">{drifted.length === 0 ? <span className="dim">none</span> : drifted.map((column) => `${column.name} ${figure(column.effect)}`).join(', ')}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
