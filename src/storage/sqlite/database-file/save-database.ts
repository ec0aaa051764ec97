// Saves a database whose file has lost its name to a new file. The old file disappears when the last connection closes.

import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import type { Database } from 'better-sqlite3';

/**
 * Writes the content of the database to `path` and deletes the log, which SQLite would apply to the file that now has the
 * database's name. If nothing can be written (the folder is gone, the disk is full), keeps the log as `<path>-wal`.
 * `logPath` is null if the log's name belongs to another file too.
 */
export function saveDatabase(database: Database, path: string, logPath: string | null): void {
  const part = `${path}.part`;
  try {
    // SQLite would create a file that everybody can read.
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
    // The process ends, and the log line of the fatal error names the missing file.
  }
}
