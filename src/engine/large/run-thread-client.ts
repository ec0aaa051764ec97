// Asks the thread of large runs, which is started for the first one and ended, with all its memory, when nothing has come
// for a while. What the thread is doing when it dies is told from what only waited for it.

import { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode } from '../../errors.ts';
import type { Ask, Reply } from './messages.ts';

/** The thread died while it did what was asked: asked again, it would most likely die again. */
export class ThreadDied extends Error {}
/** The thread died before it came to what was asked, or with a run that it kept. */
export class ThreadLost extends Error {}

export interface RunThreadOptions {
  /** The module that the thread runs, and what it is given. */
  module: URL;
  data: unknown;
  /** Of its heap. */
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
  /** In the order in which it was asked, which is the order of the answers. */
  #pending: Pending[] = [];
  /** Runs that the thread keeps. */
  readonly #kept = new Set<number>();
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: RunThreadOptions) {
    this.#options = options;
  }

  /** Rejects with AppError for what the caller did, ThreadDied, or ThreadLost. */
  ask(ask: Exclude<Ask, { ask: 'drop' }>): Promise<Answer> {
    const { id } = ask;
    if (ask.ask !== 'plan') this.#kept.add(id);
    else if (!this.#kept.has(id)) return Promise.reject(new ThreadLost());
    clearTimeout(this.#idleTimer);
    this.#worker ??= this.#start();
    this.#worker.postMessage(ask);
    return new Promise((resolve, reject) => this.#pending.push({ id, resolve, reject }));
  }

  /** The thread need not keep the run any more. */
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
    const { module, data, maxHeapBytes } = this.#options;
    const limits = { maxOldGenerationSizeMb: Math.floor(maxHeapBytes / 2 ** 20) };
    const worker = new Worker(module, { workerData: data, execArgv: [], name: 'large-runs', resourceLimits: limits });
    worker.unref();
    worker.on('message', (reply: Reply) => this.#settle(reply));
    worker.on('error', () => undefined);
    worker.on('exit', () => this.#lose(worker));
    return worker;
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.shift();
    if (pending === undefined || pending.id !== reply.id) throw new Error('the thread of large runs answers what it was not asked');
    if ('refused' in reply) pending.reject(new AppError(reply.refused.code as ErrorCode, reply.refused.message, reply.refused));
    else if ('broken' in reply) pending.reject(new Error(reply.broken));
    else pending.resolve(reply);
  }

  #lose(worker: Worker): void {
    // One that was ended because it was idle has nothing to lose, and another may have been started since.
    if (this.#worker !== worker) return;
    this.#worker = null;
    const [first, ...others] = this.#pending.splice(0);
    this.#kept.clear();
    first?.reject(new ThreadDied('the thread of large runs died'));
    for (const { reject } of others) reject(new ThreadLost('the thread of large runs died'));
  }
}
