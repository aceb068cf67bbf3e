// A project at a glance: eight stages around the disc of its laps, its goals, its history, and how mature it is.
import { Link } from '@tanstack/react-router';
import { ArrowRight } from 'lucide-react';
import type { ReactNode } from 'react';

import type { Loop as LoopFacts, LoopStage, MaturityLevel, NextAct, Project } from '../api/generated';
import { useApi, useLateApi } from '../api/queries';
import { placeOf } from '../app/navigation';
import { loopRoute } from '../app/router';
import { counted, figure } from '../design/format';
import { Mark, stateOf } from '../design/mark';
import type { State } from '../design/mark';
import { Ago, Command, Empty, Panel, Pill, Tip } from '../design/parts';
import { Box } from '../plots/box';
import { Disc } from '../plots/disc';
import { Spark } from '../plots/spark';
import { Strip } from '../plots/strip';

import { goalText, isOff, seriesOf, smallerIsBetter } from './kpi';
import './loop.css';

const TITLES: Record<string, string> = { goal: 'Goal', data: 'Data', preparation: 'Preparation', features: 'Features', development: 'Development', evaluation: 'Evaluation', deployment: 'Deployment', monitoring: 'Monitoring' };
const STATES: Record<string, State> = { ok: 'ok', warn: 'warn', bad: 'bad', running: 'run', idle: 'idle' };

// The next act is a page where there is one, else the command that does it.
function Next({ project, act }: { project: string; act: NextAct }) {
  if (act.label === '') return null;
  const content = (
    <>
      <ArrowRight size={14} aria-hidden="true" />
      {act.label}
    </>
  );
  if (placeOf(act.page)) {
    return (
      <Link className="next" to={`/p/${encodeURIComponent(project)}/${act.page}` as never}>
        {content}
      </Link>
    );
  }
  return (
    <Tip text={act.command}>
      <button type="button" className="next" onClick={() => void navigator.clipboard.writeText(act.command)}>
        {content}
        <span className="sr">, copies the command {act.command}</span>
      </button>
    </Tip>
  );
}

function Card({ project, stage, trend, goal, lower }: { project: string; stage: LoopStage; trend: number[]; goal?: number | undefined; lower: boolean }) {
  const state = STATES[stage.state] ?? 'idle';
  const title = TITLES[stage.stage] ?? stage.stage;
  return (
    <article className={`lc ${stage.state === 'running' ? 'run' : stage.state === 'bad' ? 'bad' : ''} n${stage.number}`}>
      <header>
        <Mark state={state} label={stage.state} />
        <span className="stn2">{stage.number}</span>
        <h2>{title}</h2>
        {stage.at && (
          <span className="push dim t11">
            <Ago time={stage.at} />
          </span>
        )}
      </header>
      <div className="row start gap3">
        <p className="fig grow">{stage.figure}</p>
        {trend.length > 1 && <Spark values={trend} goal={goal} lower={lower} label={`${title}: ${trend.length} values, the newest ${figure(trend.at(-1))}`} />}
      </div>
      <p className="ev">{stage.fact}</p>
      <Next project={project} act={stage.next} />
    </article>
  );
}

function discLabel(loop: LoopFacts): string {
  const laps = loop.laps_before + loop.laps.length;
  const states = loop.stages.filter((stage) => stage.state === 'bad' || stage.state === 'warn').map((stage) => `${TITLES[stage.stage]}: ${stage.figure}`);
  const now = loop.running ? `Now in ${loop.running.stage}: ${loop.running.text}. ` : '';
  return `${counted(laps, 'lap')} through eight stages, drawn as a spiral. ${now}${states.length > 0 ? `To look at: ${states.join('; ')}.` : 'All stages are fine.'}`;
}

function Maturity({ project, levels }: { project: string; levels: MaturityLevel[] }) {
  const next = levels.find((level) => level.next)?.next;
  return (
    <Panel title="Maturity">
      {levels.map((level) => (
        <div key={level.scale} className="mat">
          <span className="t12 cap">{level.scale}</span>
          <span className="steps" aria-hidden="true">
            {Array.from({ length: level.of + 1 }, (_, i) => (
              <i key={i} className={i <= level.level ? 'on' : ''} />
            ))}
          </span>
          <b className="strong">
            {level.level} <span className="dim">of {level.of}</span>
          </b>
          <span className="t12 sub ell">{level.next ? `missing: ${level.next.missing}` : 'all there is'}</span>
        </div>
      ))}
      {next && (
        <div className="mcost">
          <span className="sub t12">Next: {next.claim.charAt(0).toLowerCase() + next.claim.slice(1)}.</span>
          <Next project={project} act={next.act} />
        </div>
      )}
    </Panel>
  );
}

function useHistory(project: Project) {
  const path = { project: project.name };
  const monitor = useLateApi('GET /api/v1/projects/{project}/monitors', { path })?.items[0]?.name;
  const windows = useLateApi('GET /api/v1/projects/{project}/monitors/{monitor}/windows', { path: { ...path, monitor: monitor ?? '' }, query: { limit: 180 } }, monitor !== undefined);
  const kpi = project.problem?.kpis.find((one) => one.is_metric);
  return kpi ? seriesOf(windows?.items, kpi.name) : [];
}

export function Loop(): ReactNode {
  const path = loopRoute.useParams();
  const project = useApi('GET /api/v1/projects/{project}', { path });
  const loop = useApi('GET /api/v1/projects/{project}/loop', { path });
  const history = useHistory(project);
  const kpis = project.problem?.kpis ?? [];
  const metric = kpis.find((kpi) => kpi.is_metric);
  const cards = loop.stages.map((stage) => (
    <Card
      key={stage.stage}
      project={project.name}
      stage={stage}
      trend={stage.stage === 'goal' && stage.trend.length === 0 ? history.slice(-20).map((point) => point.value) : stage.trend}
      goal={stage.stage === 'goal' ? metric?.value : undefined}
      lower={metric !== undefined && smallerIsBetter(metric)}
    />
  ));
  const worst = loop.stages.find((stage) => stage.state === 'bad') ?? loop.stages.find((stage) => stage.state === 'warn');
  const champion = loop.laps.find((lap) => lap.answers)?.name;

  return (
    <>
      <div className="head">
        <div className="grow">
          <h1>
            {project.name}
            {loop.running ? (
              <Pill tone="run" mark="run">
                {loop.running.text}
              </Pill>
            ) : worst ? (
              <Pill tone={worst.state === 'bad' ? 'bad' : 'warn'} mark={worst.state === 'bad' ? 'bad' : 'warn'}>
                {(TITLES[worst.stage] ?? worst.stage).toLowerCase()}: {(worst.next.label || worst.fact).toLowerCase()}
              </Pill>
            ) : null}
          </h1>
          <p className="say">{loop.statement || 'No problem statement yet.'}</p>
        </div>
        {loop.goals.length > 0 && (
          <div className="kpis">
            {loop.goals.slice(0, 3).map((goal, i) => {
              const kpi = kpis[i];
              const off = kpi !== undefined && goal.value !== null && goal.value !== undefined && isOff(kpi, goal.value);
              return (
                <div key={goal.kpi}>
                  <span className="dim t11">{kpi ? `${kpi.name}, goal ${goalText(kpi)}` : goal.kpi}</span>
                  <b className={off ? 'bad' : ''}>{figure(goal.value)}</b>
                  <span className="dim t11 st">
                    <Mark state={stateOf(goal.state)} />
                    {goal.state === 'unknown' ? goal.reason : goal.state}
                  </span>
                </div>
              );
            })}
          </div>
        )}
      </div>
      <div className="loop">
        <div className="lcol l">{[7, 6, 5, 4].map((i) => cards[i])}</div>
        <div className="dwrap">
          <Box>{(width, height) => <Disc laps={loop.laps} before={loop.laps_before} stages={loop.stages} running={loop.running} width={width} height={height} leaders={innerWidth > 900} label={discLabel(loop)} />}</Box>
        </div>
        <div className="lcol r">{[0, 1, 2, 3].map((i) => cards[i])}</div>
      </div>
      <div className="lbot">
        <Panel title={history.length > 1 ? counted(loop.laps_before + loop.laps.length, 'lap') : 'Laps'} meta={history.length > 1 ? `${counted(history.length, 'window')} of traffic; below, the version that answered` : undefined}>
          {history.length > 1 && metric ? (
            <Box height={150}>{(width, height) => <Strip points={history} goal={metric.value} name={metric.name} champion={champion} width={width} height={height} />}</Box>
          ) : (
            <Empty title={metric ? 'No labelled traffic yet' : 'No goal that traffic shows'} command={metric ? `gyre monitors create ENDPOINT --project ${project.name}` : `gyre projects edit ${project.name} --kpi 'auc >= 0.8'`} />
          )}
        </Panel>
        <Maturity project={project.name} levels={loop.maturity} />
      </div>
      {loop.laps.length === 0 && project.problem === null && <Command text={`gyre projects edit ${project.name} --statement TEXT --kpi 'auc >= 0.8'`} />}
    </>
  );
}
