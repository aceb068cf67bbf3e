// The datasets of a project, each with its newest version.
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { useApi } from '../api/queries';
import { datasetsRoute } from '../app/router';
import { bytes, counted, whole } from '../design/format';
import { Mark } from '../design/mark';
import { Ago, Empty, PageHead } from '../design/parts';

import { AddFile } from './add_file';

export function Datasets(): ReactNode {
  const { project } = datasetsRoute.useParams();
  const datasets = useApi('GET /api/v1/projects/{project}/datasets', { path: { project }, query: { limit: 1000 } }).items;
  return (
    <>
      <PageHead title="Data" say={datasets.length === 0 ? 'No dataset yet.' : `${counted(datasets.length, 'dataset')}; a version never changes, a new file is a new version.`} />
      <AddFile project={project} />
      <section className="panel">
        {datasets.length === 0 ? (
          <Empty title="Nothing to learn from yet" command={`gyre add FILE --project ${project}`}>
            A file becomes a dataset: gyre finds the types from all rows, profiles it, and says what looks wrong.
          </Empty>
        ) : (
          <div className="tb-scroll" role="region" aria-label="Datasets" tabIndex={0}>
            <table className="tb">
              <thead>
                <tr>
                  <th>Dataset</th>
                  <th className="num">Rows</th>
                  <th className="num">Columns</th>
                  <th className="num wide">Size</th>
                  <th className="wide">From</th>
                  <th>Warnings</th>
                  <th className="num">Changed</th>
                </tr>
              </thead>
              <tbody>
                {datasets.map(({ id, name, versions, latest, created_at }) => (
                  <tr key={id}>
                    <td>
                      <Link to="/p/$project/datasets/$dataset" params={{ project, dataset: name }} className="strong">
                        {name}
                      </Link>{' '}
                      <span className="dim">{latest ? latest.version : 'no version'}</span>
                      {versions > 1 && <span className="dim"> of {versions}</span>}
                    </td>
                    <td className="num">{latest ? whole(latest.rows) : ''}</td>
                    <td className="num">{latest ? whole(latest.columns) : ''}</td>
                    <td className="num wide">{latest ? bytes(latest.bytes) : ''}</td>
                    <td className="wide dim">{latest?.source_name}</td>
                    <td>
                      {latest && latest.warnings.length > 0 ? (
                        <span className="st">
                          <Mark state={latest.warnings.some((warning) => warning.severity === 'high') ? 'warn' : 'idle'} />
                          {counted(latest.warnings.length, 'warning')}
                        </span>
                      ) : (
                        <span className="dim">none</span>
                      )}
                    </td>
                    <td className="num dim">
                      <Ago time={latest?.created_at ?? created_at} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </>
  );
}
