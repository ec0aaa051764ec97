// The storage of deliveries: claimed, attempted, retried and read. The turns of runs create them.

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
import type { Lease, Turn } from './runs/run-records.ts';

export interface DeliveryStore {
  /**
   * Stores the attempt, the next state of its delivery and, if the delivery ends, the turn of the waiting run.
   * The attempt itself is stored in any case, once, under the next free number if its own is taken.
   * The same call again has the same result, as long as nobody has changed the delivery since.
   * `recorded`: everything is stored. Without `waitingRun`, the end of an awaited delivery makes its run due.
   * `stale`: the sender's lease is stale, and the delivery keeps its state.
   * `turn_refused`: the turn is refused as `advanceRun` would. The run is due at once and gets the result when it is claimed.
   * `dropped`: a retry was due, but a newer delivery of the group waits.
   */
  recordAttempt(
    delivery: DeliveryLease,
    attempt: AttemptRecord,
    next: DeliveryState,
    waitingRun: { lease: Lease; turn: Turn } | null,
  ): Promise<'recorded' | 'dropped' | 'stale' | 'turn_refused'>;
  /**
   * Claims due deliveries up to the limits of each origin, the oldest of each origin first.
   * Each gets the next epoch and a lease of this owner.
   * A part that is the body of the run's request is replaced by its bytes, which count towards the limit.
   */
  claimDeliveries(limits: ClaimLimit[]): Promise<ClaimedDelivery[]>;
  /** Renews the leases. Returns the ids whose lease is stale; those are left alone. */
  renewDeliveries(leases: DeliveryLease[]): Promise<string[]>;
  /**
   * Makes the deliveries due at once, for any claim.
   * Drops a delivery instead if a newer one of its group waits.
   * Ignores stale leases.
   */
  releaseDeliveries(leases: DeliveryLease[]): Promise<void>;
  /** Returns each origin with unfinished deliveries, and the due time of its next one. */
  listDueOrigins(): Promise<{ origin: string; dueAt: number }[]>;
  /**
   * Makes failed and dropped deliveries due at once, with a new set of attempts.
   * Skips the others, and those with a newer unfinished delivery in their group.
   * A run gets the new result only if its step still waits.
   * Returns the retried deliveries with their origins.
   */
  retryDeliveries(ids: string[]): Promise<{ id: string; origin: string }[]>;
  /** Returns a delivery with its message, as a claim would, and all attempts. Null: there is none. */
  getDelivery(id: string): Promise<DeliveryRecord | null>;
  /** Returns one page, newest first. */
  listDeliveries(filter: DeliveryFilter): Promise<ListedDelivery[]>;
}
