// Every address of the UI. A page is a lazy chunk; its address says all that it shows (filter, selection, tab), so that a link is the view.
import { Outlet, createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';

import { Problem } from '../api/client';
import { apiQuery, queryClient } from '../api/queries';

import { Login } from './login';
import { NothingHere, PageProblem, PageWaiting } from './page_states';
import { Setup } from './setup';
import { Shell } from './shell';

const root = createRootRoute({ component: Outlet, notFoundComponent: NothingHere });

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
// Addresses are read as JSON where that is one: 7 is a number, and a run may be called 7.
const word = (value: unknown): string | undefined => (typeof value === 'number' ? String(value) : text(value));

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  component: Login,
  validateSearch: (search): { to?: string } => {
    const to = text(search.to);
    return to?.startsWith('/') && !to.startsWith('//') ? { to } : {};
  },
});

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: Setup,
  validateSearch: (search): { token?: string } => (text(search.token) ? { token: text(search.token)! } : {}),
});

// Whoever is not let in is sent to the login, and from there to where he wanted to go.
const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: Shell,
  beforeLoad: async ({ location }) => {
    try {
      await queryClient.ensureQueryData(apiQuery('GET /api/v1/me', {}));
    } catch (error) {
      if (error instanceof Problem && error.status === 401) throw redirect({ to: '/login', search: { to: location.href } });
      throw error;
    }
  },
});

const home = createRoute({ getParentRoute: () => inside, path: '/', component: lazyRouteComponent(() => import('../projects/home'), 'Home') });
const activity = createRoute({ getParentRoute: () => inside, path: '/activity', component: lazyRouteComponent(() => import('../projects/activity'), 'Activity') });

const project = createRoute({ getParentRoute: () => inside, path: '/p/$project', component: Outlet });

export const routeTree = root.addChildren([
  login,
  setup,
  inside.addChildren([
    home,
    activity,
    project.addChildren([
      createRoute({ getParentRoute: () => project, path: '/', component: lazyRouteComponent(() => import('../projects/project_home'), 'ProjectHome') }),
    ]),
  ]),
]);

export { text, word };

export const router = createRouter({
  routeTree,
  basepath: new URL(document.baseURI).pathname.replace(/\/$/, '') || '/',
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  defaultPendingMs: 0,
  defaultPendingMinMs: 0,
  defaultPendingComponent: PageWaiting,
  defaultErrorComponent: PageProblem,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
