// The progress events of one commit as one column of JSON.

import type { ProgressEvent } from '../../../core/run/run-event.ts';

/** Returns JSON such as `[[33,"step"],[66]]`; the seq of the first event is stored beside it. Step names need no escaping. */
export function packEvents(events: readonly ProgressEvent[]): string {
  let text = '';
  for (const { progress, step, message } of events) {
    const name = step === null ? 'null' : `"${step}"`;
    const rest = message !== null ? `,${name},${JSON.stringify(message)}` : step !== null ? `,${name}` : '';
    text += `${text === '' ? '[' : ','}[${progress}${rest}]`;
  }
  return text === '' ? '[]' : `${text}]`;
}

export function unpackEvents(firstSeq: number, text: string): ProgressEvent[] {
  const events = JSON.parse(text) as [progress: number, step?: string | null, message?: string][];
  return events.map(([progress, step = null, message = null], index) => ({ seq: firstSeq + index, progress, step, message }));
}
