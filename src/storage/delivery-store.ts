// Deliveries in the storage: claimed, tried and read. They are made by the turns of runs.

import type { DeliveryState } from '../core/delivery/delivery.ts';
import type {
  AttemptRecord,
  ClaimedDelivery,
  ClaimLimit,
  DeliveryFilter,
  DeliveryLease,
  DeliveryRecord,
  ListedDelivery,
} from './delivery-records.ts';
import type { Lease, RunChange } from './run-records.ts';

export interface DeliveryStore {
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
}
