// How much of what waits to be sent is held in memory, in bytes, and how much more each origin may hold.

import type { MemoryAccount } from '../../memory-budget.ts';
import type { OriginLane } from './origin-queue.ts';

const MAX_HELD_BYTES = 64 * 2 ** 20;
/** First messages of origins may take so many times as much, so that those who do not answer keep no other one out. */
const FIRST_MESSAGES = 4;
/** So many of them are claimed at once. */
const MAX_FRESH = 32;

export class HeldRoom {
  readonly #account: MemoryAccount;
  readonly #most: number;

  constructor(account: MemoryAccount) {
    this.#account = account;
    this.#most = Math.min(MAX_HELD_BYTES, account.limit);
  }

  hold(lane: OriginLane, bytes: number): void {
    lane.held += 1;
    lane.heldBytes += bytes;
    this.#account.takeAnyway(bytes);
  }

  /** True where an origin that was to hold nothing may hold its first message now. */
  letGo(lane: OriginLane, bytes: number): boolean {
    const wasFull = this.isFull;
    lane.held -= 1;
    lane.heldBytes -= bytes;
    this.#account.give(bytes);
    return wasFull && !this.isFull;
  }

  /** Of all origins. */
  left(): number {
    return Math.max(0, this.#most - this.#account.used);
  }

  /** So many origins hold a first message that no further one may. */
  get isFull(): boolean {
    return this.#account.used >= FIRST_MESSAGES * this.#most;
  }

  /** An origin may hold as much as it leaves to the others, and one message unless there are too many such origins. */
  of(lane: OriginLane): number {
    if (lane.held === 0) return this.isFull ? 0 : Number.POSITIVE_INFINITY;
    return this.#most - this.#account.used - lane.heldBytes;
  }

  /** Lanes that may claim more. Of those that hold nothing only some: what their first messages weigh is not known before. */
  claimable(lanes: Iterable<OriginLane>, now: number): OriginLane[] {
    let fresh = 0;
    return [...lanes].filter((lane) => {
      if (lane.roomForClaims(now) <= 0 || this.of(lane) <= 0) return false;
      if (lane.held === 0) fresh += 1;
      return lane.held > 0 || fresh <= MAX_FRESH;
    });
  }
}
