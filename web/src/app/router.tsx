// Every address of the UI. A page asks its route for what stands in the address: `runRoute.useParams()`, `useView<RunView>(runRoute)`. A page is a lazy chunk; its address says all that it shows (filter, selection, tab), so that a link is the view.
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

const oneOf = <T extends string>(values: readonly T[], value: unknown): T | undefined => values.find((one) => one === value);
// Without what is not said: an address names only what differs from the default.
type Stated<T> = { [K in keyof T]?: T[K] };
const stated = <T extends object>(search: { [K in keyof T]: T[K] | undefined }): Stated<T> => Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as Stated<T>;

const RUN_STATES = ['scheduled', 'running', 'finished', 'failed', 'killed'] as const;
type RunStatus = (typeof RUN_STATES)[number];

export const loginRoute = createRoute({
  getParentRoute: () => root,
  path: '/login',
  component: Login,
  validateSearch: (search): { to?: string } => {
    const to = text(search.to);
    return to?.startsWith('/') && !to.startsWith('//') ? { to } : {};
  },
});

export const setupRoute = createRoute({
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

const homeRoute = createRoute({ getParentRoute: () => inside, path: '/', component: lazyRouteComponent(() => import('../projects/home'), 'Home') });
const activityRoute = createRoute({ getParentRoute: () => inside, path: '/activity', component: lazyRouteComponent(() => import('../projects/activity'), 'Activity') });

const project = createRoute({ getParentRoute: () => inside, path: '/p/$project', component: Outlet });

export const loopRoute = createRoute({ getParentRoute: () => project, path: '/', component: lazyRouteComponent(() => import('../projects/loop'), 'Loop') });

export const datasetsRoute = createRoute({ getParentRoute: () => project, path: '/datasets', component: lazyRouteComponent(() => import('../data/datasets'), 'Datasets') });

export type DatasetView = Stated<{ version: string; tab: 'profile' | 'rows' | 'versions'; column: string }>;
export const datasetRoute = createRoute({
  getParentRoute: () => project,
  path: '/datasets/$dataset',
  component: lazyRouteComponent(() => import('../data/dataset'), 'DatasetPage'),
  validateSearch: (search): DatasetView =>
    stated({ version: word(search.version), tab: oneOf(['profile', 'rows', 'versions'], search.tab), column: word(search.column) }),
});

export type RunsView = Stated<{ kind: string; status: RunStatus; order: string; ascending: boolean; columns: string }>;
export const runsRoute = createRoute({
  getParentRoute: () => project,
  path: '/runs',
  component: lazyRouteComponent(() => import('../runs/runs'), 'Runs'),
  validateSearch: (search): RunsView =>
    stated({ kind: word(search.kind), status: oneOf(RUN_STATES, search.status), order: word(search.order), ascending: search.ascending === true ? true : undefined, columns: word(search.columns) }),
});

export type RunView = Stated<{ tab: 'overview' | 'metrics' | 'artifacts' | 'log' }>;
export const runRoute = createRoute({
  getParentRoute: () => project,
  path: '/runs/$run',
  component: lazyRouteComponent(() => import('../runs/run'), 'RunPage'),
  validateSearch: (search): RunView => stated({ tab: oneOf(['overview', 'metrics', 'artifacts', 'log'], search.tab) }),
});

export const goalRoute = createRoute({ getParentRoute: () => project, path: '/goal', component: lazyRouteComponent(() => import('../projects/goal'), 'Goal') });

export const modelsRoute = createRoute({ getParentRoute: () => project, path: '/models', component: lazyRouteComponent(() => import('../models/models'), 'Models') });

export type ModelView = Stated<{ version: string }>;
export const modelRoute = createRoute({
  getParentRoute: () => project,
  path: '/models/$model',
  component: lazyRouteComponent(() => import('../models/model'), 'ModelPage'),
  validateSearch: (search): ModelView => stated({ version: word(search.version) }),
});

export const endpointsRoute = createRoute({ getParentRoute: () => project, path: '/endpoints', component: lazyRouteComponent(() => import('../endpoints/endpoints'), 'Endpoints') });

export const endpointRoute = createRoute({ getParentRoute: () => project, path: '/endpoints/$endpoint', component: lazyRouteComponent(() => import('../endpoints/endpoint'), 'EndpointPage') });

export const monitoringRoute = createRoute({ getParentRoute: () => project, path: '/monitoring', component: lazyRouteComponent(() => import('../monitoring/monitoring'), 'Monitoring') });

const routeTree = root.addChildren([
  loginRoute,
  setupRoute,
  inside.addChildren([homeRoute, activityRoute, project.addChildren([loopRoute, goalRoute, datasetsRoute, datasetRoute, runsRoute, runRoute, modelsRoute, modelRoute, endpointsRoute, endpointRoute, monitoringRoute])]),
]);

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
