// All projects on one time axis: the goal, where it stands, what answers, what hurts, what it costs. Rows are asked for when they come into view, so
// that five hundred projects are as quick as five.
import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { ReactNode } from 'react';

import type { Event, Forecast, Project } from '../api/generated';
import { useApi, useLateApi } from '../api/queries';
import { NONE, counted, figure } from '../design/format';
import { Mark } from '../design/mark';
import { Ago, Empty, PageHead, Panel, Stat, Stats } from '../design/parts';
import { Spark } from '../plots/spark';

import { Feed, eventText } from './feed';
import './home.css';
import { NewProject } from './new_project';
import { distance, goalText, isOff, markOf, seriesOf, smallerIsBetter } from './kpi';

const ROW = 67;

function useProject(name: string) {
  const path = { project: name };
  const kpis = useLateApi('GET /api/v1/projects/{project}/kpis', { path });
  const alerts = useLateApi('GET /api/v1/projects/{project}/alerts', { path, query: { state: 'firing' } });
  const endpoints = useLateApi('GET /api/v1/projects/{project}/endpoints', { path });
  const monitors = useLateApi('GET /api/v1/projects/{project}/monitors', { path });
  const monitor = monitors?.items[0]?.name;
  const windows = useLateApi(
    'GET /api/v1/projects/{project}/monitors/{monitor}/windows',
    { path: { project: name, monitor: monitor ?? '' }, query: { limit: 90 } },
    monitor !== undefined,
  );
  return { kpis: kpis?.items, firing: alerts?.items.length ?? 0, endpoints: endpoints?.items, windows: windows?.items };
}

function Row({ project, cost, event, top }: { project: Project; cost: Forecast | undefined; event: Event | undefined; top: number }) {
  const { kpis, firing, endpoints, windows } = useProject(project.name);
  const kpi = project.problem?.kpis[0];
  const value = kpis?.[0]?.value ?? undefined;
  const series = kpi?.is_metric ? seriesOf(windows, kpi.name) : [];
  const off = kpi !== undefined && value !== undefined && isOff(kpi, value);
  const ready = endpoints?.filter((endpoint) => endpoint.ready).length ?? 0;
  return (
    <div className="hr" role="row" style={{ transform: `translateY(${top}px)`, height: ROW }}>
      <div role="cell">
        <Mark state={markOf(kpis, firing)} label={firing > 0 ? 'alert' : off ? 'below goal' : value === undefined ? 'not known yet' : 'goal met'} />
      </div>
      <div role="cell" className="ell">
        <Link to="/p/$project" params={{ project: project.name }} className="pn">
          {project.name}
        </Link>
        <div className="dim t12 ell">{project.problem?.statement || 'No problem statement'}</div>
      </div>
      <div role="cell">
        {kpi ? (
          <>
            <span className="t12">{kpi.name}</span>
            <div className="dim t11">goal {goalText(kpi)}</div>
          </>
        ) : (
          <span className="dim t12">no goal</span>
        )}
      </div>
      <div role="cell" className="hwide">
        {series.length > 1 ? (
          <Spark values={series.map((point) => point.value)} goal={kpi?.value} lower={kpi !== undefined && smallerIsBetter(kpi)} width={126} height={34} label={`${kpi?.name ?? ''} over ${series.length} windows of traffic`} />
        ) : (
          <span className="dim t11">no history</span>
        )}
      </div>
      <div role="cell" className="num">
        <span className={`t15 strong${off ? ' bad' : ''}`}>{figure(value)}</span>
        <div className={`t11 ${off ? 'bad' : 'dim'}`}>{kpi && value !== undefined ? distance(kpi, value) : '\u00a0'}</div>
      </div>
      <div role="cell" className="num hwide">{endpoints === undefined ? NONE : endpoints.length === 0 ? <span className="dim">{NONE}</span> : `${ready} of ${endpoints.length}`}</div>
      <div role="cell" className="num">
        {firing > 0 ? (
          <span className="st bad">
            <Mark state="bad" />
            {firing}
          </span>
        ) : (
          <span className="dim">0</span>
        )}
      </div>
      <div role="cell" className="num hwide">{cost ? cost.so_far_text : <span className="dim">{NONE}</span>}</div>
      <div role="cell" className="ell hwide">
        {event ? (
          <>
            <div className="ell t12">{eventText(event)}</div>
            <div className="dim t11">
              <Ago time={event.created_at} />
            </div>
          </>
        ) : (
          <span className="dim">{NONE}</span>
        )}
      </div>
    </div>
  );
}

export function Home(): ReactNode {
  const projects = useApi('GET /api/v1/projects', { query: { limit: 1000 } }).items.filter((project) => project.name !== 'default' || project.problem);
  const costs = useLateApi('GET /api/v1/usage/forecast', {});
  const events = useLateApi('GET /api/v1/events', { query: { limit: 100 } });
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count: projects.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 4 });
  const withGoal = projects.filter((project) => (project.problem?.kpis.length ?? 0) > 0).length;
  const currency = costs?.items[0]?.currency ?? 'EUR';
  const total = costs?.items.reduce((sum, item) => sum + item.so_far, 0) ?? 0;

  return (
    <>
      <PageHead title="Projects" say={projects.length === 0 ? 'Nothing has arrived yet.' : `${counted(projects.length, 'problem')} being solved, ${withGoal} with a goal.`} acts={<NewProject />} />
      {projects.length === 0 ? (
        <FirstSteps />
      ) : (
        <>
          <Stats>
            <Stat label="Projects" value={projects.length} note={`${withGoal} with a goal`} />
            <Stat label="Newest" value={newest(projects).name} note={<Ago time={newest(projects).created_at} />} />
            <Stat label="Cost this month" value={total.toFixed(2)} unit={currency} note="of all projects" />
          </Stats>
          <div className="grid-home">
            <section className="panel">
              <div className="tb-scroll" ref={box} tabIndex={0} role="region" aria-label="Projects">
                <div className="ht" role="table" aria-label="Projects" aria-rowcount={projects.length + 1}>
                  <div className="hr hh" role="row">
                    <span role="columnheader" aria-label="State" />
                    <span role="columnheader">Project</span>
                    <span role="columnheader">KPI</span>
                    <span role="columnheader" className="hwide">Traffic, against goal</span>
                    <span role="columnheader" className="num">Now</span>
                    <span role="columnheader" className="num hwide">Endpoints</span>
                    <span role="columnheader" className="num">Alerts</span>
                    <span role="columnheader" className="num hwide">Month, {currency}</span>
                    <span role="columnheader" className="hwide">Last event</span>
                  </div>
                  <div role="rowgroup" className="hbody" style={{ height: rows.getTotalSize() }}>
                    {rows.getVirtualItems().map((item) => {
                      const project = projects[item.index]!;
                      return (
                        <Row
                          key={project.id}
                          project={project}
                          top={item.start}
                          cost={costs?.items.find((cost) => cost.project === project.name)}
                          event={events?.items.find((event) => event.project === project.name)}
                        />
                      );
                    })}
                  </div>
                </div>
              </div>
            </section>
            <Panel title="Activity" acts={<Link to="/activity" className="t12">All</Link>}>
              <Feed events={events?.items.slice(0, 14) ?? []} />
            </Panel>
          </div>
        </>
      )}
    </>
  );
}

function newest(projects: Project[]): Project {
  return projects.reduce((a, b) => (a.created_at > b.created_at ? a : b));
}

// Three ways in, each with its command.
function FirstSteps() {
  return (
    <div className="grid-first">
      <Panel title="Try the demo">
        <Empty title="A churn model, from problem to canary" command="gyre demo --keep">
          Drift is hidden on day 21; gyre finds it and trains anew.
        </Empty>
      </Panel>
      <Panel title="Bring a file">
        <Empty title="CSV, Parquet, JSON or a database file" command="gyre add sales.csv">
          gyre profiles it and says what looks wrong.
        </Empty>
      </Panel>
      <Panel title="Connect code">
        <Empty title="Your training script stays as it is" command={`export MLFLOW_TRACKING_URI=${location.origin}`}>
          Runs appear here while they run.
        </Empty>
      </Panel>
    </div>
  );
}
