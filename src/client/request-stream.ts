// Follows the requests of a sink live, over as many connections as it takes: none is lost between two of them, and none
// comes twice. Reads their bodies the same way.

import { UnreachableError, unreachable } from './client-error.ts';
import { isRetryable, pause, readEventStream } from './event-connection.ts';
import { at, type ServerCalls } from './server-calls.ts';
import type { ReceivedRequest } from './wire/wire-types.ts';

export interface FollowRequestsOptions {
  /** Aborts the stream, which throws the signal's reason. */
  signal?: AbortSignal;
  /** Called when the first connection is open: requests from then on are followed. */
  onReady?: () => void;
  /** Called when a connection breaks, before the pause. */
  onLost?: (fault: unknown) => void;
  /** The last delay repeats. */
  reconnectDelaysMs?: readonly [number, ...number[]];
}

const RECONNECT_DELAYS_MS = [100, 250, 500, 1000, 2000, 5000] as const;
const MAX_SEEN = 10_000;

/** Throws the error of the first connection, and a later error that no other connection would mend. */
export async function* followRequests(
  server: ServerCalls,
  appId: string,
  sinkId: string,
  { signal, onReady, onLost, reconnectDelaysMs = RECONNECT_DELAYS_MS }: FollowRequestsOptions = {},
): AsyncGenerator<ReceivedRequest> {
  const url = `${server.baseUrl}${at`/api/v1/apps/${appId}/sinks/${sinkId}/requests/events`}`;
  const position = new Position();
  let failures = 0;
  for (;;) {
    let fault: unknown = new UnreachableError('the server ended the stream');
    try {
      const after = position.resume();
      const headers = after === null ? {} : { 'last-event-id': after };
      const response = await server.openStream(url, { headers, signal: signal ?? null });
      for await (const { id, data } of readEventStream(response)) {
        failures = 0;
        const event = server.json.parse(data) as { type: 'ready' } | ReceivedRequest;
        if (event.type === 'ready') {
          position.begin(id);
          onReady?.();
        } else if (position.isNew(id)) yield event;
      }
    } catch (error) {
      fault = error;
    }
    signal?.throwIfAborted();
    if (position.last === null || !isRetryable(fault)) throw fault;
    if (failures === 0) onLost?.(fault);
    await pause(delayAfter(reconnectDelaysMs, failures), signal);
    failures += 1;
  }
}

export interface RequestBody {
  /** Null for the type that the request has; a multipart form is written again, with another boundary. */
  type: string | null;
  bytes: Uint8Array;
}

/** Connects again when a connection fails. Rejects with RefusedError, or with the reason of the signal. */
export async function readRequestBody(server: ServerCalls, runId: string, signal: AbortSignal | undefined): Promise<RequestBody> {
  const url = `${server.baseUrl}${at`/api/v1/runs/${runId}/body`}`;
  for (let failures = 0; ; failures += 1) {
    try {
      const response = await server.send(url, { signal: signal ?? null });
      const type = response.headers.get('content-type') ?? '';
      const bytes = await response.arrayBuffer().catch((error: unknown) => {
        throw unreachable(response.url, error);
      });
      return { type: type.startsWith('multipart/') ? type : null, bytes: new Uint8Array(bytes) };
    } catch (error) {
      signal?.throwIfAborted();
      if (!isRetryable(error)) throw error;
      await pause(delayAfter(RECONNECT_DELAYS_MS, failures), signal);
    }
  }
}

function delayAfter(delaysMs: readonly number[], failures: number): number {
  return delaysMs[Math.min(failures, delaysMs.length - 1)] as number;
}

/** What has been seen. Run ids are texts in the order in which runs begin; some come late, and some again. */
class Position {
  #start = '';
  #last: string | null = null;
  /** A stream that resumes goes back further than the first one began. */
  #isResumed = false;
  readonly #seen = new Set<string>();

  get last(): string | null {
    return this.#last;
  }

  /** Where the next connection continues; null for the first one. */
  resume(): string | null {
    this.#isResumed = this.#last !== null;
    return this.#last;
  }

  begin(id: string): void {
    this.#start = id;
    this.#last = id;
  }

  isNew(id: string): boolean {
    if ((this.#isResumed && id < this.#start) || this.#seen.has(id)) return false;
    this.#seen.add(id);
    if (this.#seen.size > MAX_SEEN) this.#seen.delete(this.#seen.values().next().value as string);
    if (this.#last === null || id > this.#last) this.#last = id;
    return true;
  }
}
