// Leased deliveries of `latest_wins` groups. Storage leases one delivery of a group at a time and decides which are
// dropped; this index finds the leased delivery that must yield to a newer one.

import type { LeasedDelivery } from './leased-delivery.ts';
import type { OriginQueue } from './origin-queue.ts';

interface Place {
  delivery: LeasedDelivery;
  origin: OriginQueue;
}

export class LeasedByGroup {
  readonly #places = new Map<string, Place>();

  add(delivery: LeasedDelivery, origin: OriginQueue): void {
    if (delivery.latestOf !== null) this.#places.set(delivery.latestOf, { delivery, origin });
  }

  remove(delivery: LeasedDelivery): void {
    if (delivery.latestOf !== null && this.#places.get(delivery.latestOf)?.delivery === delivery) this.#places.delete(delivery.latestOf);
  }

  /** Removes the group's delivery from its origin's queue; null if none is leased here, or its attempt has begun. */
  dequeue(group: string): Place | null {
    const place = this.#places.get(group);
    if (place === undefined || !place.origin.remove(place.delivery)) return null;
    this.#places.delete(group);
    return place;
  }
}
