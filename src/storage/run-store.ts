// Runs in the storage: made, claimed, advanced, read and removed.

import type { RunEvent } from '../core/run/run-event.ts';
import type {
  ClaimedRun,
  CreateRunResult,
  Lease,
  NewRun,
  PruneLimits,
  RunChange,
  RunClaimLimit,
  RunFilter,
  RunOutcomeRecord,
  RunRecord,
  RunSummary,
  StoredEvents,
  StreamPosition,
} from './run-records.ts';

export interface RunStore {
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
  /** Removes ended runs with all that belongs to them, oldest first; returns how many. */
  pruneRuns(limits: PruneLimits, now: number): Promise<number>;
  /** Which of these blobs no run names. */
  findUnreferencedBlobs(hashes: string[]): Promise<string[]>;
}
