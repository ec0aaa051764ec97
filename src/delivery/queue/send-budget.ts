// The memory for messages that are leased, and the share of it that each origin may still use.

import type { MemoryAccount } from '../../memory-budget.ts';
import type { OriginQueue } from './origin-queue.ts';

const MAX_BYTES = 64 * 2 ** 20;
/** First messages of origins may exceed the limit this many times, so that silent origins do not block the others. */
const FIRST_MESSAGES = 4;
/** First messages claimed at once. */
const MAX_FIRST = 32;

export class SendBudget {
  readonly #account: MemoryAccount;
  readonly #limit: number;

  constructor(account: MemoryAccount) {
    this.#account = account;
    this.#limit = Math.min(MAX_BYTES, account.limit);
  }

  add(origin: OriginQueue, bytes: number): void {
    origin.leased += 1;
    origin.leasedBytes += bytes;
    this.#account.reserveAnyway(bytes);
  }

  /** True if an origin without messages may lease its first one now, and could not before. */
  remove(origin: OriginQueue, bytes: number): boolean {
    const wasExhausted = this.#isExhausted;
    origin.leased -= 1;
    origin.leasedBytes -= bytes;
    this.#account.release(bytes);
    return wasExhausted && !this.#isExhausted;
  }

  /** Bytes left for all origins together. */
  get remaining(): number {
    return Math.max(0, this.#limit - this.#account.used);
  }

  /** Bytes that an origin may still lease: as many as it leaves free for the others. Its first message may have any size. */
  availableTo(origin: OriginQueue): number {
    if (origin.leased === 0) return this.#isExhausted ? 0 : Number.POSITIVE_INFINITY;
    return this.#limit - this.#account.used - origin.leasedBytes;
  }

  /** Origins that may claim more. Of origins without messages only a few: the size of a first message is not known yet. */
  claimable(origins: Iterable<OriginQueue>, now: number): OriginQueue[] {
    let first = 0;
    return [...origins].filter((origin) => {
      if (origin.claimableCount(now) <= 0 || this.availableTo(origin) <= 0) return false;
      if (origin.leased === 0) first += 1;
      return origin.leased > 0 || first <= MAX_FIRST;
    });
  }

  /** First messages have used up their limit. */
  get #isExhausted(): boolean {
    return this.#account.used >= FIRST_MESSAGES * this.#limit;
  }
}
