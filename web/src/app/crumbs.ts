import { useLocation } from '@tanstack/react-router';
import { useEffect } from 'react';

import { LOOP, SERVER_PLACES, STAGES } from './navigation';

export interface Crumb {
  text: string;
  href: string;
}

const NAMES = new Map<string, string>();
for (const place of [LOOP, ...STAGES]) {
  if (place.to !== undefined) NAMES.set(place.to.replace('/p/$project', ''), place.text);
}
for (const place of SERVER_PLACES) NAMES.set(place.to, place.text);

// From the address: /p/churn/runs/7f3a is churn > Runs > 7f3a. The last one is also the window's title.
export function useCrumbs(project: string | undefined): Crumb[] {
  const { pathname } = useLocation();
  const crumbs: Crumb[] = [];
  if (project === undefined) {
    crumbs.push({ text: NAMES.get(pathname) ?? pathname.slice(1), href: pathname });
  } else {
    const base = `/p/${encodeURIComponent(project)}`;
    crumbs.push({ text: project, href: base });
    const parts = pathname.split('/').slice(3).filter(Boolean);
    if (parts.length === 0) crumbs.push({ text: LOOP.text, href: base });
    parts.forEach((part, i) => {
      const href = [base, ...parts.slice(0, i + 1)].join('/');
      const text = (i === 0 ? NAMES.get(`/${part}`) : undefined) ?? decodeURIComponent(part);
      crumbs.push({ text: /^[0-9a-f]{32}$/.test(text) ? text.slice(0, 8) : text, href });
    });
  }
  const title = crumbs.map((crumb) => crumb.text).reverse().join(' \u00b7 ');
  useEffect(() => {
    document.title = `${title} \u00b7 gyre`;
  }, [title]);
  return crumbs;
}
