// Admits one server per data directory. The lock is a transaction on a small database of its own: the operating system
// releases it however the process ends, so no stale lock is left behind.

import { join } from 'node:path';
import Database from 'better-sqlite3';

/** Throws if another server has the lock. Returns a function that releases it. */
export function lockDataDirectory(directory: string): () => void {
  const lock = new Database(join(directory, 'server.lock'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    throw new Error(`another server is running on data directory ${directory}; stop it first, or set SLUICE_DATA_DIR to another directory`);
  }
  return () => {
    lock.close();
  };
}
