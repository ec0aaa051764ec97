// Adaptive group commit. What is asked for within one turn of the event loop goes out as one batch at the end of the
// turn; while a batch is in flight the next one gathers. No timer: an idle server commits at once, a busy one in
// groups as large as the disk is slow. The queue is bounded: what does not fit is refused, and nothing of it is done.

import { AppError } from '../errors.ts';
import type { MemoryAccount } from '../memory-budget.ts';

/** Names and argument lists in turn: a flat list is the cheapest thing to hand to another thread. */
export type Batch = (string | unknown[])[];

/** What each operation of a batch returned; what was refused is named by its place. */
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
  /** Sends one batch; what came of it comes back through `settle`. */
  send: (batch: Batch) => void;
  toError: (fault: Fault) => Error;
  /** Of one batch, and of all that waits behind it. */
  maxBatch: number;
  maxBatchBytes: number;
  maxPending: number;
  /** What waits and what is in flight may take. */
  memory: Pick<MemoryAccount, 'tryReserve' | 'release'>;
}

export interface CommitQueue<Fault> {
  /** `bytes` is what the operation weighs in the queue. */
  submit(name: string, args: unknown[], bytes: number): Promise<unknown>;
  settle(result: BatchResult<Fault>): void;
  /** Rejects all that waits and all that will. */
  fail(error: Error): void;
  /** Resolves once nothing waits and nothing is in flight. */
  idle(): Promise<void>;
}

export function createCommitQueue<Fault>(options: CommitQueueOptions<Fault>): CommitQueue<Fault> {
  let waiting: Pending[] = [];
  let inFlight: Pending[] = [];
  let inFlightBytes = 0;
  let isFlushPlanned = false;
  let failure: Error | null = null;
  let idleWaiters: (() => void)[] = [];

  function flush(): void {
    isFlushPlanned = false;
    if (inFlight.length > 0 || waiting.length === 0) return;
    const count = countOfBatch();
    inFlight = count === waiting.length ? waiting : waiting.slice(0, count);
    waiting = count === waiting.length ? [] : waiting.slice(count);
    const batch: Batch = [];
    for (const pending of inFlight) {
      batch.push(pending.name, pending.args);
      // It is the other thread's now; kept here until it is on disk, it would only be copied by the garbage collector.
      pending.args = SENT;
    }
    options.send(batch);
  }

  /** As many as the bounds of a batch allow, and one in any case; notes their bytes. */
  function countOfBatch(): number {
    const most = Math.min(waiting.length, options.maxBatch);
    let count = 0;
    for (inFlightBytes = 0; count < most; count += 1) {
      const { bytes } = waiting[count] as Pending;
      if (count > 0 && inFlightBytes + bytes > options.maxBatchBytes) break;
      inFlightBytes += bytes;
    }
    return count;
  }

  function planFlush(): void {
    if (isFlushPlanned || inFlight.length > 0) return;
    isFlushPlanned = true;
    setImmediate(flush);
  }

  function notifyIdle(): void {
    if (waiting.length > 0 || inFlight.length > 0) return;
    for (const resolve of idleWaiters) resolve();
    idleWaiters = [];
  }

  return {
    submit(name, args, bytes) {
      if (failure !== null) return Promise.reject(failure);
      if (waiting.length >= options.maxPending || !options.memory.tryReserve(bytes)) {
        return Promise.reject(
          new AppError('unavailable', 'the server is overloaded: too many writes wait for the disk', { retryAfterSeconds: 1 }),
        );
      }
      return new Promise((resolve, reject) => {
        waiting.push({ name, args, bytes, resolve, reject });
        planFlush();
      });
    },
    settle({ values, faults }) {
      // All that was in flight has been rejected already.
      if (failure !== null) return;
      const settled = inFlight;
      inFlight = [];
      options.memory.release(inFlightBytes);
      inFlightBytes = 0;
      // The next batch leaves before this one is told of, so that the disk never waits for the event loop.
      flush();
      for (const { index, fault } of faults) (settled[index] as Pending).reject(options.toError(fault));
      // Resolving what was rejected already does nothing.
      for (let index = 0; index < settled.length; index += 1) (settled[index] as Pending).resolve(values[index]);
      notifyIdle();
    },
    fail(error) {
      failure ??= error;
      const rejected = [...inFlight, ...waiting];
      for (const { bytes } of rejected) options.memory.release(bytes);
      inFlight = [];
      inFlightBytes = 0;
      waiting = [];
      for (const { reject } of rejected) reject(failure);
      notifyIdle();
    },
    idle: () =>
      new Promise((resolve) => {
        idleWaiters.push(resolve);
        notifyIdle();
      }),
  };
}
