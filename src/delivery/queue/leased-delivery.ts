// A delivery that this process has leased, in memory until its attempt is on record. A class, because one is made for
// every message, and V8 reads objects made by spreading slowly.

import type { OutboundMessage } from '../../core/delivery/outbound.ts';
import type { RetryPolicy } from '../../core/delivery/retry.ts';
import { LEASE_MS } from '../../leases/lease.ts';
import type { ClaimedDelivery, DeliveryLease } from '../../storage/delivery-records.ts';
import type { DeliveryStore } from '../../storage/delivery-store.ts';

export interface LeasedFor {
  runId: string;
  /** The run is in memory and waits for the result. */
  hasWaiter: boolean;
  /** A moment no later than the beginning of the lease. */
  leasedAt: number;
}

export class LeasedDelivery implements ClaimedDelivery {
  readonly id: string;
  readonly runId: string;
  readonly step: string;
  readonly isAwaited: boolean;
  readonly origin: string;
  readonly message: OutboundMessage;
  readonly retry: RetryPolicy;
  readonly epoch: number;
  readonly attempts: number;
  readonly lastAttempt: number;
  readonly latestOf: string | null;
  readonly hasWaiter: boolean;
  readonly bytes: number;
  /** From then on another owner may send it. */
  leaseEndsAt: number;
  /** Its run is over. */
  isAborted = false;
  #attempt: AbortController | null = null;

  constructor(claimed: ClaimedDelivery, { runId, hasWaiter, leasedAt }: LeasedFor) {
    this.leaseEndsAt = leasedAt + LEASE_MS;
    this.id = claimed.id;
    this.runId = runId;
    this.step = claimed.step;
    this.isAwaited = claimed.isAwaited;
    this.origin = claimed.origin;
    this.message = claimed.message;
    this.retry = claimed.retry;
    this.epoch = claimed.epoch;
    this.attempts = claimed.attempts;
    this.lastAttempt = claimed.lastAttempt;
    this.latestOf = claimed.latestOf;
    this.hasWaiter = hasWaiter;
    this.bytes = bytesOf(claimed.message);
  }

  get lease(): DeliveryLease {
    return { id: this.id, epoch: this.epoch };
  }

  /** Returns the signal of the attempt that begins now; it is aborted already if the run is over. */
  beginAttempt(): AbortSignal {
    this.#attempt = new AbortController();
    if (this.isAborted) this.endAttempt();
    return this.#attempt.signal;
  }

  endAttempt(): void {
    // Passing a reason avoids an error, with its stack, for each abort.
    this.#attempt?.abort('the attempt is aborted');
  }

  abort(): void {
    this.isAborted = true;
    this.endAttempt();
  }
}

/** Renews leases. `now` is no later than the renewal. A delivery whose lease is stale is not sent here any more. */
export async function renewLeases(
  leased: readonly LeasedDelivery[],
  storage: Pick<DeliveryStore, 'renewDeliveries'>,
  now: number,
): Promise<void> {
  if (leased.length === 0) return;
  const stale = new Set(await storage.renewDeliveries(leased.map(({ lease }) => lease)));
  for (const delivery of leased) delivery.leaseEndsAt = stale.has(delivery.id) ? now : now + LEASE_MS;
}

export function bytesOf(message: OutboundMessage): number {
  const parts = message.transport === 'http' ? (message.body ?? []) : message.attachments.map(({ content }) => content);
  let bytes = 0;
  for (const part of parts) if (part instanceof Uint8Array) bytes += part.byteLength;
  return bytes;
}
