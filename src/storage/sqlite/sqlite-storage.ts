// Storage on one SQLite file: a writer thread behind the commit queue, and a reader thread beside it.

import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { NewRun, RunChange, Storage } from '../storage.ts';
import { FatalStorageError, type FaultMessage, unpackFault } from '../storage-fault.ts';
import { type CommitQueue, createCommitQueue } from './commit-queue.ts';
import { type OperationName, READS, WRITES } from './operations.ts';
import type { ThreadOptions, ThreadReply } from './storage-thread.ts';

const MIGRATIONS = fileURLToPath(new URL('../../../migrations/sqlite', import.meta.url));
const MAX_BATCH = 512;
const MAX_PENDING = 10_000;
const MAX_PENDING_BYTES = 256 * 2 ** 20;

export interface SqliteStorageOptions {
  directory: string;
  acceptLoss?: boolean;
  /** Called once when the database cannot be trusted any more; the process should end. */
  onFatal: (error: FatalStorageError) => void;
}

/** Rejects with one line for the operator when the directory is in use, damaged, read-only or newer. */
export async function openSqliteStorage({ directory, acceptLoss = false, onFatal }: SqliteStorageOptions): Promise<Storage> {
  let hasFailed = false;
  const fail = (error: FatalStorageError): void => {
    if (hasFailed) return;
    hasFailed = true;
    onFatal(error);
  };
  const options = { directory, acceptLoss, migrationsFolder: MIGRATIONS };
  const writer = await startThread({ ...options, role: 'writer' }, fail);
  const reader = await startThread({ ...options, role: 'reader' }, fail).catch(async (error: unknown) => {
    await writer.close();
    throw error;
  });

  const methods: Partial<Record<OperationName, (...args: unknown[]) => Promise<unknown>>> = {};
  for (const name of READS) methods[name] = (...args) => reader.queue.submit({ name, args }, 0);
  for (const name of WRITES) methods[name] = (...args) => writer.queue.submit({ name, args }, sizeOf(name, args));

  let closing: Promise<void> | undefined;
  return {
    ...(methods as unknown as Omit<Storage, 'close'>),
    close() {
      closing ??= reader.close().then(() => writer.close());
      return closing;
    },
  };
}

/** What a write weighs in the queue, roughly. */
function sizeOf(name: OperationName, args: unknown[]): number {
  if (name === 'createRun') {
    const { body, request, change } = args[0] as NewRun;
    return body.byteLength + request.length + (change.output?.length ?? 0);
  }
  return name === 'advanceRun' ? ((args[1] as RunChange).output?.length ?? 0) : 0;
}

interface StorageThread {
  queue: CommitQueue<FaultMessage>;
  close(): Promise<void>;
}

async function startThread(options: ThreadOptions, onFatal: (error: FatalStorageError) => void): Promise<StorageThread> {
  const worker = new Worker(new URL('./storage-thread.mjs', import.meta.url), {
    workerData: options,
    execArgv: [],
    name: `storage-${options.role}`,
  });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const queue = createCommitQueue<FaultMessage>({
    send: (batch) => worker.postMessage(batch),
    toError(fault) {
      const error = unpackFault(fault);
      if (error instanceof FatalStorageError) onFatal(error);
      return error;
    },
    maxBatch: MAX_BATCH,
    maxPending: MAX_PENDING,
    maxPendingBytes: MAX_PENDING_BYTES,
  });

  await new Promise<void>((resolve, reject) => {
    const die = (error: Error): void => {
      const fatal = new FatalStorageError(`the storage ${options.role} thread died: ${error.message}`, { cause: error });
      reject(fatal);
      queue.fail(fatal);
      onFatal(fatal);
    };
    worker.once('error', die);
    worker.once('exit', (code) => {
      if (code !== 0) die(new Error(`exit code ${code}`));
    });
    worker.on('message', (reply: ThreadReply) => {
      if (reply.kind === 'ready') resolve();
      else if (reply.kind === 'refused') reject(new Error(reply.message));
      else if (reply.kind === 'results') queue.settle(reply.results);
    });
  });

  return {
    queue,
    async close() {
      await queue.idle();
      queue.fail(new Error('the storage is closed'));
      worker.postMessage('close');
      await exited;
    },
  };
}
