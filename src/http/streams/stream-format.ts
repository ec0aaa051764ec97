// The format of a run's stream: server-sent events (WHATWG HTML, 9.2) and the headers before them.

import { eventData, type RunEvent } from '../../core/run/run-event.ts';

/** Alternating names and values. `length` is set when the whole stream is known. */
export function streamHeaders(runId: string, length?: number): string[] {
  const headers = [
    'content-type',
    'text/event-stream',
    'cache-control',
    'no-cache, no-transform',
    'x-accel-buffering',
    'no',
    'x-run-id',
    runId,
  ];
  if (length !== undefined) headers.push('content-length', String(length));
  return headers;
}

/** Has no `event:` line, so that EventSource.onmessage and line readers both see the event. */
export function formatFrame(runId: string, event: RunEvent): string {
  return `id: ${event.seq}\ndata: ${eventData(runId, event)}\n\n`;
}
