// The events of a turn as readers of the stream see them: progress events, and the event that ends the stream.

import { isTerminal } from '../core/run/run.ts';
import type { RunEvent } from '../core/run/run-event.ts';
import type { RunChange } from '../storage/run-records.ts';

export function eventsOf(change: RunChange): readonly RunEvent[] {
  return isTerminal(change.status) ? [...change.events, { seq: change.lastSeq, outcome: change }] : change.events;
}
