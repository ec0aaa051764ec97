// The deliveries leased here of which only the newest of a group waits. Storage lets one of a group be claimed at a time,
// and decides which are dropped; this finds the one that has to yield to a newer one.

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

  /** Takes the group's delivery out of its origin's queue; null where none is leased here, or its attempt has begun. */
  dequeue(group: string): Place | null {
    const place = this.#places.get(group);
    if (place === undefined || !place.origin.remove(place.delivery)) return null;
    this.#places.delete(group);
    return place;
  }
}
