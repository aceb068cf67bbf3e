// One typed door to the server: call('GET /api/v1/projects/{project}', { path: { project: 'churn' } }).
import type { Problem as ProblemDocument, Routes } from './generated';

export type RouteName = Extract<keyof Routes, string>;
export type Answer<R extends RouteName> = Routes[R]['answer'];

export type Input<R extends RouteName> = Routes[R]['input'];

interface AnyInput {
  path?: Record<string, unknown> | undefined;
  query?: Record<string, unknown> | undefined;
  body?: unknown;
}

// What the server said no with; its words are shown as they are.
export class Problem extends Error {
  override name = 'Problem';
  readonly code: string;
  readonly status: number;
  readonly why: string | undefined;
  readonly fix: string[];
  readonly where: string | undefined;
  readonly requestId: string;

  constructor(document: Partial<ProblemDocument> & { status: number }) {
    super(document.message ?? document.title ?? 'The server answered with an error');
    this.code = document.code ?? '';
    this.status = document.status;
    this.why = document.why;
    this.fix = document.fix ?? [];
    this.where = document.where;
    this.requestId = document.request_id ?? '';
  }
}

// No answer at all: the server is away, or the way to it is.
export class Unreachable extends Problem {
  override name = 'Unreachable';
  constructor(cause: unknown) {
    super({ status: 0, message: 'The server does not answer', why: cause instanceof Error ? cause.message : String(cause), fix: ['gyre server'] });
  }
}

const BASE = new URL('.', document.baseURI);

export function urlOf(route: RouteName, input: AnyInput = {}): URL {
  const address = route.slice(route.indexOf(' ') + 1).replace(/\{(\w+)(\*?)\}/g, (_, name: string, rest: string) => {
    const value = String(input.path?.[name] ?? '');
    return rest ? value.split('/').map(encodeURIComponent).join('/') : encodeURIComponent(value);
  });
  const url = new URL(address.slice(1), BASE);
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value === undefined || value === null || value === '') continue;
    for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(one));
  }
  return url;
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    return new Problem({ ...((await response.json()) as ProblemDocument), status: response.status });
  } catch {
    return new Problem({ status: response.status, message: `The server answered ${response.status} ${response.statusText}` });
  }
}

export async function send(route: RouteName, input: AnyInput = {}, signal?: AbortSignal): Promise<Response> {
  const method = route.slice(0, route.indexOf(' '));
  const headers: Record<string, string> = { Accept: 'application/json' };
  const init: RequestInit = { method, headers, credentials: 'same-origin', ...(signal ? { signal } : {}) };
  // With a session in a cookie, this header is what tells our page from another site's.
  if (method !== 'GET') headers['X-Gyre-Browser'] = '1';
  if (input.body instanceof Blob) {
    init.body = input.body;
  } else if (input.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(input.body);
  }
  let response: Response;
  try {
    response = await fetch(urlOf(route, input), init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable(error);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

export async function call<R extends RouteName>(route: R, input: Input<R>, signal?: AbortSignal): Promise<Answer<R>> {
  const response = await send(route, input as AnyInput, signal);
  const text = await response.text();
  const answer: unknown = text === '' ? undefined : JSON.parse(text);
  return answer as Answer<R>;
}
