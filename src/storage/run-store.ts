// The storage of runs: created, claimed, advanced, read and removed.

import type { RunEvent } from '../core/run/run-event.ts';
import type {
  ClaimedRun,
  CreateRunResult,
  Lease,
  NewRun,
  PruneLimits,
  RunClaimLimit,
  RunFilter,
  RunOutcomeRecord,
  RunRecord,
  RunSummary,
  StoredEvents,
  StreamPosition,
  Turn,
} from './run-records.ts';

export interface RunStore {
  /**
   * Stores a run with its request, idempotency key and first turn, under the first lease.
   * Stores nothing unless the result is `created`.
   */
  createRun(run: NewRun): Promise<CreateRunResult>;
  /**
   * Stores one turn of a run: steps, events, deliveries and step memory.
   * A turn that ends the run cancels the deliveries that the run waits for.
   * A delivery that an overflow policy drops makes the run due that waits for it.
   * False: nothing is stored, because the lease is stale or the turn repeats a visit that has ended.
   * False as well if the step memory that the turn read has changed; then the run is released, to be planned again.
   */
  advanceRun(lease: Lease, turn: Turn): Promise<boolean>;
  /**
   * Claims due runs within the limits, the longest due first.
   * Each gets the next epoch and a lease until `leaseUntil`.
   */
  claimDueRuns(now: number, leaseUntil: number, limits: RunClaimLimit): Promise<ClaimedRun[]>;
  /** Extends the leases. Returns the run ids whose lease is stale; those runs are left alone. */
  renewLeases(leases: Lease[], leaseUntil: number): Promise<string[]>;
  /** Makes the run due at once, for any claim. Does nothing under a stale lease. */
  releaseRun(lease: Lease, now: number): Promise<void>;
  /**
   * Releases all running runs and all deliveries that were being sent. To be called at start, when their process is dead.
   * Counts one death for each of these runs.
   * A run with three deaths ends as failed with the code `poisoned`.
   * Returns the number of released runs and the ids of the poisoned ones.
   */
  recoverRuns(now: number): Promise<{ recovered: number; poisoned: string[] }>;
  /**
   * Ends a run as cancelled, with the deliveries that it waits for.
   * Returns the event that ends its stream; none, and `cancelled: false`, if the run has ended already.
   * Null: there is no such run.
   */
  cancelRun(runId: string, now: number): Promise<{ cancelled: boolean; events: RunEvent[] } | null>;
  /** Returns when the next run is due. Null: no run has a due time. */
  nextWake(): Promise<number | null>;
  /** Returns the step memory of a sink under these keys. Omits keys that have none. */
  readMemory(sinkId: string, keys: string[]): Promise<{ key: string; version: number; value: string }[]>;
  /** Returns a run with its request and all visits. Null: there is none. */
  getRun(runId: string): Promise<RunRecord | null>;
  /** Returns a run without its request, which may be large. Null: there is none. */
  getOutcome(runId: string): Promise<RunOutcomeRecord | null>;
  /** Returns one page, newest first. */
  listRuns(filter: RunFilter): Promise<RunSummary[]>;
  /** Returns the events after the seq `after`, in order. Null: there is no such run. */
  readEvents(runId: string, after: number): Promise<StoredEvents | null>;
  /** Returns the position and the size of a run's stream. Null: there is no such run. */
  findStream(runId: string): Promise<StreamPosition | null>;
  /**
   * Removes ended runs with all their rows, oldest first, except those with unfinished deliveries.
   * Removes expired idempotency keys and old rejections too.
   * Returns the number of removed runs.
   */
  pruneRuns(limits: PruneLimits, now: number): Promise<number>;
  /** Returns those of the blobs that no run refers to. */
  findUnreferencedBlobs(hashes: string[]): Promise<string[]>;
}
