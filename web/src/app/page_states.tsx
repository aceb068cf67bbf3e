// What stands where a page would: it is on its way, it broke, or there is none.
import { useQueryErrorResetBoundary } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { ErrorComponentProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { Problem } from '../api/client';
import { queryClient } from '../api/queries';
import { Waiting } from '../design/parts';
import { ProblemPanel } from '../design/problem';

export function PageWaiting(): ReactNode {
  return (
    <section className="panel" aria-busy="true">
      <Waiting />
    </section>
  );
}

export function PageProblem({ error, reset }: ErrorComponentProps): ReactNode {
  const queries = useQueryErrorResetBoundary();
  const router = useRouter();
  // A session that ended while the page was open.
  const out = error instanceof Problem && error.status === 401;
  useEffect(() => {
    if (!out) return;
    queryClient.clear();
    void router.navigate({ to: '/login', search: { to: router.state.location.href }, replace: true });
  }, [out, router]);
  if (out) return <PageWaiting />;
  return (
    <ProblemPanel
      error={error}
      again={() => {
        queries.reset();
        reset();
        void router.invalidate();
      }}
    />
  );
}

export function NothingHere(): ReactNode {
  return (
    <div className="door">
      <main>
        <section className="panel">
          <div className="body col">
            <h1 className="t15">There is no page at this address</h1>
            <p className="sub">It may be of another version of gyre.</p>
            <p>
              <Link to="/">All projects</Link>
            </p>
          </div>
        </section>
      </main>
    </div>
  );
}
