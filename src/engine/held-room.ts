// How much of what waits to be sent is held in memory, in bytes, and how much more each origin may hold.

import type { OriginLane } from './origin-lane.ts';

const MAX_HELD_BYTES = 64 * 2 ** 20;

export class HeldRoom {
  #heldBytes = 0;

  hold(lane: OriginLane, bytes: number): void {
    lane.held += 1;
    lane.heldBytes += bytes;
    this.#heldBytes += bytes;
  }

  letGo(lane: OriginLane, bytes: number): void {
    lane.held -= 1;
    lane.heldBytes -= bytes;
    this.#heldBytes -= bytes;
  }

  /** Of all origins. */
  left(): number {
    return Math.max(0, MAX_HELD_BYTES - this.#heldBytes);
  }

  /** An origin may hold as much as it leaves to the others, and one message in any case. */
  of(lane: OriginLane): number {
    return lane.held === 0 ? Number.POSITIVE_INFINITY : MAX_HELD_BYTES - this.#heldBytes - lane.heldBytes;
  }
}
