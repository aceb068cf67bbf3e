// What answers: each endpoint with the versions behind it and their shares of the traffic.
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import type { EndpointVariant } from '../api/generated';
import { useApi } from '../api/queries';
import { endpointsRoute } from '../app/router';
import { counted, percent } from '../design/format';
import { StateWord } from '../design/mark';
import { Ago, Empty, PageHead } from '../design/parts';

import './endpoints.css';

// The bar is the traffic: the champion's side blue, another's orange.
export function Traffic({ variants }: { variants: EndpointVariant[] }) {
  const answering = variants.filter((variant) => !variant.shadow);
  return (
    <span className="traffic" role="img" aria-label={answering.map((variant) => `${variant.model} ${percent(variant.share, 0)}`).join(', ')}>
      {answering.map((variant, i) => (
        <span key={variant.name} className={i === 0 ? '' : 'b'} style={{ flexGrow: variant.share }}>
          {variant.share >= 0.15 && `${variant.model} ${percent(variant.share, 0)}`}
        </span>
      ))}
    </span>
  );
}

export function Endpoints(): ReactNode {
  const { project } = endpointsRoute.useParams();
  const endpoints = useApi('GET /api/v1/projects/{project}/endpoints', { path: { project } }).items;
  return (
    <>
      <PageHead title="Endpoints" say={endpoints.length === 0 ? 'Nothing answers yet.' : `${counted(endpoints.length, 'endpoint')}, ${endpoints.filter((one) => one.ready).length} ready.`} />
      <section className="panel">
        {endpoints.length === 0 ? (
          <Empty title="No endpoint answers yet" command={`gyre deploy MODEL@champion --project ${project}`}>
            A deployed model answers within a second.
          </Empty>
        ) : (
          <div className="tb-scroll" role="region" aria-label="Endpoints" tabIndex={0}>
            <table className="tb">
              <thead>
                <tr>
                  <th>Endpoint</th>
                  <th>State</th>
                  <th>Traffic</th>
                  <th className="wide">Follows</th>
                  <th className="num">Changed</th>
                </tr>
              </thead>
              <tbody>
                {endpoints.map((one) => (
                  <tr key={one.id}>
                    <td>
                      <Link to="/p/$project/endpoints/$endpoint" params={{ project, endpoint: one.name }} className="strong">
                        {one.name}
                      </Link>
                    </td>
                    <td>
                      <StateWord word={one.parked ? 'parked' : one.ready ? 'ready' : 'loading'} />
                    </td>
                    <td>
                      <Traffic variants={one.variants} />
                    </td>
                    <td className="wide mono dim">{one.follows}</td>
                    <td className="num dim">
                      <Ago time={one.updated} />
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
