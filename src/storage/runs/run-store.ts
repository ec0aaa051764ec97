// The storage of runs: created, claimed, advanced, read and removed.

import type { RunEvent } from '../../core/run/run-event.ts';
import type { FoundReply, NewReply, StoreReplyResult } from '../reply-records.ts';
import type {
  FlowCount,
  RequestRecord,
  RequestTime,
  RunFilter,
  RunOutcomeRecord,
  RunRecord,
  RunSummary,
  StoredEvents,
  StreamPosition,
} from './run-queries.ts';
import type {
  ClaimedRun,
  CreateRunResult,
  CreateRunsResult,
  Idempotency,
  Lease,
  NewRun,
  PruneLimits,
  Recovery,
  RunClaimLimit,
  Turn,
} from './run-records.ts';
import type { RunSearch, SearchSlice } from './run-search.ts';

export interface RunStore {
  /**
   * Stores a run with its request, idempotency key and first turn, under the first lease.
   * Stores nothing unless the result is `created`.
   * Flow control of the sink decides in the same commit whether the run is due, held, dropped or refused, and which held runs it replaces.
   * A batch of one request joins the open batch of its sink and key instead, unless it is a replay. The run of a batch has all its
   * requests once it is due, or has ended.
   * The same call again has the same result, as long as the run is stored.
   */
  createRun(run: NewRun): Promise<CreateRunResult>;
  /**
   * Stores runs as `createRun` does, all or none.
   * A run may be the duplicate of an earlier one in the list.
   * With a key they are the runs of one request, which have no keys of their own. The key names all of them, and none is stored
   * if it is taken.
   */
  createRuns(runs: NewRun[], key?: Idempotency | null): Promise<CreateRunsResult>;
  /**
   * Stores one turn of a run: steps, events, deliveries and step memory.
   * A turn that ends the run cancels the deliveries that the run waits for, and makes the held runs due that may start now.
   * A delivery that an overflow policy drops makes the run due that waits for it.
   * True again if the turn is stored already.
   * False: nothing is stored, because the lease is stale or the turn repeats a visit that has ended.
   * False as well if the step memory that the turn read has changed, or if a wait ends in vain although its reply is stored.
   * Then the run is released, to be planned again.
   */
  advanceRun(lease: Lease, turn: Turn): Promise<boolean>;
  /**
   * Claims due runs within the limits, the longest due first.
   * Each gets the next epoch and a lease of this owner.
   */
  claimDueRuns(limits: RunClaimLimit): Promise<ClaimedRun[]>;
  /** Renews the leases. Returns the run ids whose lease is stale; those runs are left alone. */
  renewLeases(leases: Lease[]): Promise<string[]>;
  /** Makes the run due after `delayMs`, for any claim. Does nothing under a stale lease. */
  releaseRun(lease: Lease, delayMs: number): Promise<void>;
  /**
   * Releases the running runs and jobs of an owner, and the deliveries that it was sending. Its process must be dead.
   * Counts one death for each of these runs and jobs; a record of a job forgets its deaths.
   * A run or a job with three deaths ends as failed with the code `poisoned`.
   */
  recoverRuns(owner: number): Promise<Recovery>;
  /** Recovers the runs of every owner whose process is dead. */
  reapOwners(): Promise<Recovery>;
  /**
   * Ends a run as cancelled, with the deliveries that it waits for.
   * Returns the event that ends its stream; none, and `cancelled: false`, if the run has ended already.
   * Null: there is no such run.
   */
  cancelRun(runId: string): Promise<{ cancelled: boolean; events: RunEvent[] } | null>;
  /**
   * Stores the first reply to the URLs of a step, and makes the run due if it waits for it.
   * The reply may be stored before a step waits for it.
   * The same call again has the same result, as long as the run is stored.
   */
  storeReply(reply: NewReply): Promise<StoreReplyResult>;
  /** Returns the run that a reply is for. Null: there is none. */
  findReply(runId: string, replyId: string): Promise<FoundReply | null>;
  /** Returns when the next run is due, or the next lease ends. Null: no run has a due time. */
  nextWake(): Promise<number | null>;
  /** Returns the step memory of a sink under these keys. Omits keys that have none. */
  readMemory(sinkId: string, keys: string[]): Promise<{ key: string; version: number; value: string }[]>;
  /** Returns a run with its request and all visits. Null: there is none. */
  getRun(runId: string): Promise<RunRecord | null>;
  /** Returns a run without its request, which may be large. Null: there is none. */
  getOutcome(runId: string): Promise<RunOutcomeRecord | null>;
  /** Counts the unfinished runs of a sink with flow control. Null: it has none. */
  countFlow(sinkId: string): Promise<FlowCount | null>;
  /** Returns one page, newest first. */
  listRuns(filter: RunFilter): Promise<RunSummary[]>;
  /** Looks through the runs of a filter, newest first, until `limit` of them match or the work of one slice is done. */
  searchRuns(search: RunSearch): Promise<SearchSlice>;
  /** Returns the requests of a sink whose runs come after `after`, the id of a run that need not exist; oldest first. */
  listRequests(sinkId: string, after: string, limit: number): Promise<RequestRecord[]>;
  /**
   * Returns when requests came that started runs of the sink or are in their batches, at or after `since`; newest first.
   * Replays and scheduled runs are no requests.
   */
  listRequestTimes(sinkId: string, since: number, limit: number): Promise<RequestTime[]>;
  /** Returns the events after the seq `after`, in order. Null: there is no such run. */
  readEvents(runId: string, after: number): Promise<StoredEvents | null>;
  /** Returns the position and the size of a run's stream. Null: there is no such run. */
  findStream(runId: string): Promise<StreamPosition | null>;
  /**
   * Removes ended runs with all their rows, oldest first, except samples and those with unfinished deliveries.
   * Removes expired idempotency keys, old rejections and jobs that ended before the age limit too.
   * Returns the number of removed runs.
   */
  pruneRuns(limits: PruneLimits): Promise<number>;
  /** Returns those of the blobs that no run refers to. */
  findUnreferencedBlobs(hashes: string[]): Promise<string[]>;
}
