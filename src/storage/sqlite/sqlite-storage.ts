// Storage on one SQLite file: a writer thread behind a commit queue, and a reader thread beside it.

import { join } from 'node:path';
import type { MemoryAccount } from '../../memory-budget.ts';
import { PROGRAM_FOLDER } from '../../program-files.ts';
import type { CreateRunResult } from '../run-records.ts';
import type { Storage } from '../storage.ts';
import { FatalStorageError } from '../storage-fault.ts';
import { bytesOfArguments } from './argument-bytes.ts';
import { type PackedClaims, unpackClaims } from './deliveries/claimed-deliveries.ts';
import { deliveryAttempts } from './deliveries/delivery-columns.ts';
import { type OperationName, READS, WRITES } from './operations.ts';
import { runs } from './runs/run-columns.ts';
import { turns } from './runs/turn-columns.ts';
import { ThreadHandle } from './thread-handle.ts';

const MIGRATIONS = join(PROGRAM_FOLDER, 'migrations/sqlite');

export interface SqliteStorageOptions {
  directory: string;
  /** Start although the witness says that commits are missing. */
  acceptLoss?: boolean;
  /** Bounds the bytes of writes that are not on disk yet. */
  memory: MemoryAccount;
  /** Called once, when the database cannot be trusted any more. The process should end. */
  onFatal: (error: FatalStorageError) => void;
}

interface Threads {
  writer: ThreadHandle;
  reader: ThreadHandle;
}

/**
 * Opens the database of a data directory, or creates it. Rejects with one line for the operator if the directory is in use,
 * damaged, read-only or of a newer program.
 */
export async function openSqliteStorage(options: SqliteStorageOptions): Promise<Storage> {
  const threads = await openThreads(options);
  const read = (name: OperationName, args: unknown[]): Promise<unknown> => threads.reader.queue.submit(name, args, 0);
  const write = (name: OperationName, args: unknown[]): Promise<unknown> => threads.writer.queue.submit(name, args, bytesOfArguments(args));

  const methods: Partial<Record<OperationName, (...args: unknown[]) => Promise<unknown>>> = {};
  for (const name of READS) methods[name] = (...args) => read(name, args);
  for (const name of WRITES) methods[name] = (...args) => write(name, args);

  return {
    ...(methods as unknown as Omit<Storage, 'close' | keyof PackingMethods>),
    ...packingMethods(write),
    close: closeOnce(threads),
  };
}

/** Opens the writer first: it takes the lock and migrates. The reader opens meanwhile, as no start needs a read. */
async function openThreads({ directory, acceptLoss = false, memory, onFatal }: SqliteStorageOptions): Promise<Threads> {
  const opened: ThreadHandle[] = [];
  let hasFailed = false;
  const fail = (error: FatalStorageError): void => {
    if (hasFailed) return;
    hasFailed = true;
    // Nothing is acknowledged any more, not even a commit that might still succeed.
    for (const { queue } of opened) queue.fail(error);
    onFatal(error);
  };
  const start = (role: 'writer' | 'reader'): ThreadHandle => {
    const thread = new ThreadHandle({ directory, acceptLoss, migrationsFolder: MIGRATIONS, role }, memory, fail);
    opened.push(thread);
    return thread;
  };

  const writer = start('writer');
  await writer.open().catch(async (error: unknown) => {
    await writer.close();
    throw error;
  });
  const reader = start('reader');
  reader.open().catch((error: Error) => fail(new FatalStorageError(error.message)));
  return { writer, reader };
}

type PackingMethods = Pick<Storage, 'createRun' | 'advanceRun' | 'recordAttempt' | 'claimDeliveries'>;

/** The methods whose arguments or results cross to the writer thread packed. */
function packingMethods(write: (name: OperationName, args: unknown[]) => Promise<unknown>): PackingMethods {
  return {
    createRun: (run) => write('createRun', runs.pack(run)) as Promise<CreateRunResult>,
    advanceRun: (lease, turn) => write('advanceRun', [lease, turns.pack({ turn })]) as Promise<boolean>,
    recordAttempt(delivery, attempt, next, waitingRun) {
      const packedRun = waitingRun === null ? null : { lease: waitingRun.lease, turn: turns.pack(waitingRun) };
      const packed = [delivery, deliveryAttempts.pack(attempt), next, packedRun];
      return write('recordAttempt', packed) as ReturnType<Storage['recordAttempt']>;
    },
    claimDeliveries: async (...args) => unpackClaims((await write('claimDeliveries', args)) as PackedClaims),
  };
}

function closeOnce({ writer, reader }: Threads): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => {
    closing ??= reader.close().then(() => writer.close());
    return closing;
  };
}
