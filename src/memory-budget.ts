// Who may hold how many bytes of what callers send and are sent. One budget for the process, sized at start; each holder
// asks its account before it holds. Where an account is full, the caller of whoever has stood still the longest is cut
// off, and whoever finds no room all the same is refused.

import { getHeapStatistics } from 'node:v8';
import { AppError } from './errors.ts';

/** Parts of the whole: what callers send is in memory as bytes, as values and on its way to disk, and so on. */
const SHARES = {
  /** Bodies on their way in, until their run is on disk. */
  bodies: 1 / 8,
  /** Runs that are advanced here, with their bodies decoded. */
  runs: 1 / 4,
  /** Writes that wait for the disk. */
  commits: 1 / 8,
  /** Messages to receivers. */
  deliveries: 1 / 8,
  /** Stored runs that are being read, and answers that their readers have not taken. */
  answers: 1 / 8,
  /** Pixels of an image that is being converted. */
  images: 1 / 8,
} as const;

export type AccountName = keyof typeof SHARES;
export type MemoryBudget = Readonly<Record<AccountName, MemoryAccount>>;

/** Somebody whose caller can be cut off to make room. */
export interface Holder {
  /** Milliseconds since its caller last sent or took anything. */
  stalledMs(): number;
  /** Gives back what it holds, at once. */
  cut(): void;
}

interface Waiting {
  bytes: number;
  settle: (hasRoom: boolean) => void;
}

/** A caller that has stood still for less is taken for slow, and not for stuck. */
const STUCK_MS = 1000;
const LOOK_AGAIN_MS = 250;
const MAX_WAITING = 1000;

export class MemoryAccount {
  readonly name: AccountName;
  readonly limit: number;
  #used = 0;
  #peak = 0;
  readonly #holders = new Set<Holder>();
  readonly #line: Waiting[] = [];
  #lookAgain: NodeJS.Timeout | undefined;
  /** What is given back meanwhile is for whoever had others cut off. */
  #isCutting = false;

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

  get room(): number {
    return Math.max(0, this.limit - this.#used);
  }

  /** False where there is no room. More than the limit is taken only by whoever is alone. */
  take(bytes: number): boolean {
    if (this.#used > 0 && this.#used + bytes > this.limit && !this.#cutStuck(bytes)) return false;
    this.takeAnyway(bytes);
    return true;
  }

  /** For what must be held all the same; the account may be overdrawn, and refuses others until it no longer is. */
  takeAnyway(bytes: number): void {
    this.#used += bytes;
    if (this.#used > this.#peak) this.#peak = this.#used;
  }

  /** Throws `unavailable` where there is no room. */
  takeOrRefuse(bytes: number): void {
    if (!this.take(bytes)) throw noRoom();
  }

  /** Takes as soon as there is room, first come, first served. Rejects with `unavailable` when there is none in time. */
  async takeInTurn(bytes: number, waitMs: number): Promise<void> {
    if (this.#line.length === 0 && this.take(bytes)) return;
    if (this.#line.length >= MAX_WAITING) throw noRoom();
    const hasRoom = await new Promise<boolean>((resolve) => {
      const waiting: Waiting = { bytes, settle: resolve };
      const timer = setTimeout(() => {
        this.#line.splice(this.#line.indexOf(waiting), 1);
        resolve(false);
      }, waitMs);
      waiting.settle = (isTaken) => {
        clearTimeout(timer);
        resolve(isTaken);
      };
      this.#line.push(waiting);
      this.#planLook();
    });
    if (!hasRoom) throw noRoom();
  }

  give(bytes: number): void {
    this.#used -= bytes;
    if (this.#line.length > 0 && !this.#isCutting) this.#serveLine();
  }

  addHolder(holder: Holder): void {
    this.#holders.add(holder);
  }

  removeHolder(holder: Holder): void {
    this.#holders.delete(holder);
  }

  #serveLine(): void {
    for (let next = this.#line[0]; next !== undefined && this.take(next.bytes); next = this.#line[0]) {
      this.#line.shift();
      next.settle(true);
    }
    this.#planLook();
  }

  /** Nobody tells of a caller that becomes stuck. */
  #planLook(): void {
    if (this.#line.length === 0 || this.#lookAgain !== undefined) return;
    this.#lookAgain = setTimeout(() => {
      this.#lookAgain = undefined;
      this.#serveLine();
    }, LOOK_AGAIN_MS);
  }

  /** Cuts off those who have stood still the longest until there is room; false where that is not enough. */
  #cutStuck(bytes: number): boolean {
    if (this.#holders.size === 0) return false;
    const stuck = [...this.#holders].map((holder) => ({ holder, ms: holder.stalledMs() })).filter(({ ms }) => ms >= STUCK_MS);
    stuck.sort((a, b) => b.ms - a.ms);
    const hasRoom = (): boolean => this.#used === 0 || this.#used + bytes <= this.limit;
    this.#isCutting = true;
    for (const { holder } of stuck) {
      if (hasRoom()) break;
      this.#holders.delete(holder);
      holder.cut();
    }
    this.#isCutting = false;
    return hasRoom();
  }
}

export function createMemoryBudget(totalBytes: number): MemoryBudget {
  const accounts = Object.entries(SHARES).map(([name, share]) => [name, new MemoryAccount(name as AccountName, totalBytes * share)]);
  return Object.fromEntries(accounts) as MemoryBudget;
}

/**
 * What the process can hold, in bytes: the limit of V8's heap, which Node sets by the machine or `--max-old-space-size`,
 * and no more than a quarter of what its container may use: the thread of large runs has a heap as well, and bodies are in neither.
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

function noRoom(): AppError {
  return new AppError('unavailable', 'the server is overloaded: it holds as many bytes as its memory allows; try again', {
    retryAfterSeconds: 1,
  });
}
