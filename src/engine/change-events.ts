// The events of a change as readers of the stream see them: the progress, and the one that ends the stream.

import { type RunEvent, terminalData } from '../core/run-event.ts';
import type { RunChange } from '../storage/storage.ts';

export function eventsOf(runId: string, change: RunChange): RunEvent[] {
  if (change.wakeAt !== null) return change.events;
  return [...change.events, { seq: change.lastSeq, data: terminalData(runId, change) }];
}
