// The memory budget of the process for data from and to callers, sized at start and divided into accounts. When an account
// is full, callers that stalled the longest are disconnected; if that frees too little, the reservation is refused.

import { getHeapStatistics } from 'node:v8';
import { AppError } from './errors.ts';

/** Shares of the whole budget: data is in memory as bytes, as decoded values, as pending writes, and so on. */
const SHARES = {
  /** Request bodies, until their run is on disk. */
  bodies: 1 / 8,
  /** Runs in memory, with their bodies decoded. */
  runs: 1 / 4,
  /** Writes that wait for the disk. */
  commits: 1 / 8,
  /** Messages to receivers. */
  deliveries: 1 / 8,
  /** Stored runs that are being read, and answers that are not yet sent. */
  answers: 1 / 8,
  /** Pixels of an image that is being converted. */
  images: 1 / 8,
} as const;

export type AccountName = keyof typeof SHARES;
export type MemoryBudget = Readonly<Record<AccountName, MemoryAccount>>;

/** Owns reserved memory, which disconnecting its caller releases. */
export interface Holder {
  /** Milliseconds since its caller last sent or received anything. */
  stalledMs(): number;
  /** Disconnects the caller, and releases the memory before it returns. */
  abort(): void;
}

interface Waiter {
  bytes: number;
  settle: (isFree: boolean) => void;
}

/** A caller that stalled for less time counts as slow. */
const STALLED_MS = 1000;
const CHECK_EVERY_MS = 250;
const MAX_WAITING = 1000;

export class MemoryAccount {
  readonly name: AccountName;
  readonly limit: number;
  #used = 0;
  #peak = 0;
  readonly #holders = new Set<Holder>();
  readonly #queue: Waiter[] = [];
  #nextCheck: NodeJS.Timeout | undefined;
  /** Memory released meanwhile goes to the reservation that caused the aborts. */
  #isAborting = false;

  constructor(name: AccountName, limit: number) {
    this.name = name;
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  get peak(): number {
    return this.#peak;
  }

  get available(): number {
    return Math.max(0, this.limit - this.#used);
  }

  /** Returns false when the account is full. More than the limit can be reserved only in an empty account. */
  tryReserve(bytes: number): boolean {
    if (this.#used > 0 && this.#used + bytes > this.limit && !this.#abortStalled(bytes)) return false;
    this.reserveAnyway(bytes);
    return true;
  }

  /** For memory that is used in any case. May overdraw the account, which then refuses other reservations. */
  reserveAnyway(bytes: number): void {
    this.#used += bytes;
    if (this.#used > this.#peak) this.#peak = this.#used;
  }

  /** Throws `unavailable` when the account is full. */
  reserve(bytes: number): void {
    if (!this.tryReserve(bytes)) throw overloaded();
  }

  /** Reserves once memory is free, in order of arrival. Rejects with `unavailable` when none becomes free in time. */
  async reserveSerially(bytes: number, waitMs: number): Promise<void> {
    if (this.#queue.length === 0 && this.tryReserve(bytes)) return;
    if (this.#queue.length >= MAX_WAITING) throw overloaded();
    const isFree = await new Promise<boolean>((resolve) => {
      const waiting: Waiter = { bytes, settle: resolve };
      const timer = setTimeout(() => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        resolve(false);
      }, waitMs);
      waiting.settle = (isTaken) => {
        clearTimeout(timer);
        resolve(isTaken);
      };
      this.#queue.push(waiting);
      this.#scheduleCheck();
    });
    if (!isFree) throw overloaded();
  }

  release(bytes: number): void {
    this.#used -= bytes;
    if (this.#queue.length > 0 && !this.#isAborting) this.#serveQueue();
  }

  addHolder(holder: Holder): void {
    this.#holders.add(holder);
  }

  removeHolder(holder: Holder): void {
    this.#holders.delete(holder);
  }

  #serveQueue(): void {
    for (let next = this.#queue[0]; next !== undefined && this.tryReserve(next.bytes); next = this.#queue[0]) {
      this.#queue.shift();
      next.settle(true);
    }
    this.#scheduleCheck();
  }

  /** There is no event for a caller that stalls, so waiters are checked again after a while. */
  #scheduleCheck(): void {
    if (this.#queue.length === 0 || this.#nextCheck !== undefined) return;
    this.#nextCheck = setTimeout(() => {
      this.#nextCheck = undefined;
      this.#serveQueue();
    }, CHECK_EVERY_MS);
  }

  /** Aborts the longest stalled callers until `bytes` fit. Returns false when that is not enough. */
  #abortStalled(bytes: number): boolean {
    if (this.#holders.size === 0) return false;
    const stalled = [...this.#holders].map((holder) => ({ holder, ms: holder.stalledMs() })).filter(({ ms }) => ms >= STALLED_MS);
    stalled.sort((a, b) => b.ms - a.ms);
    const isFree = (): boolean => this.#used === 0 || this.#used + bytes <= this.limit;
    this.#isAborting = true;
    for (const { holder } of stalled) {
      if (isFree()) break;
      this.#holders.delete(holder);
      holder.abort();
    }
    this.#isAborting = false;
    return isFree();
  }
}

export function createMemoryBudget(totalBytes: number): MemoryBudget {
  const accounts = Object.entries(SHARES).map(([name, share]) => [name, new MemoryAccount(name as AccountName, totalBytes * share)]);
  return Object.fromEntries(accounts) as MemoryBudget;
}

/**
 * Bytes of memory for the budget: V8's heap limit, which Node derives from the machine or `--max-old-space-size`, but at
 * most a quarter of the container's limit: the thread of large runs has a heap as well, and bodies are in neither heap.
 */
export function measureMemory(): number {
  const heap = getHeapStatistics().heap_size_limit;
  const container = process.constrainedMemory();
  return container > 0 && container < Number.MAX_SAFE_INTEGER ? Math.min(heap, container / 4) : heap;
}

/** In bytes, by account. */
export function describeMemory(budget: MemoryBudget): Record<string, { used: number; peak: number; limit: number }> {
  return Object.fromEntries(Object.values(budget).map(({ name, used, peak, limit }) => [name, { used, peak, limit: Math.floor(limit) }]));
}

function overloaded(): AppError {
  return new AppError('unavailable', 'the server is overloaded: its memory budget is used up; try again', {
    retryAfterSeconds: 1,
  });
}
