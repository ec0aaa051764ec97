// Saves a database whose file has lost its name: to a new file, before the last connection closes and it is gone.

import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import type { Database } from 'better-sqlite3';

/**
 * Writes all that the connection sees to `path`, and takes the log away: SQLite would apply it to whatever database has
 * the name now. Where nothing can be written (no folder is left, the disk is full), the log is kept as `<path>-wal`.
 * `logPath` is null when that name, too, belongs to another file.
 */
export function saveDatabase(database: Database, path: string, logPath: string | null): void {
  const part = `${path}.part`;
  try {
    // SQLite would make it readable by all.
    closeSync(openSync(part, 'wx', 0o600));
    database.prepare('VACUUM INTO ?').run(part);
    renameSync(part, path);
    if (logPath !== null) rmSync(logPath);
  } catch {
    attempt(() => rmSync(part, { force: true }));
    if (logPath !== null) attempt(() => renameSync(logPath, `${path}-wal`));
  }
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // The process ends; the operator was told which file is missing.
  }
}
