// One endpoint: who answers and how fast, a form made of its signature, and what happened to it.
import type { ReactNode } from 'react';
import { useState } from 'react';

import type { Column, Prediction } from '../api/generated';
import { call } from '../api/client';
import { useApi, useLateApi } from '../api/queries';
import { endpointRoute } from '../app/router';
import { NONE, counted, fixed, percent, whole } from '../design/format';
import { Ago, Button, Command, Empty, PageHead, Panel, Pill, Stat, Stats } from '../design/parts';
import { ProblemPanel } from '../design/problem';

import './endpoints.css';
import { Traffic } from './endpoints';

export function EndpointPage(): ReactNode {
  const path = endpointRoute.useParams();
  const endpoint = useApi('GET /api/v1/projects/{project}/endpoints/{endpoint}', { path });
  const signature = useLateApi('GET /e/{endpoint}', { path: { endpoint: path.endpoint } });
  const log = useLateApi('GET /api/v1/projects/{project}/endpoints/{endpoint}/logs', { path })?.items ?? [];
  const answering = endpoint.variants.filter((variant) => !variant.shadow);
  const requests = answering.reduce((sum, variant) => sum + (variant.requests ?? 0), 0);
  const failed = answering.reduce((sum, variant) => sum + (variant.failed ?? 0), 0);
  const slowest = Math.max(0, ...answering.map((variant) => variant.latency_us?.p99 ?? 0));
  return (
    <>
      <PageHead
        title={endpoint.name}
        pills={
          <Pill tone={endpoint.ready ? 'ok' : 'run'} mark={endpoint.ready ? 'ok' : 'wait'}>
            {endpoint.parked ? 'parked' : endpoint.ready ? 'ready' : 'loading'}
          </Pill>
        }
        say={
          <>
            {endpoint.model} answers at <code>{endpoint.path}</code>
            {endpoint.follows && (
              <>
                , follows <code>{endpoint.follows}</code>
              </>
            )}
            .
          </>
        }
      />
      <Stats>
        <Stat label="Requests" value={whole(requests)} note="since the server began" />
        <Stat label="Refused or failed" value={whole(failed)} note={requests > 0 ? percent(failed / requests) : undefined} tone={failed > 0 ? 'bad' : undefined} />
        <Stat label="p99" value={slowest > 0 ? `${fixed(slowest / 1000, 2)} ms` : NONE} note="of the slowest version" />
        <Stat label="Versions" value={answering.length} note={endpoint.variants.length > answering.length ? `and ${endpoint.variants.length - answering.length} in the shadow` : undefined} />
      </Stats>
      <div className="grid-ep">
        <div className="col gap3">
          <Panel title="Traffic">
            <Traffic variants={endpoint.variants} />
            <table className="tb">
              <thead>
                <tr>
                  <th>Variant</th>
                  <th>Model</th>
                  <th className="num">Share</th>
                  <th className="num">Requests</th>
                  <th className="num wide">p50, ms</th>
                  <th className="num">p99, ms</th>
                </tr>
              </thead>
              <tbody>
                {endpoint.variants.map((variant) => (
                  <tr key={variant.name}>
                    <td className="strong">{variant.name}</td>
                    <td>{variant.model}</td>
                    <td className="num">{variant.shadow ? 'shadow' : percent(variant.share, 0)}</td>
                    <td className="num">{whole(variant.requests ?? 0)}</td>
                    <td className="num wide">{variant.requests ? fixed((variant.latency_us?.p50 ?? 0) / 1000, 2) : NONE}</td>
                    <td className="num">{variant.requests ? fixed((variant.latency_us?.p99 ?? 0) / 1000, 2) : NONE}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Panel>
          <Panel title="What happened" meta={counted(log.length, 'line')}>
            {log.length === 0 ? (
              <Empty title="Nothing yet" />
            ) : (
              <ul className="moves">
                {log.slice(0, 20).map((line) => (
                  <li key={`${line.at}${line.message}`}>
                    <div className="row">
                      <b className="strong">{line.variant}</b>
                      <span className="push dim t11">
                        <Ago time={line.at} />
                      </span>
                    </div>
                    <p className="sub t12">{line.message}</p>
                  </li>
                ))}
              </ul>
            )}
          </Panel>
        </div>
        {signature && <TryIt endpoint={endpoint.name} columns={signature.columns} target={signature.target} />}
      </div>
    </>
  );
}

function valueOf(column: Column, text: string): unknown {
  if (text === '') return undefined;
  if (column.type === 'bool') return text === 'true';
  return /int|double|decimal|float/.test(column.type) ? Number(text) : text;
}

// Columns that are left empty are missing, as they may be in any request.
function TryIt({ endpoint, columns, target }: { endpoint: string; columns: Column[]; target: string }) {
  const [answer, setAnswer] = useState<Prediction>();
  const [problem, setProblem] = useState<unknown>();
  const [sent, setSent] = useState('');

  async function ask(form: FormData) {
    const row: Record<string, unknown> = {};
    for (const column of columns) {
      const value = valueOf(column, String(form.get(column.name) ?? ''));
      if (value !== undefined) row[column.name] = value;
    }
    const body = { inputs: [row] };
    setSent(`curl -d '${JSON.stringify(body)}' ${new URL(`e/${endpoint}`, document.baseURI).href}`);
    setProblem(undefined);
    try {
      setAnswer(await call('POST /e/{endpoint}', { path: { endpoint }, body }));
    } catch (error) {
      setAnswer(undefined);
      setProblem(error);
    }
  }

  const first = answer?.outputs[0];
  return (
    <Panel title="Try it" meta={`what is ${target}?`}>
      <form
        className="col gap3"
        onSubmit={(event) => {
          event.preventDefault();
          void ask(new FormData(event.currentTarget));
        }}
      >
        <div className="fields">
          {columns.map((column) => (
            <label key={column.name}>
              <span className="ell">{column.name}</span>
              {column.type === 'bool' ? (
                <select className="inp" name={column.name} defaultValue="">
                  <option value="">missing</option>
                  <option value="true">true</option>
                  <option value="false">false</option>
                </select>
              ) : (
                <input className="inp" name={column.name} placeholder={column.type} inputMode={/int|double/.test(column.type) ? 'decimal' : 'text'} />
              )}
            </label>
          ))}
        </div>
        <Button kind="primary" type="submit">
          Ask
        </Button>
      </form>
      {problem !== undefined && <ProblemPanel error={problem} />}
      {first && (
        <div className="ans" aria-live="polite">
          <span className="dim t11">{target}</span>
          <b>{typeof first.prediction === 'number' ? fixed(first.prediction) : String(first.prediction)}</b>
          {Object.entries(first.probability ?? {}).map(([name, share]) => (
            <span key={name} className="row t12">
              <span className="ell">{name}</span>
              <svg width={120} height={8} className="push" aria-hidden="true">
                <rect width={120} height={8} fill="var(--h0)" />
                <rect width={120 * share} height={8} fill="var(--champ)" />
              </svg>
              <span className="num">{percent(share)}</span>
            </span>
          ))}
          <span className="dim t11">answered by {answer.model}</span>
        </div>
      )}
      {sent !== '' && <Command text={sent} />}
    </Panel>
  );
}
