// A storage thread: the writer, which owns lock, witness and the writing connection, or the reader. A slow disk
// stalls this thread and not the event loop that serves HTTP.

import { join } from 'node:path';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { lockDataDirectory } from '../data-lock.ts';
import { FatalStorageError, type FaultMessage, packFault, storageFault } from '../storage-fault.ts';
import { openWitness } from '../witness.ts';
import type { Operation, OperationResult } from './commit-queue.ts';
import { type OpenOptions, openDatabase, openReader, readDatabaseState, WITNESS_FILE } from './open-database.ts';
import { createReads, createWrites } from './operations.ts';

export interface ThreadOptions extends OpenOptions {
  role: 'writer' | 'reader';
}

export type ThreadReply =
  | { kind: 'ready' }
  /** Could not start; the message is for the operator. */
  | { kind: 'refused'; message: string }
  | { kind: 'results'; results: OperationResult<FaultMessage>[] };

export type ThreadRequest = 'open' | Operation[] | 'close';

type Functions = Record<string, (...args: unknown[]) => unknown>;

interface Role {
  run(batch: Operation[]): OperationResult<FaultMessage>[];
  close(): void;
}

function openWriter(options: OpenOptions): Role {
  const unlock = lockDataDirectory(options.directory);
  const database = openDatabase(options);
  const state = readDatabaseState(database);
  if (state === null) throw new Error('the database holds no state row; its first migration is broken');
  const witness = openWitness(join(options.directory, WITNESS_FILE), state.databaseId);
  const functions = createWrites(database) as unknown as Functions;
  const countCommit = database.prepare('UPDATE database_state SET commit_seq = ?');
  let commitSeq = state.commitSeq;
  witness.record(commitSeq);

  const transaction = database.transaction((work: () => OperationResult<FaultMessage>[]) => {
    const results = work();
    countCommit.run(commitSeq + 1);
    return results;
  });

  function commit(work: () => OperationResult<FaultMessage>[]): OperationResult<FaultMessage>[] {
    const results = transaction.immediate(work);
    commitSeq += 1;
    witness.record(commitSeq);
    return results;
  }

  return {
    run(batch) {
      try {
        return commit(() => batch.map((operation) => ({ value: call(functions, operation) })));
      } catch (error) {
        if (concernsWholeBatch(error)) return batch.map(() => ({ fault: packFault(error) }));
      }
      // One operation was refused: do the others without it.
      try {
        return commit(() => batch.map((operation) => callAlone(database, functions, operation)));
      } catch (error) {
        return batch.map(() => ({ fault: packFault(error) }));
      }
    },
    close() {
      database.pragma('wal_checkpoint(TRUNCATE)');
      database.close();
      witness.close();
      unlock();
    },
  };
}

/** Locked, full or broken: no operation of the batch would fare better alone. */
function concernsWholeBatch(error: unknown): boolean {
  const fault = storageFault(error);
  return fault !== error || fault instanceof FatalStorageError;
}

function callAlone(database: Database, functions: Functions, operation: Operation): OperationResult<FaultMessage> {
  try {
    return { value: database.transaction(() => call(functions, operation))() };
  } catch (error) {
    if (concernsWholeBatch(error)) throw error;
    return { fault: packFault(error) };
  }
}

function openReading(options: OpenOptions): Role {
  const database = openReader(options.directory);
  const functions = createReads(database) as unknown as Functions;
  const readOne = (operation: Operation): OperationResult<FaultMessage> => {
    try {
      // One snapshot for all the statements of one read.
      return { value: database.transaction(() => call(functions, operation)).deferred() };
    } catch (error) {
      return { fault: packFault(error) };
    }
  };
  return {
    run: (batch) => batch.map(readOne),
    close: () => {
      database.close();
    },
  };
}

function call(functions: Functions, { name, args }: Operation): unknown {
  return (functions[name] as (...args: unknown[]) => unknown)(...args);
}

function describeRefusal(error: unknown, directory: string): string {
  const { code, message } = error as { code?: string; message: string };
  if (code === undefined) return message;
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
    if (message !== 'close') return reply({ kind: 'results', results: (role as Role).run(message) });
    role?.close();
    port.close();
  });
}

if (parentPort !== null) serve(parentPort, workerData as ThreadOptions);
