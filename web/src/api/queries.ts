// How pages ask: useApi('GET /api/v1/projects/{project}/runs', { path: { project } }). Old values stay while new ones load; the event stream says
// what has to be asked again (stream.ts), so nothing polls.
import { QueryClient, queryOptions, useMutation, useQuery, useSuspenseInfiniteQuery, useSuspenseQuery } from '@tanstack/react-query';

import { Problem, call } from './client';
import type { Answer, Input, RouteName } from './client';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      // What was refused stays refused; only a server that is away is asked again.
      retry: (count, error) => count < 3 && error instanceof Problem && (error.status === 0 || error.status === 503),
      retryDelay: (count) => Math.min(4000, 500 * 2 ** count),
      throwOnError: true,
    },
  },
});

export function apiQuery<R extends RouteName>(route: R, input: Input<R>) {
  return queryOptions({
    queryKey: [route, input] as const,
    queryFn: ({ signal }): Promise<Answer<R>> => call(route, input, signal),
  });
}

// Holds the page (its boundary shows the waiting state) until the first answer.
export function useApi<R extends RouteName>(route: R, input: Input<R>): Answer<R> {
  return useSuspenseQuery(apiQuery(route, input)).data;
}

// For what a page can show itself without; `undefined` until it is there, and where it is refused.
export function useLateApi<R extends RouteName>(route: R, input: Input<R>, enabled = true): Answer<R> | undefined {
  return useQuery({ queryKey: [route, input], queryFn: ({ signal }): Promise<Answer<R>> => call(route, input, signal), enabled, throwOnError: false }).data;
}

// A change; what is on the screen is asked again when it is done.
export function useChange<R extends RouteName>(route: R, done?: (answer: Answer<R>) => void) {
  return useMutation({
    mutationFn: (input: Input<R>): Promise<Answer<R>> => call(route, input),
    onSuccess: async (answer: Answer<R>) => {
      await queryClient.invalidateQueries();
      done?.(answer);
    },
  });
}

type Paged = { items: unknown[]; next_page_token?: string | null | undefined };
type ListName = { [R in RouteName]: Answer<R> extends Paged ? R : never }[RouteName];

// A list that is read on as it is scrolled: all rows so far, and how to get more.
export function usePages<R extends ListName>(route: R, input: Input<R>) {
  const query = useSuspenseInfiniteQuery({
    queryKey: [route, input],
    queryFn: ({ signal, pageParam }): Promise<Answer<R>> => {
      const asked = input as { query?: Record<string, unknown> };
      return call(route, { ...asked, query: { ...asked.query, ...(pageParam === '' ? {} : { page_token: pageParam }) } } as Input<R>, signal);
    },
    initialPageParam: '',
    getNextPageParam: (page) => (page as Paged).next_page_token ?? undefined,
  });
  const items = query.data.pages.flatMap((page) => (page as Paged).items) as Answer<R> extends { items: (infer Item)[] } ? Item[] : never;
  return { items, more: query.hasNextPage, fetching: query.isFetchingNextPage, next: () => void query.fetchNextPage() };
}
