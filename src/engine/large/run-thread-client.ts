// Sends requests to the thread of large runs. The thread starts with the first request and ends, with all its memory,
// after a while without requests. If it dies, the request in progress rejects with ThreadDied, all others with ThreadLost.

import type { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode } from '../../errors.ts';
import { startWorker } from '../../threads/start-worker.ts';
import type { Ask, Reply } from './messages.ts';

/** The thread died during the request, and would most likely die again. */
export class ThreadDied extends Error {}
/** The thread died before the request, or with a run that it kept. */
export class ThreadLost extends Error {}

export interface RunThreadOptions {
  /** For `run-thread.ts`. */
  data: unknown;
  /** Limit of its heap, in bytes. */
  maxHeapBytes: number;
}

type Answer = Exclude<Reply, { refused: unknown } | { broken: string }>;

interface Pending {
  id: number;
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

const IDLE_MS = 10_000;

export class RunThreadClient {
  readonly #options: RunThreadOptions;
  #worker: Worker | null = null;
  /** In the order of the requests, which is the order of the answers. */
  #pending: Pending[] = [];
  /** Runs that the thread keeps. */
  readonly #kept = new Set<number>();
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: RunThreadOptions) {
    this.#options = options;
  }

  /** Rejects with AppError for a fault of the caller, ThreadDied, or ThreadLost. */
  ask(ask: Exclude<Ask, { ask: 'drop' }>): Promise<Answer> {
    const { id } = ask;
    if (ask.ask !== 'plan') this.#kept.add(id);
    else if (!this.#kept.has(id)) return Promise.reject(new ThreadLost());
    clearTimeout(this.#idleTimer);
    this.#worker ??= this.#start();
    this.#worker.postMessage(ask);
    return new Promise((resolve, reject) => this.#pending.push({ id, resolve, reject }));
  }

  /** Lets the thread forget the run. */
  drop(id: number): void {
    if (!this.#kept.delete(id)) return;
    this.#worker?.postMessage({ id, ask: 'drop' } satisfies Ask);
    if (this.#kept.size === 0) this.#idleTimer = setTimeout(() => void this.close(), IDLE_MS).unref();
  }

  async close(): Promise<void> {
    clearTimeout(this.#idleTimer);
    const ended = this.#worker;
    this.#worker = null;
    this.#kept.clear();
    for (const { reject } of this.#pending.splice(0)) reject(new ThreadLost('the thread of large runs is closed'));
    await ended?.terminate();
  }

  #start(): Worker {
    const { data, maxHeapBytes } = this.#options;
    const limits = { maxOldGenerationSizeMb: Math.floor(maxHeapBytes / 2 ** 20) };
    const worker = startWorker('run-thread', { workerData: data, name: 'large-runs', resourceLimits: limits });
    worker.unref();
    worker.on('message', (reply: Reply) => this.#settle(reply));
    worker.on('error', () => undefined);
    worker.on('exit', () => this.#lose(worker));
    return worker;
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.shift();
    if (pending === undefined || pending.id !== reply.id) throw new Error('the thread of large runs sent an answer without a request');
    if ('refused' in reply) pending.reject(new AppError(reply.refused.code as ErrorCode, reply.refused.message, reply.refused));
    else if ('broken' in reply) pending.reject(new Error(reply.broken));
    else pending.resolve(reply);
  }

  #lose(worker: Worker): void {
    // A thread that ended because it was idle has no requests, and another may have started since.
    if (this.#worker !== worker) return;
    this.#worker = null;
    const [first, ...others] = this.#pending.splice(0);
    this.#kept.clear();
    first?.reject(new ThreadDied('the thread of large runs died'));
    for (const { reject } of others) reject(new ThreadLost('the thread of large runs died'));
  }
}
