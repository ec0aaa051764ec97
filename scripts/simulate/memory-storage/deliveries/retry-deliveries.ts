// Retries deliveries: failed and dropped ones become due again, with a new set of attempts.

import type { StoredDelivery } from '../records.ts';
import type { State } from '../state.ts';
import { isStepWaiting } from './deliveries.ts';
import { openOf, settleGroup } from './overflow.ts';

export function retryDeliveries(state: State, ids: readonly string[]): { id: string; origin: string }[] {
  const dropped = new Set<StoredDelivery>();
  const retried = ids.flatMap((id) => {
    const delivery = state.deliveries.get(id);
    if (delivery === undefined || !mayRetry(state, delivery)) return [];
    retry(state, delivery);
    const { overflow } = delivery;
    if (overflow?.policy === 'latest_wins') for (const older of settleGroup(state, overflow.group)) dropped.add(older);
    return [delivery];
  });
  // A later id of the same call may have superseded an earlier one.
  return retried.filter((delivery) => !dropped.has(delivery)).map(({ id, origin }) => ({ id, origin }));
}

function mayRetry(state: State, { status, overflow, no }: StoredDelivery): boolean {
  if (status !== 'failed' && status !== 'dropped') return false;
  return overflow?.policy !== 'latest_wins' || !openOf(state, overflow).some((newer) => newer.no > no);
}

function retry(state: State, delivery: StoredDelivery): void {
  delivery.status = 'queued';
  delivery.dueAt = state.clock();
  delivery.finishedAt = null;
  delivery.droppedReason = null;
  delivery.epoch += 1;
  delivery.lastAttempt = delivery.attempts + 1 + delivery.retry.maxRetries;
  // The failure is stored, but the run may not have read it yet: then the run still waits.
  delivery.isAwaited = delivery.isAwaited && isStepWaiting(delivery, true);
  state.openDeliveries.add(delivery);
}
