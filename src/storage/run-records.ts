// Runs as they are stored: what a turn brings, what a worker claims, and what is read of them.

import type { OutboundResult } from '../core/delivery/outbound.ts';
import type { BodyKind } from '../core/run/request.ts';
import type { RunError, RunStatus, StepStatus } from '../core/run/run.ts';
import type { ProgressEvent, RunEvent } from '../core/run/run-event.ts';
import type { NewDelivery } from './delivery-records.ts';

/** The right to advance a run: stale once the run was claimed or cancelled by somebody else. */
export interface Lease {
  runId: string;
  epoch: number;
}

/** The persisted result of one visit of one step of one run. */
export interface StepRecord {
  step: string;
  type: string;
  visit: number;
  status: StepStatus;
  attempt: number;
  /** JSON text. */
  outputs: string | null;
  chosen: readonly string[] | null;
  error: RunError | null;
  startedAt: number | null;
  finishedAt: number | null;
  dueAt: number | null;
  /** What the run was sent back to for this visit; null in the first. */
  backTo: readonly string[] | null;
}

/** What a run saw, or changed, of what the steps of its sink remember. Versions count from 0: nothing stored yet. */
export interface MemoryUse {
  key: string;
  version: number;
  /** JSON text; null where it was only read. */
  value: string | null;
}

/** What one turn of a run brought: written together or not at all. */
export interface RunChange {
  status: RunStatus;
  progress: number;
  /** In order; the event that ends the stream is made from output or error. */
  events: ProgressEvent[];
  /** Seq of the last event of the stream so far, the terminal one included. */
  lastSeq: number;
  steps: StepRecord[];
  deliveries: NewDelivery[];
  memory: MemoryUse[];
  /** When the run must be looked at again (due time, or end of the lease); null when it has ended or waits for a delivery. */
  wakeAt: number | null;
  /** JSON text. */
  output: string | null;
  error: RunError | null;
  at: number;
}

/** A request as it is stored. */
export interface StoredRequest {
  /** JSON text of the RequestHead. */
  request: string;
  bodyKind: BodyKind;
  bodyCharset: string;
  body: Uint8Array;
}

export interface NewRun extends StoredRequest {
  runId: string;
  appId: string;
  sinkId: string;
  /** Null: the sink captures. */
  workflow: { id: string; version: number } | null;
  /** Hashes of the blobs that the run names; they are on disk already. */
  blobs: string[];
  /** JSON text of the bound inputs; null when the run has ended, or they follow from the request and its workflow. */
  inputs: string | null;
  idempotency: { key: string; fingerprint: string; expiresAt: number } | null;
  createdAt: number;
  change: RunChange;
}

export type CreateRunResult =
  | { kind: 'created'; epoch: number }
  /** The idempotency key is taken by an earlier run of this sink. */
  | { kind: 'duplicate'; runId: string; sameRequest: boolean }
  /** Another run has the id, as may be after the clock was set back; nothing was stored. */
  | { kind: 'id_taken' }
  /** Another run has changed what this one read of its sink's memory; nothing was stored. */
  | { kind: 'memory_changed' };

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

export interface RunSummary {
  id: string;
  appId: string;
  sinkId: string;
  workflow: { id: string; version: number } | null;
  status: RunStatus;
  progress: number;
  error: RunError | null;
  createdAt: number;
  finishedAt: number | null;
}

/** With every visit of its steps, in the order in which they began. */
export interface RunOutcomeRecord extends RunSummary {
  lastSeq: number;
  output: string | null;
  steps: StepRecord[];
}

export interface RunRecord extends RunOutcomeRecord, StoredRequest {}

export interface RunFilter {
  appId?: string;
  sinkId?: string;
  status?: RunStatus;
  /** Created at or after, and before, in ms. */
  since?: number;
  until?: number;
  limit: number;
  /** The last of the page before; newest first. */
  after?: string;
}

export interface RunFilter {
  appId?: string;
  sinkId?: string;
  status?: RunStatus;
  /** Created at or after, and before, in ms. */
  since?: number;
  until?: number;
  limit: number;
  /** The last of the page before; newest first. */
  after?: string;
}

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

/** What retention keeps of runs that have ended. */
export interface PruneLimits {
  /** Ended runs created before this are removed. */
  before: number | null;
  /** Oldest ended runs go until the database, without its rejections, is no larger. */
  maxBytes: number | null;
  /** At most so many runs in one call. */
  limit: number;
}
