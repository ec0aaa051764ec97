// Ends a delivery otherwise than by an attempt.

import type { StoredDelivery } from '../records.ts';
import type { State } from '../state.ts';

export function finishDelivery(state: State, delivery: StoredDelivery, status: 'cancelled' | 'dropped'): void {
  delivery.epoch += 1;
  delivery.status = status;
  delivery.dueAt = null;
  delivery.finishedAt = state.clock();
  state.openDeliveries.delete(delivery);
}
