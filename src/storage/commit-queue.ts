// Adaptive group commit. The operations that are submitted within one turn of the event loop are sent as one batch at the
// end of that turn. While a batch is in flight, the next one gathers. There is no timer: an idle server commits at once,
// and the groups of a busy one grow with the latency of its disk. The queue is bounded and refuses what exceeds a bound.

import { AppError } from '../errors.ts';
import type { MemoryAccount } from '../memory-budget.ts';

/** Names and argument lists by turns: a flat list is the cheapest value to copy to another thread. */
export type Batch = (string | unknown[])[];

/** The result of each operation of a batch, by index. `faults` lists the operations that were refused. */
export interface BatchResult<Fault> {
  values: unknown[];
  faults: { index: number; fault: Fault }[];
}

interface Pending {
  name: string;
  args: unknown[];
  bytes: number;
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

const SENT: unknown[] = [];

export interface CommitQueueOptions<Fault> {
  /** Sends one batch. Its result returns through `settle`. */
  send: (batch: Batch) => void;
  toError: (fault: Fault) => Error;
  /** Operations of one batch. */
  maxBatch: number;
  maxBatchBytes: number;
  /** Operations that wait for the batch in flight to end. */
  maxPending: number;
  /** Bounds the bytes of all operations, waiting or in flight. */
  memory: Pick<MemoryAccount, 'tryReserve' | 'release'>;
}

export class CommitQueue<Fault> {
  readonly #options: CommitQueueOptions<Fault>;
  #waiting: Pending[] = [];
  #inFlight: Pending[] = [];
  #inFlightBytes = 0;
  #isFlushPlanned = false;
  #failure: Error | null = null;
  #idleWaiters: (() => void)[] = [];
  readonly #flushNow = (): void => this.#flush();

  constructor(options: CommitQueueOptions<Fault>) {
    this.#options = options;
  }

  /**
   * Resolves with the operation's result once its batch is settled. `bytes` is the size of the arguments. Rejects with
   * `unavailable` if the queue is full.
   */
  submit(name: string, args: unknown[], bytes: number): Promise<unknown> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#waiting.length >= this.#options.maxPending || !this.#options.memory.tryReserve(bytes)) {
      return Promise.reject(
        new AppError('unavailable', 'the server is overloaded: too many writes wait for the disk', { retryAfterSeconds: 1 }),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, args, bytes, resolve, reject });
      this.#planFlush();
    });
  }

  /** Accepts the result of the batch in flight. */
  settle({ values, faults }: BatchResult<Fault>): void {
    // `fail` has rejected the whole batch already.
    if (this.#failure !== null) return;
    const settled = this.#inFlight;
    this.#inFlight = [];
    this.#options.memory.release(this.#inFlightBytes);
    this.#inFlightBytes = 0;
    // The next batch is sent before this one is announced, so that the disk never waits for the event loop.
    this.#flush();
    for (const { index, fault } of faults) (settled[index] as Pending).reject(this.#options.toError(fault));
    // Resolving a rejected promise does nothing.
    for (let index = 0; index < settled.length; index += 1) (settled[index] as Pending).resolve(values[index]);
    this.#notifyIdle();
  }

  /** Rejects all operations: those that wait, those in flight and all later ones. */
  fail(error: Error): void {
    this.#failure ??= error;
    const rejected = [...this.#inFlight, ...this.#waiting];
    for (const { bytes } of rejected) this.#options.memory.release(bytes);
    this.#inFlight = [];
    this.#inFlightBytes = 0;
    this.#waiting = [];
    for (const { reject } of rejected) reject(this.#failure);
    this.#notifyIdle();
  }

  /** Resolves once no operation waits or is in flight. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idleWaiters.push(resolve);
      this.#notifyIdle();
    });
  }

  #planFlush(): void {
    if (this.#isFlushPlanned || this.#inFlight.length > 0) return;
    this.#isFlushPlanned = true;
    setImmediate(this.#flushNow);
  }

  #flush(): void {
    this.#isFlushPlanned = false;
    if (this.#inFlight.length > 0 || this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    const count = this.#countOfBatch();
    this.#inFlight = count === waiting.length ? waiting : waiting.slice(0, count);
    this.#waiting = count === waiting.length ? [] : waiting.slice(count);
    const batch: Batch = [];
    for (const pending of this.#inFlight) {
      batch.push(pending.name, pending.args);
      // The other thread has its copy. Kept here until the commit, the arguments would only burden the garbage collector.
      pending.args = SENT;
    }
    this.#options.send(batch);
  }

  /** Returns how many operations fit the bounds of a batch, at least one, and sets the bytes in flight. */
  #countOfBatch(): number {
    const most = Math.min(this.#waiting.length, this.#options.maxBatch);
    let count = 0;
    let total = 0;
    for (; count < most; count += 1) {
      const { bytes } = this.#waiting[count] as Pending;
      if (count > 0 && total + bytes > this.#options.maxBatchBytes) break;
      total += bytes;
    }
    this.#inFlightBytes = total;
    return count;
  }

  #notifyIdle(): void {
    if (this.#waiting.length > 0 || this.#inFlight.length > 0) return;
    for (const resolve of this.#idleWaiters) resolve();
    this.#idleWaiters = [];
  }
}
