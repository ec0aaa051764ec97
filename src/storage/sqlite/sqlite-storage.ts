// Storage on one SQLite file: a writer thread behind the commit queue, and a reader thread beside it.

import { fileURLToPath } from 'node:url';
import type { MemoryAccount } from '../../memory-budget.ts';
import { startWorker } from '../../threads/start-worker.ts';
import { type CommitQueue, createCommitQueue } from '../commit-queue.ts';
import type { CreateRunResult } from '../run-records.ts';
import type { Storage } from '../storage.ts';
import { FatalStorageError, type FaultMessage, unpackFault } from '../storage-fault.ts';
import { bytesOfArguments } from './argument-bytes.ts';
import { type PackedClaims, unpackClaims } from './deliveries/claimed-deliveries.ts';
import { deliveryAttempts } from './deliveries/delivery-columns.ts';
import { type OperationName, READS, WRITES } from './operations.ts';
import { runs } from './runs/run-columns.ts';
import { turns } from './runs/turn-columns.ts';
import type { ThreadOptions, ThreadReply, ThreadRequest } from './storage-thread.ts';

const MIGRATIONS = fileURLToPath(new URL('../../../migrations/sqlite', import.meta.url));
const MAX_BATCH = 512;
const MAX_PENDING = 10_000;
const MAX_BATCH_BYTES = 4 * 2 ** 20;

export interface SqliteStorageOptions {
  directory: string;
  acceptLoss?: boolean;
  /** What writes that are not on disk yet may take. */
  memory: MemoryAccount;
  /** Called once when the database cannot be trusted any more; the process should end. */
  onFatal: (error: FatalStorageError) => void;
}

/** Rejects with one line for the operator when the directory is in use, damaged, read-only or newer. */
export async function openSqliteStorage({ directory, acceptLoss = false, memory, onFatal }: SqliteStorageOptions): Promise<Storage> {
  const threads: StorageThread[] = [];
  let hasFailed = false;
  const fail = (error: FatalStorageError): void => {
    if (hasFailed) return;
    hasFailed = true;
    // Nothing is acknowledged any more, not even what might still succeed.
    for (const { queue } of threads) queue.fail(error);
    onFatal(error);
  };
  const options = { directory, acceptLoss, migrationsFolder: MIGRATIONS };
  const writer = startThread({ ...options, role: 'writer' }, memory, fail);
  threads.push(writer);
  await writer.open().catch(async (error: unknown) => {
    await writer.close();
    throw error;
  });
  // Nothing that the server needs to start asks the reader: it opens beside all else, and reads wait for it.
  const reader = startThread({ ...options, role: 'reader' }, memory, fail);
  threads.push(reader);
  reader.open().catch((error: Error) => fail(new FatalStorageError(error.message)));

  const methods: Partial<Record<OperationName, (...args: unknown[]) => Promise<unknown>>> = {};
  const read = (name: OperationName, args: unknown[]): Promise<unknown> => reader.queue.submit(name, args, 0);
  const write = (name: OperationName, args: unknown[]): Promise<unknown> => writer.queue.submit(name, args, bytesOfArguments(args));
  for (const name of READS) methods[name] = (...args) => read(name, args);
  for (const name of WRITES) methods[name] = (...args) => write(name, args);

  let closing: Promise<void> | undefined;
  return {
    ...(methods as unknown as Omit<Storage, 'close' | 'createRun' | 'advanceRun' | 'recordAttempt' | 'claimDeliveries'>),
    createRun: (run) => write('createRun', runs.pack(run)) as Promise<CreateRunResult>,
    advanceRun: (lease, change) => write('advanceRun', [lease, turns.pack({ change })]) as Promise<boolean>,
    recordAttempt(delivery, attempt, next, turn) {
      const packedTurn = turn === null ? null : { lease: turn.lease, change: turns.pack(turn) };
      const packed = [delivery, deliveryAttempts.pack(attempt), next, packedTurn];
      return write('recordAttempt', packed) as ReturnType<Storage['recordAttempt']>;
    },
    claimDeliveries: async (...asked) => unpackClaims((await write('claimDeliveries', asked)) as PackedClaims),
    close() {
      closing ??= reader.close().then(() => writer.close());
      return closing;
    },
  };
}

interface StorageThread {
  queue: CommitQueue<FaultMessage>;
  open(): Promise<void>;
  close(): Promise<void>;
}

function startThread(options: ThreadOptions, memory: MemoryAccount, onFatal: (error: FatalStorageError) => void): StorageThread {
  const worker = startWorker(new URL('./storage-thread.ts', import.meta.url), {
    workerData: options,
    name: `storage-${options.role}`,
  });
  const send = (request: ThreadRequest): void => worker.postMessage(request);
  const queue = createCommitQueue<FaultMessage>({
    send,
    toError(fault) {
      const error = unpackFault(fault);
      if (error instanceof FatalStorageError) onFatal(error);
      return error;
    },
    maxBatch: MAX_BATCH,
    maxBatchBytes: MAX_BATCH_BYTES,
    maxPending: MAX_PENDING,
    memory,
  });

  let settleOpening: (error: Error | null) => void = () => undefined;
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.on('error', (cause) => {
    const fatal = new FatalStorageError(`the storage ${options.role} thread died: ${cause.message}`, { cause });
    queue.fail(fatal);
    settleOpening(fatal);
    onFatal(fatal);
  });
  worker.on('message', (reply: ThreadReply) => {
    if (reply.kind === 'result') queue.settle(reply.result);
    else if (reply.kind === 'failed') onFatal(unpackFault(reply.fault));
    else settleOpening(reply.kind === 'ready' ? null : new Error(reply.message));
  });

  return {
    queue,
    open: () =>
      new Promise((resolve, reject) => {
        settleOpening = (error) => (error === null ? resolve() : reject(error));
        send('open');
      }),
    async close() {
      await queue.idle();
      queue.fail(new Error('the storage is closed'));
      send('close');
      await exited;
    },
  };
}
