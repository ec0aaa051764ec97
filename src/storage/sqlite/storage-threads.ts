// The writer and the reader thread of a database. If one of them fails, both refuse everything that follows.

import { join } from 'node:path';
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
  readonly #opened: ThreadHandle[] = [];
  readonly #start: (role: ThreadOptions['role']) => ThreadHandle;
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
      this.#opened.push(thread);
      return thread;
    };
  }

  readonly write = ((name, args) => this.#writer.queue.submit(name, args, bytesOfArguments(args))) as Call<Writes>;
  readonly read = ((name, args) => this.#reader.queue.submit(name, args, 0)) as Call<Reads>;

  /** Resolves once all earlier calls are settled and the files are closed. */
  async close(): Promise<void> {
    await this.#reader.close();
    await this.#writer.close();
  }

  get #writer(): ThreadHandle {
    return this.#opened[0] as ThreadHandle;
  }

  get #reader(): ThreadHandle {
    return this.#opened[1] as ThreadHandle;
  }

  #fail(error: FatalStorageError): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    // Nothing is acknowledged any more, not even a commit that might still succeed.
    for (const { queue } of this.#opened) queue.fail(error);
    this.#onFatal(error);
  }
}
