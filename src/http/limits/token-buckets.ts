// Token buckets by key. The number of buckets is bounded. Only buckets that are not full are kept, each as the moment at which
// it will be full. Beyond the bound the fullest are forgotten first: this loses least, and it can only favour a client.

import type { Clock } from '../../clock.ts';
import type { Rate } from '../../core/sink/limits/rate-setting.ts';

const MAX_BUCKETS = 20_000;
/** The share of the buckets that stay when some are forgotten: this bounds how often all of them are read. */
const KEPT_SHARE = 3 / 4;

/** Buckets of several rates within one bound. */
export class BucketPool {
  readonly clock: Clock;
  readonly #maxBuckets: number;
  readonly #groups = new Set<TokenBuckets>();
  #size = 0;

  constructor(clock: Clock, maxBuckets = MAX_BUCKETS) {
    this.clock = clock;
    this.#maxBuckets = maxBuckets;
  }

  get size(): number {
    return this.#size;
  }

  add(rate: Rate): TokenBuckets {
    const group = new TokenBuckets(rate, this);
    this.#groups.add(group);
    return group;
  }

  remove(group: TokenBuckets): void {
    if (this.#groups.delete(group)) this.#size -= group.size;
  }

  /** Called for each new bucket. */
  count(): void {
    this.#size += 1;
    if (this.#size <= this.#maxBuckets) return;
    const kept = Math.floor(this.#maxBuckets * KEPT_SHARE);
    const used = Float64Array.from([...this.#groups].flatMap((group) => group.usedShares())).sort();
    const limit = used[this.#size - kept - 1] as number;
    this.#forget((share) => share === 0 || share < limit, this.#size);
    // Of the buckets at the limit, the oldest make up the rest.
    this.#forget((share) => share === limit, this.#size - kept);
  }

  #forget(isForgotten: (usedShare: number) => boolean, count: number): void {
    let left = count;
    for (const group of this.#groups) left -= group.forget(isForgotten, left);
    this.#size -= count - left;
  }
}

export class TokenBuckets {
  readonly rate: Rate;
  readonly #pool: BucketPool;
  readonly #msPerToken: number;
  readonly #fullAt = new Map<string, number>();

  /** Use `BucketPool.add`. */
  constructor(rate: Rate, pool: BucketPool) {
    this.rate = rate;
    this.#pool = pool;
    this.#msPerToken = 1000 / rate.perSecond;
  }

  get size(): number {
    return this.#fullAt.size;
  }

  /** The seconds until there is a token; 0 if there is one. */
  wait(key: string): number {
    return this.#waitSeconds(this.#missingMs(key, this.#pool.clock()));
  }

  /** Takes a token. Returns 0, or the seconds until there is one. */
  take(key: string): number {
    const now = this.#pool.clock();
    const missingMs = this.#missingMs(key, now);
    const wait = this.#waitSeconds(missingMs);
    if (wait > 0) return wait;
    this.#set(key, now + missingMs + this.#msPerToken);
    return 0;
  }

  /** Takes the token of an earlier request; oldest first. */
  takePast(key: string, at: number): void {
    const fullAt = Math.max(this.#fullAt.get(key) ?? at, at) + this.#msPerToken;
    this.#set(key, Math.min(fullAt, at + this.rate.burst * this.#msPerToken));
  }

  /** The bucket was empty at a moment. */
  emptyAt(key: string, at: number): void {
    this.#set(key, at + this.rate.burst * this.#msPerToken);
  }

  /** The whole tokens of a bucket, and the seconds until it is full. */
  left(key: string): { tokens: number; fullInSeconds: number } {
    const missingMs = this.#missingMs(key, this.#pool.clock());
    const tokens = Math.max(0, Math.floor(this.rate.burst - missingMs / this.#msPerToken + TOLERANCE));
    return { tokens, fullInSeconds: Math.ceil(missingMs / 1000) };
  }

  /** How much of each bucket is used, from 0 to 1. */
  usedShares(): number[] {
    const now = this.#pool.clock();
    return Array.from(this.#fullAt.keys(), (key) => this.#usedShare(key, now));
  }

  /** Forgets at most `most` buckets, the oldest first. Returns their number. */
  forget(isForgotten: (usedShare: number) => boolean, most: number): number {
    const now = this.#pool.clock();
    let forgotten = 0;
    for (const key of this.#fullAt.keys()) {
      if (forgotten >= most) break;
      if (!isForgotten(this.#usedShare(key, now))) continue;
      this.#fullAt.delete(key);
      forgotten += 1;
    }
    return forgotten;
  }

  #set(key: string, fullAt: number): void {
    const isNew = !this.#fullAt.has(key);
    this.#fullAt.set(key, fullAt);
    if (isNew) this.#pool.count();
  }

  #usedShare(key: string, now: number): number {
    return this.#missingMs(key, now) / (this.rate.burst * this.#msPerToken);
  }

  /** The time to fill the bucket; never longer than for an empty bucket, even if the clock was set back. */
  #missingMs(key: string, now: number): number {
    return Math.min(Math.max(0, (this.#fullAt.get(key) ?? now) - now), this.rate.burst * this.#msPerToken);
  }

  #waitSeconds(missingMs: number): number {
    const waitMs = missingMs - (this.rate.burst - 1) * this.#msPerToken;
    return waitMs / this.#msPerToken <= TOLERANCE ? 0 : Math.max(1, Math.ceil(waitMs / 1000));
  }
}

/** In tokens: sums of fractions are not exact. */
const TOLERANCE = 1e-6;
