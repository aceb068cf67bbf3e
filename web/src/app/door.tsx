import { useEffect } from 'react';
import type { ReactNode } from 'react';

import { Brand } from '../design/mark';

// The frame of the two pages that nobody needs a login for.
export function Door({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} \u00b7 gyre`;
  }, [title]);
  return (
    <div className="door">
      <main className="col gap3">
        <p className="brandline">
          <Brand size={24} />
          gyre
        </p>
        <section className="panel">
          <div className="body col gap3">
            <h1 className="t15 strong">{title}</h1>
            {children}
          </div>
        </section>
      </main>
    </div>
  );
}
