// One server a data directory. The lock is a transaction on a small database of its own, so the operating system
// lets go of it however the process ends, and no stale lock can be left behind.

import { join } from 'node:path';
import Database from 'better-sqlite3';

/** Throws when another server holds the directory. Returns how to let go. */
export function lockDataDirectory(directory: string): () => void {
  const lock = new Database(join(directory, 'server.lock'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    throw new Error(
      `another server is running on data directory ${directory}; stop it first, or give this one a directory of its own (SLUICE_DATA_DIR)`,
    );
  }
  return () => {
    lock.close();
  };
}
