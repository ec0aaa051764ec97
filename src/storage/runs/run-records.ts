// Records of runs: turns that are stored, and runs that are claimed.

import type { OutboundResult } from '../../core/delivery/outbound.ts';
import type { Reply } from '../../core/reply/reply.ts';
import type { Replay } from '../../core/run/replay.ts';
import type { BodyKind } from '../../core/run/request.ts';
import type { RunError, RunStatus, StepStatus } from '../../core/run/run.ts';
import type { ProgressEvent } from '../../core/run/run-event.ts';
import type { NewDelivery } from '../delivery-records.ts';

/** The right to advance a run. It is stale once the run has been claimed again or has ended: the epoch is then higher. */
export interface Lease {
  runId: string;
  epoch: number;
  /** Stored turns of the run. The next turn is planned on all of them. */
  turns: number;
}

/** The stored state of one visit of a step. */
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
  /** The targets of the back edge that opened this visit. Null: the first visit. */
  backTo: readonly string[] | null;
  /** The id of the reply that the visit waits for, or waited for in vain. Null: it waits for none. */
  awaits: string | null;
}

/** A value of step memory that a run read or changed. */
export interface MemoryUse {
  key: string;
  /** The version that the run read. 0: nothing was stored yet. */
  version: number;
  /**
   * The version of the changed value, unlike that of every other value. Two turns that were planned on the same version thus
   * have different ones, and a run that was planned on a turn that is refused is refused as well.
   */
  next: number;
  /** JSON text. Null: only read. */
  value: string | null;
}

/** The result of one turn of a run, stored in one commit. */
export interface Turn {
  status: RunStatus;
  progress: number;
  /** In order, without the event that ends the stream, which is derived from `output` and `error`. */
  events: ProgressEvent[];
  /** Seq of the last event so far, including the event that ends the stream. */
  lastSeq: number;
  steps: StepRecord[];
  deliveries: NewDelivery[];
  memory: MemoryUse[];
  /** When a waiting run is due. Null: it has ended, waits for a delivery, or is running, and then it is due when its lease ends. */
  wakeAt: number | null;
  /** JSON text. */
  output: string | null;
  error: RunError | null;
  at: number;
}

/** A stored request. */
export interface StoredRequest {
  /** JSON text of the RequestHead. */
  request: string;
  bodyKind: BodyKind;
  bodyCharset: string;
  body: Uint8Array;
}

/** What names a request, and a hash of what the request asks for. */
export interface Idempotency {
  key: string;
  fingerprint: string;
  /** How long the key is remembered. */
  keepMs: number;
}

export interface NewRun extends StoredRequest {
  runId: string;
  appId: string;
  sinkId: string;
  /** Null: the sink only captures requests. */
  workflow: { id: string; version: number } | null;
  /** Hashes of the blobs that the run refers to. They are on disk already. */
  blobs: string[];
  /**
   * JSON text of the bound inputs. Null: the run has ended, or they are derived from the request and the workflow. Of a batch,
   * whose inputs are bound when it starts: the mapping of the sink.
   */
  inputs: string | null;
  idempotency: Idempotency | null;
  /**
   * What orders the run if its sink has flow control, which then decides when the run is due: it is queued, and its turn has
   * no due time. Null: no flow control.
   */
  flowKey: string | null;
  /** Null: not a replay. */
  replay: Replay | null;
  createdAt: number;
  turn: Turn;
}

/** What flow control has done with a new run. */
export interface FlowDecision {
  /**
   * `due`: it can be claimed. `held`: it waits. `dropped` for want of a place, `skipped` in a cooldown: it has ended as cancelled,
   * and its idempotency key is free.
   */
  state: 'due' | 'held' | 'dropped' | 'skipped';
  /** When it is due. Null: it has ended, or waits for other runs. */
  dueAt: number | null;
  /** The held runs that it has replaced, which have ended. None in the result of a repeated call. */
  superseded: string[];
}

export type CreateRunResult =
  /** Under a lease of the first epoch, with one turn. With `flow` the run is queued, without a lease. */
  | { kind: 'created'; flow?: FlowDecision }
  /** Another run has the request in its batch, and no run of its own is stored. */
  | { kind: 'collected'; runId: string; flow: FlowDecision }
  /** The sink cannot hold the run: all its places are taken, or too many runs are held. */
  | { kind: 'refused'; reason: 'no_place' | 'queue_full' }
  /** An earlier run of the sink has the idempotency key. `sameRequest`: the fingerprints are equal. */
  | { kind: 'duplicate'; runId: string; sameRequest: boolean }
  /** Another run has the number that the id begins with. */
  | { kind: 'id_taken' }
  /** Another run has changed the step memory that this one read. */
  | { kind: 'memory_changed' };

export interface CreateRunsResult {
  /**
   * False: nothing is stored, because of at least one run whose result is neither `created` nor `collected` nor the duplicate of
   * the same request, or because of `earlier`.
   */
  isStored: boolean;
  /** The runs of an earlier request with the same key. Absent: there are none. */
  earlier?: { runIds: string[]; sameRequest: boolean };
  /** Of each run. They end at the run that could not be stored, if there is one. */
  results: CreateRunResult[];
}

/** Whether the other runs of the same call can be stored. */
export function isStorable(result: CreateRunResult): boolean {
  return result.kind === 'created' || result.kind === 'collected' || (result.kind === 'duplicate' && result.sameRequest);
}

/** A run with everything that its worker needs to continue. */
export interface ClaimedRun extends StoredRequest {
  lease: Lease;
  appId: string;
  sinkId: string;
  workflow: { id: string; version: number } | null;
  inputs: string | null;
  replay: Replay | null;
  progress: number;
  lastSeq: number;
  createdAt: number;
  /** The visits that the run goes on with, as `visitsToResume` selects them. */
  steps: StepRecord[];
  /** A visit has answered the caller of the sink. */
  isAnswered: boolean;
  /** Results of finished deliveries and stored replies, for the steps that still wait for them. */
  results: { step: string; visit: number; result: OutboundResult | Reply }[];
  /** The end of the run may start other runs of its sink. */
  hasFlow: boolean;
  /** Bytes of the stored request, inputs and outputs, which are decoded to continue. */
  bytes: number;
  /** Only one such run is claimed at a time: it is large, or the process has died at it more than once. */
  isAlone: boolean;
}

export interface Recovery {
  /** Runs that are due again. */
  recovered: number;
  /** Ids of the runs that ended as failed. */
  poisoned: string[];
}

/** How many due runs may be claimed at once. */
export interface RunClaimLimit {
  limit: number;
  /** The sum of their `runWeight`. */
  maxWeight: number;
  /** Whether one run with `isAlone` may be claimed, whatever its weight. */
  takesAlone: boolean;
}

/** The limits of retention for ended runs. */
export interface PruneLimits {
  /** Runs created before this time are removed. Null: no age limit. */
  before: number | null;
  /** The oldest runs are removed until the database, without its rejections, is no larger. Null: no size limit. */
  maxBytes: number | null;
  /** The most runs that one call removes. */
  limit: number;
}
