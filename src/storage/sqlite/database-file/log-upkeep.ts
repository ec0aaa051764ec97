// Keeps the write-ahead log within its bound. SQLite folds it into the database as commits come, but no further than the
// oldest reader has seen, and leaves the file as long as it was once.

import { statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { FatalStorageError, storageFault } from '../../storage-fault.ts';
import { LOG_BYTES } from './open-database.ts';

/** A log that is a little too long is cut by SQLite itself, when it begins anew. */
const TOO_LONG_BYTES = LOG_BYTES * 1.25;

/** Cuts a log that is too long, once nobody reads what is only there. Waits for short reads, not for long ones. */
export function boundLog(database: Database, path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= TOO_LONG_BYTES) return;
  try {
    const [state] = database.pragma('wal_checkpoint(PASSIVE)') as { log: number; checkpointed: number }[];
    if (state === undefined || state.checkpointed < state.log) return;
    database.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    // Locked or full: it is tried again.
    const fault = storageFault(error);
    if (fault instanceof FatalStorageError) throw fault;
  }
}

/** Folds all of the log into the database before it is closed. */
export function foldLog(database: Database): void {
  try {
    database.pragma('wal_checkpoint(TRUNCATE)');
  } catch {
    // On a full disk, say. The log stays then, and the next start reads it.
  }
}
