// Stores the deliveries of turns, and ends those that their run no longer waits for.

import { parseDeliveryId } from '../../../../src/core/delivery/delivery-id.ts';
import { type OutboundMessage, type OutboundResult, sendsRequestBody } from '../../../../src/core/delivery/outbound.ts';
import { LEASE_MS } from '../../../../src/leases/lease.ts';
import type { NewDelivery } from '../../../../src/storage/delivery-records.ts';
import type { ClaimedRun, Turn } from '../../../../src/storage/runs/run-records.ts';
import { FIRST_EPOCH, type StoredDelivery, type StoredRun } from '../records.ts';
import { repliesOf } from '../runs/replies.ts';
import type { State } from '../state.ts';
import { finishDelivery } from './finish-delivery.ts';
import { enterGroup, settleGroup } from './overflow.ts';

export function insertDeliveries(state: State, owner: number, run: StoredRun, turn: Turn): void {
  for (const delivery of turn.deliveries) {
    const stored = toStored(state, owner, run, delivery);
    run.deliveries.push(stored);
    state.deliveries.set(stored.id, stored);
    if (stored.dueAt !== null) state.openDeliveries.add(stored);
    if (stored.overflow !== null) enterGroup(state, stored);
  }
}

/** Cancels the deliveries that the run waits for. */
export function cancelAwaited(state: State, run: StoredRun): void {
  const cancelled = run.deliveries.filter(({ isAwaited, dueAt }) => isAwaited && dueAt !== null);
  for (const delivery of cancelled) finishDelivery(state, delivery, 'cancelled');
  for (const { overflow } of cancelled) if (overflow?.policy === 'latest_wins') settleGroup(state, overflow.group);
}

/** The results of finished deliveries and the stored replies, for the steps that still wait for them. */
export function resultsOf(run: StoredRun): ClaimedRun['results'] {
  const results: ClaimedRun['results'] = repliesOf(run);
  for (const delivery of run.deliveries) {
    if (!delivery.isAwaited || delivery.dueAt !== null || !isStepWaiting(delivery)) continue;
    const result = resultOf(delivery);
    if (result !== null) results.push({ step: delivery.step, visit: delivery.visit, result });
  }
  return results;
}

/** Whether the step of the delivery waits for it. */
export function isStepWaiting({ run, step, visit }: StoredDelivery, evenForATime = false): boolean {
  const record = run.steps.get(`${step} ${visit}`);
  return record?.status === 'waiting' && (evenForATime || record.dueAt === null);
}

function resultOf({ droppedReason, attempts, tries }: StoredDelivery): OutboundResult | null {
  if (droppedReason !== null) return { kind: 'dropped', reason: droppedReason };
  return tries.find(({ attempt }) => attempt === attempts)?.result ?? null;
}

function withRequestBody(message: OutboundMessage, { body }: StoredRun): OutboundMessage {
  return sendsRequestBody(message) ? ({ ...message, body: [body] } as OutboundMessage) : message;
}

function toStored(state: State, owner: number, run: StoredRun, { isLeased, isRecorded, ...delivery }: NewDelivery): StoredDelivery {
  const now = state.clock();
  state.lastDeliveryNo += 1;
  return {
    ...delivery,
    message: withRequestBody(delivery.message, run),
    no: state.lastDeliveryNo,
    run,
    visit: parseDeliveryId(delivery.id)?.visit ?? 1,
    status: isRecorded ? 'recorded' : isLeased ? 'sending' : 'queued',
    dueAt: isRecorded ? null : isLeased ? now + LEASE_MS : now,
    owner,
    epoch: FIRST_EPOCH,
    attempts: 0,
    lastAttempt: delivery.retry.maxRetries + 1,
    createdAt: now,
    finishedAt: isRecorded ? now : null,
    droppedReason: null,
    tries: [],
  };
}
