// One version of a dataset: every column with its distribution, and the selected one in full beside it. Version, tab and column are in the address.
import { Link } from '@tanstack/react-router';
import { Suspense } from 'react';
import type { ReactNode } from 'react';

import type { Association, ColumnProfile, DatasetVersion, DatasetWarning } from '../api/generated';
import { useApi } from '../api/queries';
import { datasetRoute } from '../app/router';
import type { DatasetView } from '../app/router';
import { useView } from '../app/view';
import { NONE, bytes, counted, figure, percent, whole } from '../design/format';
import { Mark } from '../design/mark';
import { Ago, Facts, PageHead, Panel, Pill, Waiting } from '../design/parts';
import { Bars } from '../plots/bars';
import { Box } from '../plots/box';
import { Histogram } from '../plots/histogram';

import './data.css';

const TABS = ['profile', 'rows', 'versions'] as const;
function shown(value: unknown): string {
  if (typeof value === 'number') return figure(value);
  return value === null || value === undefined ? NONE : String(value);
}

// Numbers and dates have a histogram; words the counts of their commonest values.
function Distribution({ column, width = 112 }: { column: ColumnProfile; width?: number }) {
  if (column.histogram) return <Bars counts={column.histogram.counts} width={width} label={`distribution of ${column.name}`} tone="var(--c6)" />;
  const top = column.top ?? [];
  if (top.length === 0 || (top[0]?.count ?? 0) <= 1) return <span className="dim">all different</span>;
  return <Bars counts={top.map((one) => one.count)} width={width} label={`commonest values of ${column.name}`} tone="var(--ref)" />;
}

function Span({ column, rows }: { column: ColumnProfile; rows: number }) {
  if (column.min !== undefined && column.min !== null && column.type !== 'bool') {
    const median = column.quantiles?.['0.5'];
    return (
      <>
        <span className="dim">{shown(column.min)} · </span>
        {median === undefined ? '' : shown(median)}
        <span className="dim"> · {shown(column.max)}</span>
      </>
    );
  }
  const first = column.top?.[0];
  return first && first.count > 1 ? (
    <>
      {shown(first.value)} <span className="dim">{percent(first.count / rows, 0)}</span>
    </>
  ) : null;
}

interface ProfileProps {
  version: DatasetVersion;
  selected: string | undefined;
  onSelect: (column: string) => void;
}

function Profile({ version, selected, onSelect }: ProfileProps) {
  const profile = useApi('GET /api/v1/projects/{project}/datasets/{dataset}/versions/{version}/profile', { path: version });
  const column = profile.columns.find((one) => one.name === selected) ?? profile.columns[0];
  const power = new Map((profile.associations ?? []).map((one: Association) => [one.column, one.score]));
  const warnings = new Map<string, DatasetWarning>();
  for (const warning of profile.warnings) if (warning.column && !warnings.has(warning.column)) warnings.set(warning.column, warning);
  return (
    <div className="grid-data">
      <section className="panel">
        <div className="tb-scroll" role="region" aria-label="Columns" tabIndex={0}>
          <table className="tb prof">
            <thead>
              <tr>
                <th>Column</th>
                <th>Type</th>
                <th>Distribution</th>
                <th className="num">Missing</th>
                <th className="num wide">Distinct</th>
                <th className="num wide">Min · median · max</th>
                {power.size > 0 && <th className="wide">Power for {profile.target}</th>}
                <th className="wide">Note</th>
              </tr>
            </thead>
            <tbody>
              {profile.columns.map((one) => {
                const warning = warnings.get(one.name);
                const score = power.get(one.name);
                return (
                  <tr key={one.name} aria-selected={one.name === column?.name} data-link onClick={() => onSelect(one.name)}>
                    <td>
                      <button type="button" className="rowb strong" onClick={() => onSelect(one.name)}>
                        {one.name}
                      </button>{' '}
                      {one.name === profile.target && <Pill tone="run">target</Pill>}
                    </td>
                    <td>
                      <code className="dim">{one.type}</code>
                    </td>
                    <td>
                      <Distribution column={one} />
                    </td>
                    <td className={`num${one.missing_fraction > 0.3 ? ' warn strong' : one.missing === 0 ? ' dim' : ''}`}>{percent(one.missing_fraction)}</td>
                    <td className="num wide">{whole(one.distinct)}</td>
                    <td className="num wide">
                      <div className="ell span">
                        <Span column={one} rows={profile.rows} />
                      </div>
                    </td>
                    {power.size > 0 && (
                      <td className="wide">
                        {score !== undefined && (
                          <span className="st">
                            <svg width={52} height={6} aria-hidden="true">
                              <rect width={52} height={6} fill="var(--h0)" />
                              <rect width={52 * Math.max(0, Math.min(1, score))} height={6} fill="var(--ink-2)" />
                            </svg>
                            <span className="dim">{score.toFixed(2)}</span>
                          </span>
                        )}
                      </td>
                    )}
                    <td className="wide">
                      {warning && (
                        <span className="st">
                          <Mark state={warning.severity === 'high' ? 'bad' : 'warn'} label={warning.severity} />
                          {warning.kind.replace(/_/g, ' ')}
                        </span>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      </section>
      {column && <ColumnPanel column={column} rows={profile.rows} warning={warnings.get(column.name)} />}
    </div>
  );
}

function ColumnPanel({ column, rows, warning }: { column: ColumnProfile; rows: number; warning: DatasetWarning | undefined }) {
  const top = column.top ?? [];
  return (
    <Panel title={column.name} meta={column.type}>
      <div className="col gap3">
        {warning && (
          <div className={`note ${warning.severity === 'high' ? 'bad' : 'warn'}`}>
            <p className="t12">{warning.message}</p>
          </div>
        )}
        {column.histogram && (
          <Box height={170}>
            {(width, height) => <Histogram edges={column.histogram!.edges} counts={column.histogram!.counts} label={`distribution of ${column.name}`} width={width} height={height} />}
          </Box>
        )}
        <Facts
          rows={[
            ['missing', `${whole(column.missing)} (${percent(column.missing_fraction)})`],
            ['distinct', whole(column.distinct)],
            ['mean', column.mean === undefined || column.mean === null ? undefined : shown(column.mean)],
            ['deviation', column.deviation === undefined || column.deviation === null ? undefined : figure(column.deviation)],
            ['zeros', column.zeros ? whole(column.zeros) : undefined],
            ...Object.entries(column.quantiles ?? {}).map(([share, value]): [string, string] => [`${Number(share) * 100} %`, shown(value)]),
          ]}
        />
        {top.length > 0 && (top[0]?.count ?? 0) > 1 && (
          <table className="tb slim">
            <thead>
              <tr>
                <th>Commonest</th>
                <th className="num">Rows</th>
                <th className="num">Share</th>
              </tr>
            </thead>
            <tbody>
              {top.slice(0, 8).map((one) => (
                <tr key={String(one.value)}>
                  <td className="ell">{shown(one.value)}</td>
                  <td className="num">{whole(one.count)}</td>
                  <td className="num dim">{percent(one.count / rows)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </Panel>
  );
}

const ROWS_SHOWN = 200;

function Rows({ version }: { version: DatasetVersion }) {
  const table = useApi('GET /api/v1/projects/{project}/datasets/{dataset}/versions/{version}/rows', { path: version, query: { limit: ROWS_SHOWN } });
  const columns = table.columns ?? [];
  const number = new Set(columns.map((column, i) => (/int|double|decimal|float/.test(column.type) ? i : -1)));
  return (
    <section className="panel fill">
      <div className="tb-scroll" role="region" aria-label="Rows" tabIndex={0}>
        <table className="tb">
          <thead>
            <tr>
              {columns.map((column, i) => (
                <th key={column.name} className={number.has(i) ? 'num' : ''}>
                  {column.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(table.rows ?? []).map((row, r) => (
              <tr key={r}>
                {(row as unknown[]).map((cell, i) => (
                  <td key={i} className={number.has(i) ? 'num' : ''}>
                    {cell === null ? <span className="dim">{NONE}</span> : String(cell)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="dim t11 foot">{version.rows > ROWS_SHOWN ? `the first ${ROWS_SHOWN} of ${whole(version.rows)} rows` : counted(version.rows, 'row')}</p>
    </section>
  );
}

function Versions({ project, dataset }: { project: string; dataset: string }) {
  const versions = useApi('GET /api/v1/projects/{project}/datasets/{dataset}/versions', { path: { project, dataset }, query: { limit: 200 } }).items;
  return (
    <section className="panel">
      <table className="tb">
        <thead>
          <tr>
            <th>Version</th>
            <th className="num">Rows</th>
            <th className="num">Columns</th>
            <th className="wide">From</th>
            <th className="wide">By</th>
            <th className="num">Made</th>
          </tr>
        </thead>
        <tbody>
          {versions.map((one) => (
            <tr key={one.id}>
              <td>
                <Link to="/p/$project/datasets/$dataset" params={{ project, dataset }} search={{ version: one.version }} className="strong">
                  {one.version}
                </Link>
              </td>
              <td className="num">{whole(one.rows)}</td>
              <td className="num">{one.columns}</td>
              <td className="wide dim">{one.source_name}</td>
              <td className="wide dim">{one.created_by}</td>
              <td className="num dim">
                <Ago time={one.created_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function DatasetPage(): ReactNode {
  const { project, dataset } = datasetRoute.useParams();
  const [{ version: asked, tab = 'profile', column }, change] = useView<DatasetView>(datasetRoute);
  const about = useApi('GET /api/v1/projects/{project}/datasets/{dataset}', { path: { project, dataset } });
  const version = useApi('GET /api/v1/projects/{project}/datasets/{dataset}/versions/{version}', { path: { project, dataset, version: asked ?? 'latest' } });
  const high = version.warnings.filter((warning) => warning.severity === 'high').length;
  return (
    <>
      <PageHead
        title={version.reference}
        pills={
          <>
            {high > 0 && (
              <Pill tone="bad" mark="bad">
                {counted(high, 'leak')}
              </Pill>
            )}
            {version.warnings.length > high && (
              <Pill tone="warn" mark="warn">
                {counted(version.warnings.length - high, 'warning')}
              </Pill>
            )}
          </>
        }
        say={
          <>
            {whole(version.rows)} rows × {version.columns} columns, {bytes(version.bytes)} Parquet. From {version.source_name}, <Ago time={version.created_at} /> by {version.created_by}.
          </>
        }
      />
      <div className="tabs" role="tablist" aria-label="Dataset">
        {TABS.map((one) => (
          <button key={one} type="button" role="tab" aria-selected={one === tab} onClick={() => change({ tab: one })}>
            {one.charAt(0).toUpperCase() + one.slice(1)}
            <span className="n">{one === 'rows' ? whole(version.rows) : one === 'versions' ? about.versions : version.columns}</span>
          </button>
        ))}
      </div>
      <Suspense fallback={<Waiting />}>
        {tab === 'profile' && <Profile version={version} selected={column} onSelect={(name) => change({ column: name })} />}
        {tab === 'rows' && <Rows version={version} />}
        {tab === 'versions' && <Versions project={project} dataset={dataset} />}
      </Suspense>
    </>
  );
}
