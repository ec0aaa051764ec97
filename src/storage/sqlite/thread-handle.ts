// A storage thread as the main thread sees it: started at once, opened on request, and called through its commit queue.

import type { Worker } from 'node:worker_threads';
import type { MemoryAccount } from '../../memory-budget.ts';
import { startWorker } from '../../threads/start-worker.ts';
import { CommitQueue } from '../commit-queue.ts';
import { FatalStorageError, type FaultMessage, unpackFault } from '../storage-fault.ts';
import type { ThreadOptions, ThreadReply, ThreadRequest } from './storage-thread.ts';

const MAX_BATCH = 512;
const MAX_PENDING = 10_000;
const MAX_BATCH_BYTES = 4 * 2 ** 20;

export class ThreadHandle {
  readonly queue: CommitQueue<FaultMessage>;
  readonly #role: ThreadOptions['role'];
  readonly #worker: Worker;
  readonly #onFatal: (error: FatalStorageError) => void;
  readonly #exited: Promise<void>;
  #settleOpening: (error: Error | null) => void = () => undefined;

  constructor(options: ThreadOptions, memory: MemoryAccount, onFatal: (error: FatalStorageError) => void) {
    this.#role = options.role;
    this.#onFatal = onFatal;
    this.#worker = startWorker('storage/sqlite/storage-thread', { workerData: options, name: `storage-${options.role}` });
    this.queue = new CommitQueue<FaultMessage>({
      send: (batch) => this.#send(batch),
      toError: (fault) => this.#toError(fault),
      maxBatch: MAX_BATCH,
      maxBatchBytes: MAX_BATCH_BYTES,
      maxPending: MAX_PENDING,
      memory,
    });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.on('error', (cause) => this.#handleDeath(cause));
    this.#worker.on('message', (reply: ThreadReply) => this.#handleReply(reply));
  }

  /** Resolves once the thread has opened the database. Rejects with the reason if it cannot. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settleOpening = (error) => (error === null ? resolve() : reject(error));
      this.#send('open');
    });
  }

  /** Resolves once all submitted operations are settled and the thread has ended. */
  async close(): Promise<void> {
    await this.queue.idle();
    this.queue.fail(new Error('the storage is closed'));
    this.#send('close');
    await this.#exited;
  }

  #send(request: ThreadRequest): void {
    this.#worker.postMessage(request);
  }

  #toError(fault: FaultMessage): Error {
    const error = unpackFault(fault);
    if (error instanceof FatalStorageError) this.#onFatal(error);
    return error;
  }

  #handleDeath(cause: Error): void {
    const fatal = new FatalStorageError(`the storage ${this.#role} thread died: ${cause.message}`, { cause });
    this.queue.fail(fatal);
    this.#settleOpening(fatal);
    this.#onFatal(fatal);
  }

  #handleReply(reply: ThreadReply): void {
    if (reply.kind === 'result') this.queue.settle(reply.result);
    else if (reply.kind === 'failed') this.#onFatal(unpackFault(reply.fault));
    else this.#settleOpening(reply.kind === 'ready' ? null : new Error(reply.message));
  }
}
