// The storage contract. One method is one indivisible state change, in one sentence; `now` and ids are arguments.
// A promise that resolves means that the change is on disk. Every write to a run that somebody advances carries the lease
// and changes nothing when it is stale. Times are server time (core/server-time.ts), but for those of definitions.
// All methods reject with AppError `unavailable` when the database is locked or the disk is full: nothing was
// changed then, and the same call may succeed later.

import type { App } from '../core/app.ts';
import type { DeliveryState } from '../core/delivery.ts';
import type { BodyKind } from '../core/request.ts';
import type { RunError, RunStatus, StepStatus } from '../core/run.ts';
import type { ProgressEvent, RunEvent } from '../core/run-event.ts';
import type { ManagedBy, Sink } from '../core/sink.ts';
import type { ClaimedRun, RunClaimLimit } from './claimed-run.ts';
import type {
  AttemptRecord,
  ClaimedDelivery,
  ClaimLimit,
  DeliveryFilter,
  DeliveryLease,
  DeliveryRecord,
  ListedDelivery,
  NewDelivery,
} from './delivery-records.ts';
import type { PruneLimits } from './prune-limits.ts';
import type { Rejection, RejectionChange } from './rejection.ts';
import type { ServerTimeStorage } from './server-time-records.ts';
import type { StoredEvents, StreamPosition } from './stored-stream.ts';

export interface WorkflowRecord {
  id: string;
  appId: string;
  version: number;
  /** The definition as JSON text, as it was saved. */
  document: string;
  managedBy: ManagedBy;
  createdAt: number;
}

export interface AppRecord extends App {
  managedBy: ManagedBy;
  createdAt: number;
}

export interface Definitions {
  apps: AppRecord[];
  /** The latest version of each. */
  workflows: WorkflowRecord[];
  sinks: Sink[];
}

export type DefinitionChange =
  | { kind: 'put_app'; app: App; managedBy: ManagedBy }
  | { kind: 'delete_app'; appId: string }
  | { kind: 'put_workflow'; appId: string; workflowId: string; document: string; managedBy: ManagedBy }
  | { kind: 'delete_workflow'; appId: string; workflowId: string }
  /** Makes the sink, or replaces the one with the same id. */
  | { kind: 'put_sink'; sink: Sink }
  | { kind: 'delete_sink'; sinkId: string };

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

export interface Storage extends ServerTimeStorage {
  /** Everything that triggers are matched against. */
  loadDefinitions(): Promise<Definitions>;
  /** One version of a workflow, or the latest; null when there is none. */
  findWorkflow(appId: string, workflowId: string, version: number | null): Promise<WorkflowRecord | null>;
  /** Applies all changes or none. Rejects with `conflict`, `invalid` or `not_found` that names the offending one. */
  changeDefinitions(changes: DefinitionChange[], now: number): Promise<void>;

  /** Stores a new run with its input, idempotency key and first change, or names the run that has the key. */
  createRun(run: NewRun): Promise<CreateRunResult>;
  /**
   * Stores one turn of a run; false, and nothing of it stored, when the lease is stale, a finished visit of a step is
   * repeated, or the memory that it read has changed: the run is due at once then, to be planned anew. A turn that ends
   * the run cancels what it still waits for. What an overflow policy drops wakes the run that waits for it.
   */
  advanceRun(lease: Lease, change: RunChange): Promise<boolean>;
  /** Takes runs that are due, within the limits, for the one owner, until `leaseUntil`. */
  claimDueRuns(now: number, leaseUntil: number, limits: RunClaimLimit): Promise<ClaimedRun[]>;
  /** Extends leases; returns the run ids whose lease is stale. */
  renewLeases(leases: Lease[], leaseUntil: number): Promise<string[]>;
  /** Gives a run back, due at once, for whoever claims it next. */
  releaseRun(lease: Lease, now: number): Promise<void>;
  /**
   * At start, when whoever had them is dead: makes running runs due at once, and gives back deliveries that were being
   * sent. Counts the death for each of these runs; at its third the run ends as failed with the code `poisoned`.
   */
  recoverRuns(now: number): Promise<{ recovered: number; poisoned: string[] }>;
  /** Ends a run that has not ended, with the deliveries that it waits for; returns its events from then on, null if unknown. */
  cancelRun(runId: string, now: number): Promise<{ cancelled: boolean; events: RunEvent[] } | null>;
  /** When the next run is due, in ms; null when none waits. */
  nextWake(): Promise<number | null>;

  /**
   * Stores an attempt, what becomes of its delivery, and with its end the turn that it brought the waiting run. The
   * attempt is kept in any case, under the next free number when its own is taken. `stale`: the delivery is no longer the
   * sender's and stays as it is. `turn_refused`: the turn was, by the rules of advanceRun; the run is due at once and finds
   * the result when it is claimed. `dropped`: it was to be tried again, and a newer one of its group waits.
   */
  recordAttempt(
    delivery: DeliveryLease,
    attempt: AttemptRecord,
    next: DeliveryState,
    turn: { lease: Lease; change: RunChange } | null,
  ): Promise<'recorded' | 'dropped' | 'stale' | 'turn_refused'>;
  /** Takes deliveries that are due, up to the limits of each origin, for the one owner. */
  claimDeliveries(limits: ClaimLimit[], now: number, leaseUntil: number): Promise<ClaimedDelivery[]>;
  /** Extends leases; returns the ids whose lease is stale. */
  renewDeliveries(leases: DeliveryLease[], leaseUntil: number): Promise<string[]>;
  /** Gives deliveries back, due at once, or dropped where a newer one of their group waits. */
  releaseDeliveries(leases: DeliveryLease[], now: number): Promise<void>;
  /** Each origin with deliveries that are not over, and when its next one is due. */
  listDueOrigins(): Promise<{ origin: string; dueAt: number }[]>;
  /**
   * Gives failed and dropped deliveries another round of attempts, due at once, but where a newer one of the group is on
   * its way; returns their origins. The run learns of it only if its step still waits.
   */
  retryDeliveries(ids: string[], now: number): Promise<{ id: string; origin: string }[]>;
  getDelivery(id: string): Promise<DeliveryRecord | null>;
  /** Newest first. */
  listDeliveries(filter: DeliveryFilter): Promise<ListedDelivery[]>;
  /** What the steps of a sink remember under these keys; keys without an entry are left out. */
  readMemory(sinkId: string, keys: string[]): Promise<{ key: string; version: number; value: string }[]>;

  getRun(runId: string): Promise<RunRecord | null>;
  /** A run without its request, which may be large. */
  getOutcome(runId: string): Promise<RunOutcomeRecord | null>;
  /** Newest first. */
  listRuns(filter: RunFilter): Promise<RunSummary[]>;
  /** Events after `after`, in order, and whether the stream has ended; null when the run is unknown. */
  readEvents(runId: string, after: number): Promise<StoredEvents | null>;
  /** Null when the run is unknown. */
  findStream(runId: string): Promise<StreamPosition | null>;
  /** Stores refused triggers and forgets the oldest beyond a fixed number; returns the positions of the entries, in order. */
  recordRejections(changes: RejectionChange[]): Promise<number[]>;
  /** Newest first; `before` is the position of the last entry of the page before. */
  listRejections(filter: { appId?: string; before?: number; limit: number }): Promise<(Rejection & { position: number })[]>;

  /** Removes ended runs with all that belongs to them, oldest first; returns how many. */
  pruneRuns(limits: PruneLimits, now: number): Promise<number>;
  /** Which of these blobs no run names. */
  findUnreferencedBlobs(hashes: string[]): Promise<string[]>;
  /** Resolves when a commit reaches the disk. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
