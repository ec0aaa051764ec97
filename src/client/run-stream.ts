// Streams the events of a run. When a connection breaks, the next one resumes after the last event.

import { RefusedError, UnreachableError, unreachable } from './client-error.ts';
import type { JsonCodec } from './server-calls.ts';
import { createSseParser } from './sse-parser.ts';
import type { RunEvent } from './wire-types.ts';

export interface RunStreamOptions {
  json: JsonCodec;
  /** Seq of the reader's last event; 0 for none. */
  after: number;
  /** A connection that is already open. */
  first?: Response;
  /** Connects to the events after `after`; status 204 when the run has ended and none follows. */
  open: (after: number) => Promise<Response>;
  /** Aborts the stream, which throws the signal's reason. `open` must use the signal for its connections too. */
  signal?: AbortSignal | undefined;
  /** Delays before reconnecting. The stream fails when as many attempts in a row have failed. */
  reconnectDelaysMs?: readonly number[] | undefined;
}

/** About 25 s in total: longer than a server needs to restart. */
const RECONNECT_DELAYS_MS = [100, 250, 500, 1000, 2000, 3000, 4000, 5000, 5000, 5000];
/** Three heartbeats of the server; a connection that is silent for longer is considered dead. */
const MAX_SILENCE_MS = 45_000;
const RETRYABLE_STATUSES: readonly number[] = [429, 502, 503, 504];

/** Ends after `complete` or `error`. Throws the error of the last attempt when reconnecting fails. */
export async function* readRunStream(options: RunStreamOptions): AsyncGenerator<RunEvent> {
  const { json, open, signal, reconnectDelaysMs = RECONNECT_DELAYS_MS } = options;
  let { after, first } = options;
  let failures = 0;
  for (;;) {
    let fault: unknown = new UnreachableError('the server ended the stream before the run had ended');
    try {
      const response = first ?? (await open(after));
      first = undefined;
      if (response.status === 204) return;
      for await (const event of readEvents(response, json)) {
        if (event.seq <= after) continue;
        after = event.seq;
        failures = 0;
        yield event;
        if (event.type !== 'progress') return;
      }
    } catch (error) {
      fault = error;
    }
    signal?.throwIfAborted();
    const delayMs = reconnectDelaysMs[failures];
    if (!isRetryable(fault) || delayMs === undefined) throw fault;
    failures += 1;
    await pause(delayMs, signal);
  }
}

async function* readEvents(response: Response, json: JsonCodec): AsyncGenerator<RunEvent> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const parse = createSseParser();
  const hangUp = (): void => void reader.cancel().catch(() => undefined);
  let silence = setTimeout(hangUp, MAX_SILENCE_MS);
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw unreachable(response.url, error);
      });
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(hangUp, MAX_SILENCE_MS);
      for (const { id, data } of parse(value)) yield { seq: Number(id), ...(json.parse(data) as Omit<RunEvent, 'seq'>) } as RunEvent;
    }
  } finally {
    clearTimeout(silence);
    hangUp();
  }
}

function isRetryable(fault: unknown): boolean {
  return fault instanceof UnreachableError || (fault instanceof RefusedError && RETRYABLE_STATUSES.includes(fault.status));
}

/** Rejects with the signal's reason when it is aborted meanwhile. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
