// Runs as they are claimed, and how many may be claimed at once.

import type { OutboundResult } from '../core/outbound.ts';
import type { Lease, StepRecord, StoredRequest } from './storage.ts';

/** A run as its worker needs it to go on: of each step the last visit. */
export interface ClaimedRun extends StoredRequest {
  lease: Lease;
  appId: string;
  sinkId: string;
  workflow: { id: string; version: number } | null;
  inputs: string | null;
  progress: number;
  lastSeq: number;
  createdAt: number;
  steps: StepRecord[];
  /** What came of awaited deliveries that are over, by the step that still waits. */
  results: { step: string; result: OutboundResult }[];
  /** Stored of it, and decoded to go on. */
  bytes: number;
  /** No other such run is taken up beside it. */
  isAlone: boolean;
}

/** How many due runs may be claimed at once. */
export interface RunClaimLimit {
  limit: number;
  /** Together by `runWeight`. */
  maxWeight: number;
  /**
   * Whether one run may be claimed that is taken up alone, whatever it weighs: a large one, or one at which the process
   * died more than once.
   */
  takesAlone: boolean;
}
