// Adaptive group commit. What is asked for within one turn of the event loop goes out as one batch at the end of the
// turn; while a batch is in flight the next one gathers. No timer: an idle server commits at once, a busy one in
// groups as large as the disk is slow. The queue is bounded: what does not fit is refused, and nothing of it is done.

import { AppError } from '../../errors.ts';

export interface Operation {
  name: string;
  args: unknown[];
}

export type OperationResult<Fault> = { value: unknown } | { fault: Fault };

interface Pending {
  operation: Operation;
  bytes: number;
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

export interface CommitQueueOptions<Fault> {
  /** Sends one batch; its results come back through `settle`, in the same order. */
  send: (batch: Operation[]) => void;
  toError: (fault: Fault) => Error;
  /** Of one batch, and of all that waits behind it. */
  maxBatch: number;
  maxPending: number;
  maxPendingBytes: number;
}

export interface CommitQueue<Fault> {
  submit(operation: Operation, bytes: number): Promise<unknown>;
  settle(results: OperationResult<Fault>[]): void;
  /** Rejects all that waits and all that will. */
  fail(error: Error): void;
  /** Resolves once nothing waits and nothing is in flight. */
  idle(): Promise<void>;
}

export function createCommitQueue<Fault>(options: CommitQueueOptions<Fault>): CommitQueue<Fault> {
  let waiting: Pending[] = [];
  let waitingBytes = 0;
  let inFlight: Pending[] = [];
  let isFlushPlanned = false;
  let failure: Error | null = null;
  let idleWaiters: (() => void)[] = [];

  function flush(): void {
    isFlushPlanned = false;
    if (inFlight.length > 0 || waiting.length === 0) return;
    inFlight = waiting.length <= options.maxBatch ? waiting : waiting.slice(0, options.maxBatch);
    waiting = waiting.length <= options.maxBatch ? [] : waiting.slice(options.maxBatch);
    for (const { bytes } of inFlight) waitingBytes -= bytes;
    options.send(inFlight.map(({ operation }) => operation));
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
    submit(operation, bytes) {
      if (failure !== null) return Promise.reject(failure);
      if (waiting.length >= options.maxPending || waitingBytes + bytes > options.maxPendingBytes) {
        return Promise.reject(
          new AppError('unavailable', 'the server is overloaded: too many writes wait for the disk', { retryAfterSeconds: 1 }),
        );
      }
      return new Promise((resolve, reject) => {
        waiting.push({ operation, bytes, resolve, reject });
        waitingBytes += bytes;
        planFlush();
      });
    },
    settle(results) {
      const settled = inFlight;
      inFlight = [];
      // The next batch leaves before this one is told of, so that the disk never waits for the event loop.
      flush();
      for (const [index, { resolve, reject }] of settled.entries()) {
        const result = results[index] as OperationResult<Fault>;
        if ('fault' in result) reject(options.toError(result.fault));
        else resolve(result.value);
      }
      notifyIdle();
    },
    fail(error) {
      failure ??= error;
      const rejected = [...inFlight, ...waiting];
      inFlight = [];
      waiting = [];
      waitingBytes = 0;
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
