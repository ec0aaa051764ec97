// The events of a turn as readers of the stream see them: progress events, and the event that ends the stream.

import { isTerminal } from '../core/run/run.ts';
import type { RunEvent } from '../core/run/run-event.ts';
import type { Turn } from '../storage/runs/run-records.ts';

export function eventsOf(turn: Turn): readonly RunEvent[] {
  return isTerminal(turn.status) ? [...turn.events, { seq: turn.lastSeq, outcome: turn }] : turn.events;
}
