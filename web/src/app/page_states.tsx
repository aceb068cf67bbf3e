// What stands where a page would: it is on its way, it broke, or there is none.
import { useQueryErrorResetBoundary } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import type { ErrorComponentProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';

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
