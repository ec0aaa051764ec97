// The deliveries held here of which only the newest of a group waits. Storage lets one of a group be claimed at a time,
// and decides which are dropped; this finds the one that has to give way.

import type { HeldDelivery } from './held-delivery.ts';
import type { OriginLane } from './origin-queue.ts';

interface Place {
  held: HeldDelivery;
  lane: OriginLane;
}

export class LatestHeld {
  readonly #places = new Map<string, Place>();

  take(held: HeldDelivery, lane: OriginLane): void {
    if (held.latestOf !== null) this.#places.set(held.latestOf, { held, lane });
  }

  /** It is held no longer. */
  letGo(held: HeldDelivery): void {
    if (held.latestOf !== null && this.#places.get(held.latestOf)?.held === held) this.#places.delete(held.latestOf);
  }

  /** Takes the one of the group out of its lane; null where none is held, or it has begun to be sent. */
  takeBack(group: string): Place | null {
    const place = this.#places.get(group);
    if (place === undefined || !place.lane.remove(place.held)) return null;
    this.#places.delete(group);
    return place;
  }
}
