// Streams the events of a run. When a connection breaks, the next one resumes after the last event.

import { UnreachableError } from './client-error.ts';
import { isRetryable, pause, readEventStream } from './event-connection.ts';
import type { JsonCodec } from './server-calls.ts';
import type { RunEvent } from './wire/wire-types.ts';

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
      for await (const { id, data } of readEventStream(response)) {
        const event = { seq: Number(id), ...(json.parse(data) as Omit<RunEvent, 'seq'>) } as RunEvent;
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
