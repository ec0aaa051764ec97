// Opens the database file so that acknowledged commits survive a power cut. Reports in one line why it cannot.

import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type AppliedMigration, pendingMigrations, readMigrations } from '../../migrations.ts';
import { contradiction, type DatabaseState, readWitness } from './witness.ts';

export const DATABASE_FILE = 'sluice.db';
export const LOG_FILE = `${DATABASE_FILE}-wal`;
export const WITNESS_FILE = 'sluice.witness';

/** Long enough for a short read of another process, short enough that callers learn of a lock within 300 ms. */
const BUSY_TIMEOUT_MS = 60;
const SYNCHRONOUS_FULL = 2;
const PAGE_BYTES = 8192;
/** Pages of the log at which SQLite makes a checkpoint. */
const CHECKPOINT_PAGES = 4000;
/** The size to which SQLite shortens the log when it restarts it. */
export const LOG_BYTES = CHECKPOINT_PAGES * PAGE_BYTES;

export interface OpenOptions {
  directory: string;
  migrationsFolder: string;
  /** Start although the witness says that commits are missing. */
  acceptLoss: boolean;
}

/**
 * Opens the database for writing: compares it with the witness, sets the pragmas that durability needs, and migrates it.
 * Throws if commits are missing, or a migration is refused or fails.
 */
export function openDatabase({ directory, migrationsFolder, acceptLoss }: OpenOptions): Database.Database {
  const path = join(directory, DATABASE_FILE);
  if (!acceptLoss) refuseLoss(directory, path);
  // SQLite would create a file that everybody can read. The log gets the mode of the database.
  closeSync(openSync(path, 'a', 0o600));
  const database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    // These two have an effect on a new file only.
    database.pragma(`page_size = ${PAGE_BYTES}`);
    database.pragma('auto_vacuum = INCREMENTAL');
    setPragma(database, 'journal_mode', 'wal');
    // better-sqlite3 opens WAL databases with NORMAL, which may lose acknowledged commits in a power cut.
    setPragma(database, 'synchronous', SYNCHRONOUS_FULL, 'FULL');
    setPragma(database, 'foreign_keys', 1, 'ON');
    database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    database.pragma(`journal_size_limit = ${LOG_BYTES}`);
    database.pragma('cache_size = -32768');
    migrate(database, migrationsFolder);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens a connection for reading to a database that is already open for writing. */
export function openReader(directory: string): Database.Database {
  const database = new Database(join(directory, DATABASE_FILE), { readonly: true, timeout: BUSY_TIMEOUT_MS });
  database.pragma('cache_size = -16384');
  return database;
}

export function readDatabaseState(database: Database.Database): DatabaseState | null {
  const known = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'database_state'").get();
  if (known === undefined) return null;
  const row = database.prepare('SELECT database_id AS databaseId, commit_seq AS commitSeq FROM database_state').get();
  return (row as DatabaseState | undefined) ?? null;
}

/** Checks before anything is written: a refused database must not be changed. */
function refuseLoss(directory: string, path: string): void {
  const reason = contradiction(readWitness(join(directory, WITNESS_FILE)), existsSync(path) ? peekState(path) : null);
  if (reason === null) return;
  throw new Error(
    `${reason}; restore a backup, or start once with --accept-loss to continue with the remaining commits (data directory ${directory})`,
  );
}

function peekState(path: string): DatabaseState | null {
  const database = new Database(path, { readonly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    return readDatabaseState(database);
  } catch (error) {
    // An interrupted first start leaves a rollback journal, and no commits. Later there is none: the database has a WAL.
    if ((error as { code?: string }).code === 'SQLITE_READONLY_ROLLBACK') return null;
    throw error;
  } finally {
    database.close();
  }
}

function setPragma(database: Database.Database, name: string, expected: unknown, value: unknown = expected): void {
  database.pragma(`${name} = ${value}`);
  const actual = database.pragma(name, { simple: true });
  if (actual !== expected)
    throw new Error(`SQLite did not accept ${name} = ${value}: it is ${actual}; without this setting acknowledged runs could be lost`);
}

function migrate(database: Database.Database, folder: string): void {
  database.exec('CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT');
  const applied = database.prepare('SELECT number, name, checksum FROM migrations ORDER BY number').all() as AppliedMigration[];
  for (const { number, name, sql, checksum } of pendingMigrations(readMigrations(folder), applied)) {
    database.transaction(() => {
      database.prepare('INSERT INTO migrations (number, name, checksum) VALUES (?, ?, ?)').run(number, name, checksum);
      database.exec(sql);
    })();
  }
}
