// Runs and deliveries as the in-memory storage keeps them.

import type { DeliveryStatus } from '../../../src/core/delivery/delivery.ts';
import type { Reply } from '../../../src/core/reply/reply.ts';
import type { RunError, RunStatus } from '../../../src/core/run/run.ts';
import type { ProgressEvent } from '../../../src/core/run/run-event.ts';
import type { AttemptRecord, NewDelivery } from '../../../src/storage/delivery-records.ts';
import type { NewRun, StepRecord } from '../../../src/storage/runs/run-records.ts';

export interface StoredRun extends Omit<NewRun, 'turn' | 'idempotency'> {
  readonly runNumber: number;
  status: RunStatus;
  progress: number;
  output: string | null;
  error: RunError | null;
  finishedAt: number | null;
  /** When it can be claimed: it is due, or its lease ends. Null: it has ended, or only waits for deliveries. */
  wakeAt: number | null;
  /** Of its last lease. */
  owner: number;
  epoch: number;
  /** Stored turns. */
  turns: number;
  deaths: number;
  lastSeq: number;
  readonly events: ProgressEvent[];
  /** By step and visit: those that the first turn ended, then the others. */
  readonly steps: Map<string, StepRecord>;
  readonly firstSteps: number;
  readonly deliveries: StoredDelivery[];
  /** By reply id. */
  readonly replies: Map<string, Reply>;
}

export interface StoredDelivery extends Omit<NewDelivery, 'isLeased' | 'isRecorded' | 'isAwaited'> {
  /** Grows with time. */
  readonly no: number;
  readonly run: StoredRun;
  readonly visit: number;
  isAwaited: boolean;
  status: DeliveryStatus;
  /** When it can be claimed: it is due, or its lease ends. NOT_DUE: an older one of its group is being sent. Null: finished. */
  dueAt: number | null;
  /** Of its last lease. */
  owner: number;
  epoch: number;
  attempts: number;
  lastAttempt: number;
  readonly createdAt: number;
  finishedAt: number | null;
  droppedReason: string | null;
  readonly tries: AttemptRecord[];
}

/** The epoch of the first lease. */
export const FIRST_EPOCH = 1;
export const NOT_DUE = Number.MAX_SAFE_INTEGER;
