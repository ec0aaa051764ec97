// The client of a Sluice server: admin API, triggers, and live streams of runs. Needs only global fetch.

import { appCalls, blockedClientCalls, definitionCalls, rejectionCalls, runCalls, sinkCalls, workflowCalls } from './admin-calls.ts';
import { foreignAnswer, RefusedError, UnreachableError, unreachable } from './client-error.ts';
import { deliveryCalls } from './delivery-calls.ts';
import { jobCalls } from './job-calls.ts';
import { type FollowRequestsOptions, followRequests, readRequestBody } from './request-stream.ts';
import { readRunStream } from './run-stream.ts';
import { sampleCalls } from './sample-calls.ts';
import { at, type ClientOptions, ServerCalls } from './server-calls.ts';
import { statsCalls } from './stats-calls.ts';
import type { RunEvent } from './wire/wire-types.ts';

export interface TriggerOptions {
  /** POST by default. */
  method?: string;
  headers?: NonNullable<RequestInit['headers']>;
  body?: NonNullable<RequestInit['body']>;
  /** Stops reading; the run continues. */
  signal?: AbortSignal | undefined;
}

export interface FollowOptions {
  /** Seq of the caller's last event; 0 for none. */
  after?: number;
  signal?: AbortSignal | undefined;
  reconnectDelaysMs?: readonly number[];
}

/** A run and its events. The last event is `complete` or `error`. */
export interface FollowedRun {
  runId: string;
  events: AsyncGenerator<RunEvent>;
}

/** An accepted request. */
export interface Submitted {
  status: number;
  /** Null when the server is not a Sluice server. */
  runId: string | null;
}

export interface Health {
  status: string;
  checks?: Record<string, boolean>;
}

export type Client = ReturnType<typeof createClient>;

/** Throws when the address or the token is malformed. */
export function createClient(options: ClientOptions) {
  const server = new ServerCalls(options);
  return {
    apps: appCalls(server),
    workflows: workflowCalls(server),
    sinks: {
      ...sinkCalls(server),
      /** Needs the admin token. Ends only with an error, or with the reason of the signal. */
      followRequests: (appId: string, sinkId: string, options?: FollowRequestsOptions) => followRequests(server, appId, sinkId, options),
    },
    definitions: definitionCalls(server),
    runs: {
      ...runCalls(server),
      /** The body of the request as it came. Waits for a server that is away. */
      body: (runId: string, signal?: AbortSignal) => readRequestBody(server, runId, signal),
      /** Needs the sink's token or the admin token; none for a run of a public sink. */
      follow: (runId: string, followOptions?: FollowOptions) => follow(server, runId, followOptions),
    },
    jobs: jobCalls(server),
    samples: sampleCalls(server),
    deliveries: deliveryCalls(server),
    rejections: rejectionCalls(server),
    blockedClients: blockedClientCalls(server),
    stats: statsCalls(server),
    /** `path` is the sink's, from the server's root, as `/sink/trigger/http/demo/webhook`. The client's token must be the sink's. */
    trigger: (path: string, request?: TriggerOptions) => trigger(server, path, request),
    /** As `trigger`, without waiting for the run. Any 2xx status counts as accepted. */
    submit: (path: string, request?: TriggerOptions) => submit(server, path, request),
    /** Resolves when the process is alive. */
    healthz: () => server.call<Health>('GET', '/healthz'),
    /** Resolves with `not_ready` when the server cannot accept runs. */
    readyz: () =>
      server.call<Health>('GET', '/readyz').catch((error: unknown) => {
        if (error instanceof RefusedError && error.details['status'] === 'not_ready') return error.details as unknown as Health;
        throw error;
      }),
  };
}

/** `first` is a connection to the stream that is already open. */
function follow(
  server: ServerCalls,
  runId: string,
  { after = 0, signal, reconnectDelaysMs }: FollowOptions = {},
  first?: Response,
): AsyncGenerator<RunEvent> {
  const url = `${server.baseUrl}${at`/runs/${runId}/events`}`;
  return readRunStream({
    json: server.json,
    after,
    ...(first === undefined ? {} : { first }),
    open: (seen) => server.openStream(url, { headers: { 'last-event-id': String(seen) }, signal: signal ?? null }),
    signal,
    reconnectDelaysMs,
  });
}

async function trigger(
  server: ServerCalls,
  path: string,
  { signal, method = 'POST', ...request }: TriggerOptions = {},
): Promise<FollowedRun> {
  const response = await server.openStream(`${server.baseUrl}${path}`, { ...request, method, signal: signal ?? null });
  const runId = response.headers.get('x-run-id');
  if (runId === null) {
    await response.body?.cancel();
    throw new UnreachableError(foreignAnswer(response));
  }
  return { runId, events: follow(server, runId, { signal }, response) };
}

async function submit(
  server: ServerCalls,
  path: string,
  { signal, method = 'POST', headers, ...request }: TriggerOptions = {},
): Promise<Submitted> {
  const own = { prefer: 'respond-async', ...Object.fromEntries(new Headers(headers)) };
  const response = await server.send(`${server.baseUrl}${path}`, { ...request, method, headers: own, signal: signal ?? null });
  // Reading to the end lets the connection be reused.
  await response.arrayBuffer().catch((error: unknown) => {
    throw unreachable(server.baseUrl, error);
  });
  return { status: response.status, runId: response.headers.get('x-run-id') };
}
