// One connection to an event stream: its events, the faults after which another connection may succeed, and the pause
// before it.

import { RefusedError, UnreachableError, unreachable } from './client-error.ts';
import { createSseParser, type SseEvent } from './sse-parser.ts';

/** Three heartbeats of the server; a connection that is silent for longer is considered dead. */
const MAX_SILENCE_MS = 45_000;
const RETRYABLE_STATUSES: readonly number[] = [429, 502, 503, 504];

/** Ends when the connection does, or when it is silent for too long. Throws UnreachableError when it breaks. */
export async function* readEventStream(response: Response): AsyncGenerator<SseEvent> {
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
      yield* parse(value);
    }
  } finally {
    clearTimeout(silence);
    hangUp();
  }
}

export function isRetryable(fault: unknown): boolean {
  return fault instanceof UnreachableError || (fault instanceof RefusedError && RETRYABLE_STATUSES.includes(fault.status));
}

/** Rejects with the signal's reason when it is aborted meanwhile. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
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
