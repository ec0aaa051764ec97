// How many bytes of messages are kept in memory to be sent, and how many more each origin may have there.

import type { MemoryAccount } from '../../memory-budget.ts';
import type { OriginQueue } from './origin-queue.ts';

const MAX_BYTES = 64 * 2 ** 20;
/** First messages of origins may take this many times as much, so that origins that do not answer keep no other one out. */
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

  /** True where an origin without messages may have its first one now, and could not before. */
  remove(origin: OriginQueue, bytes: number): boolean {
    const wasExhausted = this.#isExhausted;
    origin.leased -= 1;
    origin.leasedBytes -= bytes;
    this.#account.release(bytes);
    return wasExhausted && !this.#isExhausted;
  }

  /** Bytes for all origins together. */
  get remaining(): number {
    return Math.max(0, this.#limit - this.#account.used);
  }

  /** Bytes for one origin: as many as it leaves to the others, and its first message whatever that weighs. */
  availableTo(origin: OriginQueue): number {
    if (origin.leased === 0) return this.#isExhausted ? 0 : Number.POSITIVE_INFINITY;
    return this.#limit - this.#account.used - origin.leasedBytes;
  }

  /** Origins that may claim more. Of those without messages only some: what their first messages weigh is not known before. */
  claimable(origins: Iterable<OriginQueue>, now: number): OriginQueue[] {
    let first = 0;
    return [...origins].filter((origin) => {
      if (origin.claimableCount(now) <= 0 || this.availableTo(origin) <= 0) return false;
      if (origin.leased === 0) first += 1;
      return origin.leased > 0 || first <= MAX_FIRST;
    });
  }

  /** First messages have taken all that they may. */
  get #isExhausted(): boolean {
    return this.#account.used >= FIRST_MESSAGES * this.#limit;
  }
}
