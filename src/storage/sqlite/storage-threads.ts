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
  readonly #opened: ThreadHandle[] = [];
  readonly #start: (role: ThreadOptions['role']) => ThreadHandle;
  #lists: ThreadHandle | undefined;
  #isClosing = false;
  #hasFailed = false;

  /** Opens the writer first: it takes the lock and migrates. The reader opens meanwhile, as no start needs a read. */
  static async open(options: ThreadsOptions): Promise<StorageThreads> {
    const threads = new StorageThreads(options);
    const writer = threads.#start('writer');
    threads.#opened.push(writer);
    await writer.open().catch(async (error: unknown) => {
      await writer.close();
      throw error;
    });
    const reader = threads.#start('reader');
    threads.#opened.push(reader);
    reader.open().catch((error: Error) => threads.#fail(new FatalStorageError(error.message)));
    return threads;
  }

  private constructor({ directory, acceptLoss = false, memory, onFatal }: ThreadsOptions) {
    this.#onFatal = onFatal;
    this.#start = (role) => {
      const options = { directory, acceptLoss, migrationsFolder: MIGRATIONS, role };
      return new ThreadHandle(options, memory, (error) => this.#fail(error));
    };
  }

  readonly write = ((name, args) => this.#writer.queue.submit(name, args, bytesOfArguments(args))) as Call<Writes>;
  readonly read = ((name, args) => this.#reader.queue.submit(name, args, 0)) as Call<Reads>;
  /** As `read`, in a thread of its own, so that no lookup waits for a list. */
  readonly list = ((name, args) => this.#listReader().queue.submit(name, args, 0)) as Call<Reads>;

  /** Resolves once all earlier reads are settled. The reader answers in order. */
  async settleReads(): Promise<void> {
    await Promise.all([this.read('findStream', ['']), this.#lists?.queue.idle()]);
  }

  /** Resolves once all earlier calls are settled and the files are closed. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#lists?.close();
    await this.#reader.close();
    await this.#writer.close();
  }

  get #writer(): ThreadHandle {
    return this.#opened[0] as ThreadHandle;
  }

  get #reader(): ThreadHandle {
    return this.#opened[1] as ThreadHandle;
  }

  /** A thread that cannot open the database refuses its lists only: the next one tries again. */
  #listReader(): ThreadHandle {
    if (this.#lists !== undefined) return this.#lists;
    // No thread starts any more: the reader refuses the list.
    if (this.#isClosing || this.#hasFailed) return this.#reader;
    const reader = this.#start('list-reader');
    this.#lists = reader;
    reader.open().catch((error: unknown) => {
      if (this.#hasFailed) return;
      this.#lists = undefined;
      reader.queue.fail(new AppError('unavailable', 'lists cannot be read now; try again', { retryAfterSeconds: 1, cause: error }));
    });
    return reader;
  }

  #fail(error: FatalStorageError): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    // Nothing is acknowledged any more, not even a commit that might still succeed.
    for (const { queue } of this.#opened) queue.fail(error);
    this.#lists?.queue.fail(error);
    this.#onFatal(error);
  }
}
