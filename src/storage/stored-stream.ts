// The event stream of a run, as it is read from the storage.

import type { RunEvent } from '../core/run-event.ts';

/** Where the stream of a run stands. */
export interface StreamPosition {
  /** Of the last event that is stored. */
  lastSeq: number;
  ended: boolean;
  /** Whose token opens the stream. */
  sinkId: string;
  /** Of events, output and steps as text, and of the request besides. */
  bytes: number;
  requestBytes: number;
}

export interface StoredEvents {
  events: RunEvent[];
  ended: boolean;
  /** Whose token opens the stream. */
  sinkId: string;
}
