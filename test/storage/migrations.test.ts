// Migrations: forward only, each whole or not at all; a past that does not fit the program is refused.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { readMigrations } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/sqlite/open-database.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const ROOT = join(import.meta.dirname, '../..');
const SHIPPED = join(ROOT, 'migrations/sqlite');
const NEXT = `${String(readdirSync(SHIPPED).length + 1).padStart(4, '0')}_next.sql`;

/** A copy of the shipped migrations, with one more. */
function migrationsWith(sql: string): string {
  const folder = tempDir();
  cpSync(SHIPPED, folder, { recursive: true });
  writeFileSync(join(folder, NEXT), sql);
  return folder;
}

function migrate(directory: string, migrationsFolder: string): void {
  openDatabase({ directory, migrationsFolder, acceptLoss: false }).close();
}

function tables(directory: string): string[] {
  const database = new Database(join(directory, 'sluice.db'), { readonly: true });
  try {
    return database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
  } finally {
    database.close();
  }
}

test('a new migration is applied once to a database that has the earlier ones', () => {
  const directory = tempDir();
  migrate(directory, SHIPPED);
  const folder = migrationsWith('CREATE TABLE extra (id INTEGER) STRICT;');
  migrate(directory, folder);
  migrate(directory, folder);
  expect(tables(directory)).toContain('extra');
});

test('a migration that was changed after it was applied is refused by name', () => {
  const directory = tempDir();
  const folder = migrationsWith('CREATE TABLE extra (id INTEGER) STRICT;');
  migrate(directory, folder);
  writeFileSync(join(folder, NEXT), 'CREATE TABLE extra (id TEXT) STRICT;');
  expect(() => migrate(directory, folder)).toThrow(`migration ${NEXT} was changed after it was applied to this database`);
});

test('a database that a newer program has migrated is refused, and left as it is', () => {
  const directory = tempDir();
  migrate(directory, migrationsWith('CREATE TABLE extra (id INTEGER) STRICT;'));
  expect(() => migrate(directory, SHIPPED)).toThrow(new RegExp(`the database is newer than this program: it holds migration ${NEXT}`));
  expect(tables(directory)).toContain('extra');
});

test('a migration that fails half way leaves nothing behind, and the next try starts anew', () => {
  const directory = tempDir();
  migrate(directory, SHIPPED);
  const broken = 'CREATE TABLE extra (id INTEGER) STRICT; INSERT INTO nowhere VALUES (1);';
  expect(() => migrate(directory, migrationsWith(broken))).toThrow('nowhere');
  expect(tables(directory)).not.toContain('extra');
  migrate(directory, migrationsWith('CREATE TABLE extra (id INTEGER) STRICT;'));
  expect(tables(directory)).toContain('extra');
});

test('a process that is killed in the middle of a migration leaves nothing of it behind', async () => {
  const directory = tempDir();
  migrate(directory, SHIPPED);
  const endless = migrationsWith(`
    CREATE TABLE extra (id INTEGER) STRICT;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO extra SELECT i FROM n;`);
  const code = `import { openDatabase } from './src/storage/sqlite/open-database.ts';
    openDatabase(${JSON.stringify({ directory, migrationsFolder: endless, acceptLoss: false })});`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], { cwd: ROOT, stdio: 'ignore' });
  onTestEnd(() => void child.kill('SIGKILL'));
  // Its cache is full and it writes to the log: it is in the middle of the insertion.
  const log = join(directory, 'sluice.db-wal');
  await until('the migration to write', () => existsSync(log) && statSync(log).size > 1_000_000, 20_000);
  child.kill('SIGKILL');
  await once(child, 'exit');
  migrate(directory, SHIPPED);
  expect(tables(directory)).not.toContain('extra');
});

test.each([
  ['skips a number', '0007_later.sql', 'should be number'],
  ['takes a number twice', '0001_other.sql', 'should be number'],
  ['has no number', 'later.sql', 'should be number'],
])('a folder of migrations that %s is refused', (_what, name, message) => {
  const folder = tempDir();
  cpSync(SHIPPED, folder, { recursive: true });
  writeFileSync(join(folder, name), 'SELECT 1;');
  expect(() => readMigrations(folder)).toThrow(message);
});
