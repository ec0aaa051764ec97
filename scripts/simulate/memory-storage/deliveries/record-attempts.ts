// Records attempts, each with the next state of its delivery and, if the delivery ends, the turn of its run.

import type { DeliveryState } from '../../../../src/core/delivery/delivery.ts';
import type { AttemptRecord, DeliveryLease } from '../../../../src/storage/delivery-records.ts';
import type { Lease, Turn } from '../../../../src/storage/runs/run-records.ts';
import type { StoredDelivery } from '../records.ts';
import { wake } from '../runs/make-due.ts';
import { advanceRun } from '../runs/write-runs.ts';
import type { State } from '../state.ts';
import { findLeased } from './delivery-leases.ts';
import { settleGroup } from './overflow.ts';

export type AttemptAnswer = 'recorded' | 'dropped' | 'stale' | 'turn_refused';

export function recordAttempt(
  state: State,
  owner: number,
  lease: DeliveryLease,
  attempt: AttemptRecord,
  next: DeliveryState,
  waitingRun: { lease: Lease; turn: Turn } | null,
): AttemptAnswer {
  const delivery = state.deliveries.get(lease.id);
  if (delivery === undefined) return 'stale';
  const number = storeAttempt(delivery, attempt);
  const isLeased = findLeased(state, lease) !== undefined;
  const earlier = isLeased ? null : earlierAnswer(delivery, lease, next);
  const isStale = !isLeased && earlier === null;
  if (isLeased || (isStale && isOver(delivery))) delivery.attempts = Math.max(delivery.attempts, number);
  if (isLeased) applyState(state, delivery, attempt, next);
  const latestOf = delivery.overflow?.policy === 'latest_wins' ? delivery.overflow.group : null;
  const isDropped = latestOf !== null && settleGroup(state, latestOf).includes(delivery);
  if (isStale) return 'stale';
  return isDropped || earlier === 'dropped' ? 'dropped' : passOn(state, owner, delivery, waitingRun);
}

const isOver = ({ status }: StoredDelivery): boolean => status === 'cancelled' || status === 'dropped';

/** The answer to an earlier, same call, as long as nobody has changed the delivery since. A drop begins the next epoch. */
function earlierAnswer(delivery: StoredDelivery, { epoch }: DeliveryLease, { status }: DeliveryState): 'recorded' | 'dropped' | null {
  if (delivery.epoch === epoch && delivery.status === status) return 'recorded';
  return delivery.epoch === epoch + 1 && delivery.status === 'dropped' && status === 'queued' ? 'dropped' : null;
}

/** Returns the attempt's number: the wanted one, or the next free one if another attempt has it. */
function storeAttempt({ tries }: StoredDelivery, attempt: AttemptRecord): number {
  const same = tries.find(({ startedAt }) => startedAt === attempt.startedAt);
  if (same !== undefined) return same.attempt;
  const isTaken = tries.some((other) => other.attempt === attempt.attempt);
  const number = isTaken ? Math.max(...tries.map((other) => other.attempt)) + 1 : attempt.attempt;
  tries.push({ ...attempt, attempt: number });
  return number;
}

function applyState(
  state: State,
  delivery: StoredDelivery,
  { startedAt, durationMs }: AttemptRecord,
  { status, dueAt }: DeliveryState,
): void {
  delivery.status = status;
  delivery.dueAt = dueAt;
  if (dueAt !== null) return;
  delivery.finishedAt = startedAt + durationMs;
  state.openDeliveries.delete(delivery);
}

/** Stores the turn of the run that waits for a finished delivery, or makes the run due. */
function passOn(
  state: State,
  owner: number,
  { run, dueAt, isAwaited }: StoredDelivery,
  waitingRun: { lease: Lease; turn: Turn } | null,
): 'recorded' | 'turn_refused' {
  if (dueAt !== null || !isAwaited) return 'recorded';
  if (waitingRun !== null && advanceRun(state, owner, waitingRun.lease, waitingRun.turn)) return 'recorded';
  wake(state, run);
  return waitingRun === null ? 'recorded' : 'turn_refused';
}
