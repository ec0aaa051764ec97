// Bounds the size of the WAL. SQLite checkpoints it as commits come, but no further than the snapshot of the oldest reader,
// and never shortens the file.

import { statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { FatalStorageError, storageFault } from '../../storage-fault.ts';
import { LOG_BYTES } from './open-database.ts';

/** SQLite itself shortens a log that is not much longer than its bound, when it restarts the log. */
const TOO_LONG_BYTES = LOG_BYTES * 1.25;

/** Truncates a log that is too long, once no reader needs it. Waits for short reads, not for long ones. */
export function boundLog(database: Database, path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= TOO_LONG_BYTES) return;
  try {
    const [state] = database.pragma('wal_checkpoint(PASSIVE)') as { log: number; checkpointed: number }[];
    if (state === undefined || state.checkpointed < state.log) return;
    database.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    // The database is locked or the disk is full. The next call tries again.
    const fault = storageFault(error);
    if (fault instanceof FatalStorageError) throw fault;
  }
}

/** Checkpoints the whole log, before the database is closed. */
export function foldLog(database: Database): void {
  try {
    database.pragma('wal_checkpoint(TRUNCATE)');
  } catch {
    // The log stays, for example on a full disk, and the next start reads it.
  }
}
