// The threads of a database: the writer, the reader of lookups, and the reader of lists, which starts when it is first needed. If
// one of them fails, all refuse everything that follows.

import { join } from 'node:path';
import { AppError } from '../../errors.ts';
import type { MemoryAccount } from '../../memory-budget.ts';
import { PROGRAM_FOLDER } from '../../program-files.ts';
import { FatalStorageError } from '../storage-fault.ts';
import { bytesOfArguments } from './argument-bytes.ts';
import type { Call, Reads, Writes } from './operations.ts';
import type { ThreadOptions } from './storage-thread.ts';
import { ThreadHandle } from './thread-handle.ts';

const MIGRATIONS = join(PROGRAM_FOLDER, 'migrations/sqlite');

export interface ThreadsOptions {
  directory: string;
  /** Start although the witness says that commits are missing. */
  acceptLoss?: boolean;
  /** Bounds the bytes of writes that are not on disk yet. */
  memory: MemoryAccount;
  /** Called once, when the database cannot be trusted any more. The process should end. */
  onFatal: (error: FatalStorageError) => void;
}

export class StorageThreads {
  readonly #onFatal: (error: FatalStorageError) => void;
  readonly #start: (role: ThreadOptions['role']) => ThreadHandle;
  readonly #opened = new Map<ThreadOptions['role'], ThreadHandle>();
  #hasFailed = false;

  /** Opens the writer first: it takes the lock and migrates. The reader opens meanwhile, as no start needs a read. */
  static async open(options: ThreadsOptions): Promise<StorageThreads> {
    const threads = new StorageThreads(options);
    const writer = threads.#start('writer');
    await writer.open().catch(async (error: unknown) => {
      await writer.close();
      throw error;
    });
    const reader = threads.#start('reader');
    reader.open().catch((error: Error) => threads.#fail(new FatalStorageError(error.message)));
    return threads;
  }

  private constructor({ directory, acceptLoss = false, memory, onFatal }: ThreadsOptions) {
    this.#onFatal = onFatal;
    this.#start = (role) => {
      const options = { directory, acceptLoss, migrationsFolder: MIGRATIONS, role };
      const thread = new ThreadHandle(options, memory, (error) => this.#fail(error));
      this.#opened.set(role, thread);
      return thread;
    };
  }

  readonly write = ((name, args) => this.#thread('writer').queue.submit(name, args, bytesOfArguments(args))) as Call<Writes>;
  readonly read = ((name, args) => this.#thread('reader').queue.submit(name, args, 0)) as Call<Reads>;
  /** As `read`, in a thread of its own, so that no lookup waits for a list. */
  readonly list = ((name, args) => this.#listReader().queue.submit(name, args, 0)) as Call<Reads>;

  /** Resolves once all earlier reads are settled: a thread answers in order. */
  async settleReads(): Promise<void> {
    const lists = this.#opened.has('list-reader') ? this.list('findStream', ['']) : null;
    await Promise.all([this.read('findStream', ['']), lists]);
  }

  /** Resolves once all earlier calls are settled and the files are closed. */
  async close(): Promise<void> {
    await this.#opened.get('list-reader')?.close();
    await this.#thread('reader').close();
    await this.#thread('writer').close();
  }

  #thread(role: 'writer' | 'reader'): ThreadHandle {
    return this.#opened.get(role) as ThreadHandle;
  }

  /** A thread that cannot open the database refuses its lists only: the next one tries again. */
  #listReader(): ThreadHandle {
    const opened = this.#opened.get('list-reader');
    if (opened !== undefined) return opened;
    const reader = this.#start('list-reader');
    reader.open().catch((error: Error) => {
      if (this.#hasFailed) return;
      this.#opened.delete('list-reader');
      reader.queue.fail(new AppError('unavailable', 'lists cannot be read now; try again', { retryAfterSeconds: 1, cause: error }));
    });
    return reader;
  }

  #fail(error: FatalStorageError): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    // Nothing is acknowledged any more, not even a commit that might still succeed.
    for (const { queue } of this.#opened.values()) queue.fail(error);
    this.#onFatal(error);
  }
}
