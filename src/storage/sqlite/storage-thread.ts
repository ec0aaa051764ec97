// A storage thread: the writer, which owns lock, witness and the writing connection, or the reader. A slow disk
// stalls this thread and not the event loop that serves HTTP.

import { join } from 'node:path';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { AppError } from '../../errors.ts';
import { lockDataDirectory } from '../data-lock.ts';
import { FatalStorageError, type FaultMessage, fileFault, packFault, storageFault } from '../storage-fault.ts';
import { openWitness } from '../witness.ts';
import type { Batch, BatchResult } from './commit-queue.ts';
import { type OpenOptions, openDatabase, openReader, readDatabaseState, WITNESS_FILE } from './open-database.ts';
import { createReads, createWrites } from './operations.ts';

export interface ThreadOptions extends OpenOptions {
  role: 'writer' | 'reader';
}

export type ThreadReply =
  | { kind: 'ready' }
  /** Could not start; the message is for the operator. */
  | { kind: 'refused'; message: string }
  | { kind: 'result'; result: BatchResult<FaultMessage> };

export type ThreadRequest = 'open' | Batch | 'close';

type Functions = Record<string, (...args: unknown[]) => unknown>;

interface Role {
  run(batch: Batch): BatchResult<FaultMessage>;
  close(): void;
}

function openWriter(options: OpenOptions): Role {
  const unlock = lockDataDirectory(options.directory);
  const database = openDatabase(options);
  const state = readDatabaseState(database);
  if (state === null) throw new Error('the database holds no state row; its first migration is broken');
  const witness = openWitness(join(options.directory, WITNESS_FILE), state);
  const functions = createWrites(database) as unknown as Functions;
  const countCommit = database.prepare('UPDATE database_state SET commit_seq = ?');
  const totalChanges = database.prepare('SELECT total_changes()').pluck();
  let commitSeq = state.commitSeq;

  /** A batch that changed nothing needs no sync, and is no commit. */
  const transaction = database.transaction((work: () => BatchResult<FaultMessage>) => {
    const before = totalChanges.get();
    const result = work();
    const hasChanged = totalChanges.get() !== before;
    if (hasChanged) countCommit.run(commitSeq + 1);
    return { result, hasChanged };
  });

  function commit(work: () => BatchResult<FaultMessage>): BatchResult<FaultMessage> {
    const { result, hasChanged } = transaction.immediate(work);
    if (!hasChanged) return result;
    commitSeq += 1;
    try {
      witness.record(commitSeq);
    } catch (cause) {
      throw new FatalStorageError(`the witness cannot be written (${(cause as Error).message}); the server stops`, { cause });
    }
    return result;
  }

  return {
    run(batch) {
      try {
        return commit(() => runEach(batch, (name, args) => call(functions, name, args)));
      } catch (error) {
        if (concernsWholeBatch(error)) return refuseAll(batch, error);
      }
      // One operation was refused: do the others without it.
      try {
        return commit(() => runEachAlone(batch, (name, args) => database.transaction(() => call(functions, name, args))()));
      } catch (error) {
        return refuseAll(batch, error);
      }
    },
    close() {
      try {
        database.pragma('wal_checkpoint(TRUNCATE)');
      } catch {
        // On a full disk, say. The log stays then, and the next start reads it.
      }
      database.close();
      witness.close();
      unlock();
    },
  };
}

function openReading(options: OpenOptions): Role {
  const database = openReader(options.directory);
  const functions = createReads(database) as unknown as Functions;
  // One snapshot for all the statements of one read.
  const read = database.transaction((name: string, args: unknown[]) => call(functions, name, args));
  return {
    run(batch) {
      try {
        return runEachAlone(batch, (name, args) => read.deferred(name, args));
      } catch (error) {
        return refuseAll(batch, error);
      }
    },
    close: () => {
      database.close();
    },
  };
}

type RunOperation = (name: string, args: unknown[]) => unknown;

function call(functions: Functions, name: string, args: unknown[]): unknown {
  return (functions[name] as (...args: unknown[]) => unknown)(...args);
}

/** Throws as soon as one operation is refused. */
function runEach(batch: Batch, run: RunOperation): BatchResult<FaultMessage> {
  const values: unknown[] = [];
  for (let index = 0; index < batch.length; index += 2) values.push(run(batch[index] as string, batch[index + 1] as unknown[]));
  return { values, faults: [] };
}

/** Throws only what no operation of the batch would survive. */
function runEachAlone(batch: Batch, run: RunOperation): BatchResult<FaultMessage> {
  const faults: BatchResult<FaultMessage>['faults'] = [];
  let index = -1;
  const { values } = runEach(batch, (name, args) => {
    index += 1;
    try {
      return run(name, args);
    } catch (error) {
      if (concernsWholeBatch(error)) throw error;
      faults.push({ index, fault: packFault(error) });
      return null;
    }
  });
  return { values, faults };
}

function refuseAll(batch: Batch, error: unknown): BatchResult<FaultMessage> {
  const fault = packFault(error);
  return { values: [], faults: Array.from({ length: batch.length / 2 }, (_, index) => ({ index, fault })) };
}

/** Locked, full or broken: no operation of the batch would fare better alone. */
function concernsWholeBatch(error: unknown): boolean {
  const fault = storageFault(error);
  return fault !== error || fault instanceof FatalStorageError;
}

function describeRefusal(error: unknown, directory: string): string {
  const fault = fileFault(storageFault(error));
  const { code, message } = error as { code?: string; message: string };
  if (code === undefined) return message;
  if (fault instanceof AppError) return `cannot open the database in ${directory}: ${fault.message}`;
  return `cannot open the database in ${directory}: ${message} (${code})`;
}

/** Loads at once and opens when told to, so that the reader's start overlaps the writer's. */
function serve(port: MessagePort, options: ThreadOptions): void {
  const reply = (message: ThreadReply): void => port.postMessage(message);
  let role: Role | undefined;

  function open(): void {
    try {
      role = options.role === 'writer' ? openWriter(options) : openReading(options);
      reply({ kind: 'ready' });
    } catch (error) {
      reply({ kind: 'refused', message: describeRefusal(error, options.directory) });
      port.close();
    }
  }

  port.on('message', (message: ThreadRequest) => {
    if (message === 'open') return open();
    if (message !== 'close') return reply({ kind: 'result', result: (role as Role).run(message) });
    role?.close();
    port.close();
  });
}

if (parentPort !== null) serve(parentPort, workerData as ThreadOptions);
