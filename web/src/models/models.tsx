// The registered models of a project.
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { useApi } from '../api/queries';
import { modelsRoute } from '../app/router';
import { counted } from '../design/format';
import { Ago, Alias, Empty, PageHead } from '../design/parts';

export function Models(): ReactNode {
  const { project } = modelsRoute.useParams();
  const models = useApi('GET /api/v1/projects/{project}/models', { path: { project }, query: { limit: 1000 } }).items;
  return (
    <>
      <PageHead title="Models" say={models.length === 0 ? 'No model yet.' : `${counted(models.length, 'model')}; an alias moves only with a verdict of the gate, or with a reason.`} />
      <section className="panel">
        {models.length === 0 ? (
          <Empty title="Nothing is registered" command={`gyre train DATASET --target COLUMN --project ${project}`}>
            The best candidate of a training becomes a version; the gate decides whether it is the champion.
          </Empty>
        ) : (
          <div className="tb-scroll" role="region" aria-label="Models" tabIndex={0}>
            <table className="tb">
              <thead>
                <tr>
                  <th>Model</th>
                  <th className="num">Versions</th>
                  <th>Aliases</th>
                  <th className="wide">About</th>
                  <th className="num">Changed</th>
                </tr>
              </thead>
              <tbody>
                {models.map((model) => (
                  <tr key={model.id}>
                    <td>
                      <Link to="/p/$project/models/$model" params={{ project, model: model.name }} className="strong">
                        {model.name}
                      </Link>
                    </td>
                    <td className="num">{model.versions}</td>
                    <td>
                      <span className="row gap1">
                        {Object.entries(model.aliases).map(([alias, version]) => (
                          <span key={alias} className="st">
                            <Alias name={alias} /> {version}
                          </span>
                        ))}
                      </span>
                    </td>
                    <td className="wide dim ell">{model.description}</td>
                    <td className="num dim">
                      <Ago time={model.updated_at} />
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
