// One event stream per tab. Each event says what has changed; what is on the screen and may have is asked again. A lost stream is opened again from
// the event that was seen last, and the page says how old its values are.
import { useSyncExternalStore } from 'react';

import { send } from './client';
import { queryClient } from './queries';
import { readEvents } from './sse';

export type StreamState = { live: boolean; since: number };
interface StreamEvent {
  sequence: number;
  kind: string;
  project: string;
}

let state: StreamState = { live: false, since: Date.now() };
const listeners = new Set<() => void>();
let last: number | undefined;

function become(live: boolean) {
  if (state.live === live) return;
  state = { live, since: Date.now() };
  for (const listener of listeners) listener();
}

// "run.finished" -> addresses that speak of runs. Events of nouns that have no page yet change lists of jobs and events only.
const NOUNS: Record<string, string[]> = {
  dataset: ['/datasets'],
  run: ['/runs'],
  model: ['/models'],
  endpoint: ['/endpoints', '/models'],
  alert: ['/alerts', '/monitors', '/kpis', '/windows'],
  monitor: ['/alerts', '/monitors', '/kpis'],
  kpi: ['/kpis'],
  trigger: ['/firings', '/triggers'],
  pipeline: ['/pipeline_runs', '/pipelines'],
  project: ['/projects'],
  job: ['/jobs', '/runs', '/models', '/datasets'],
};

function concerns(route: string, event: StreamEvent): boolean {
  if (route.includes('/events') || route.includes('/jobs')) return true;
  const noun = event.kind.split('.')[0] ?? '';
  return (NOUNS[noun] ?? ['/']).some((part) => route.includes(part));
}

const waiting = new Set<string>();
function askAgain(event: StreamEvent) {
  last = event.sequence;
  // Ten events in a row are one look.
  if (waiting.size === 0) {
    setTimeout(() => {
      const kinds = [...waiting];
      waiting.clear();
      void queryClient.invalidateQueries({
        predicate: ({ queryKey }) => {
          const [route, input] = queryKey as [string, { path?: { project?: string } } | undefined];
          const project = input?.path?.project;
          return kinds.some((text) => {
            const one = JSON.parse(text) as StreamEvent;
            return (project === undefined || one.project === project) && concerns(route, { ...one, sequence: 0 });
          });
        },
      });
    }, 150);
  }
  waiting.add(JSON.stringify({ kind: event.kind, project: event.project }));
}

async function read(signal: AbortSignal) {
  const response = await send('GET /api/v1/events/stream', { query: { after: last } }, signal);
  become(true);
  for await (const event of readEvents(response)) askAgain(event as StreamEvent);
}

// From now on, until the returned function is called.
export function follow(): () => void {
  const controller = new AbortController();
  void (async () => {
    const newest = await queryClient.fetchQuery({
      queryKey: ['GET /api/v1/events', { query: { limit: 1 } }],
      queryFn: async ({ signal }) => (await send('GET /api/v1/events', { query: { limit: 1 } }, signal)).json() as Promise<{ items: StreamEvent[] }>,
    }).catch(() => undefined);
    last ??= newest?.items[0]?.sequence ?? 0;
    for (let pause = 500; !controller.signal.aborted; pause = Math.min(8000, pause * 2)) {
      try {
        await read(controller.signal);
        pause = 500;
      } catch {
        // it is opened again below
      }
      become(false);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  })();
  return () => controller.abort();
}

export function useStream(): StreamState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}
