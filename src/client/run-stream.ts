// The events of a run as they come, over as many connections as it takes: when one breaks, the next resumes after the
// last event that was seen.

import { RefusedError, UnreachableError, unreachable } from './client-error.ts';
import type { JsonCodec } from './server-calls.ts';
import { createSseParser } from './sse-parser.ts';
import type { RunEvent } from './wire-types.ts';

export interface RunStreamOptions {
  json: JsonCodec;
  /** Seq of the last event that the reader has; 0 for none. */
  after: number;
  /** The connection that is open already, if one is. */
  first?: Response;
  /** Connects to the events that follow; status 204 when the run has ended and none does. */
  open: (after: number) => Promise<Response>;
  /** Ends the stream: its reason is thrown to the reader. The connections must listen to it, too. */
  signal?: AbortSignal | undefined;
  /** Pauses before each attempt to connect again; when they are used up in a row, the stream fails. */
  reconnectDelaysMs?: readonly number[] | undefined;
}

/** Together some 25 s: longer than a server takes to restart. */
const RECONNECT_DELAYS_MS = [100, 250, 500, 1000, 2000, 3000, 4000, 5000, 5000, 5000];
/** Three heartbeats of the server. After this silence the connection is taken for dead. */
const MAX_SILENCE_MS = 45_000;
const WORTH_RETRYING: readonly number[] = [429, 502, 503, 504];

/** Ends after `complete` or `error`. Throws what the last attempt met when the run cannot be reached any more. */
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
    if (!isWorthRetrying(fault) || delayMs === undefined) throw fault;
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

function isWorthRetrying(fault: unknown): boolean {
  return fault instanceof UnreachableError || (fault instanceof RefusedError && WORTH_RETRYING.includes(fault.status));
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
