// What only SQLite has: the settings that make a commit durable, the group commit, the lock on the directory.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/storage/sqlite/database-file/open-database.ts';
import type { OpenedStorage } from '../../src/storage/storage.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';
import { completedTurn, createWorkbench, NOW, upTo } from './contract/workbench.ts';
import { openSqlite } from './open-sqlite.ts';

const migrationsFolder = join(import.meta.dirname, '../../migrations/sqlite');

async function openStorage(directory: string): Promise<OpenedStorage> {
  const opened = await openSqlite(directory, () => NOW);
  onTestEnd(() => opened.storage.close());
  return opened;
}

/** Asks the file itself, beside the server that has it open. */
function askFile(directory: string, sql: string): unknown {
  const database = new Database(join(directory, 'sluice.db'), { readonly: true });
  try {
    return database.prepare(sql).pluck().get();
  } finally {
    database.close();
  }
}

test('a commit waits for the disk on every open, not only on the one that made the file', () => {
  const directory = tempDir();
  for (const _open of ['first', 'second', 'third']) {
    const database = openDatabase({ directory, migrationsFolder, acceptLoss: false });
    const pragma = (name: string): unknown => database.pragma(name, { simple: true });
    expect({
      synchronous: pragma('synchronous'),
      journal_mode: pragma('journal_mode'),
      auto_vacuum: pragma('auto_vacuum'),
      foreign_keys: pragma('foreign_keys'),
    }).toEqual({ synchronous: 2, journal_mode: 'wal', auto_vacuum: 2, foreign_keys: 1 });
    database.close();
  }
});

test('writes of one moment share commits; too many of them are refused, and all that were taken are stored', async () => {
  const directory = tempDir();
  const { storage, addSink, newRun } = createWorkbench(await openStorage(directory));
  const sink = await addSink();
  const createRuns = (count: number) =>
    Promise.allSettled(Array.from({ length: count }, () => storage.createRun(newRun(sink, { turn: completedTurn(1) }))));
  const before = askFile(directory, 'SELECT commit_seq FROM database_state') as number;
  const results = await createRuns(1000);
  expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
  expect((askFile(directory, 'SELECT commit_seq FROM database_state') as number) - before).toBeLessThanOrEqual(10);
  expect(askFile(directory, 'SELECT count(*) FROM runs')).toBe(1000);

  const refused = (await createRuns(10_100)).filter((result) => result.status === 'rejected');
  expect(refused).toHaveLength(100);
  expect(refused[0]?.reason).toMatchObject({ code: 'unavailable', message: expect.stringContaining('overloaded'), retryAfterSeconds: 1 });
  expect(askFile(directory, 'SELECT count(*) FROM runs')).toBe(11_000);
  await storage.ping();
});

test('what changes nothing is no commit and costs no sync, save a ping, which asks for one', async () => {
  const directory = tempDir();
  const { storage } = await openStorage(directory);
  const commits = () => askFile(directory, 'SELECT commit_seq FROM database_state') as number;
  // The owner of what was leased before there were owners is dead.
  await storage.reapOwners();
  const before = commits();
  await storage.claimDueRuns(upTo(10));
  await storage.nextWake();
  await storage.loadDefinitions();
  await storage.findUnreferencedBlobs(['a'.repeat(64)]);
  await storage.reapOwners();
  await storage.pruneRuns({ before: NOW, maxBytes: null, limit: 10 });
  expect(commits()).toBe(before);
  await storage.ping();
  expect(commits()).toBe(before + 1);
});

test('a second server on the directory is refused in one line, and the first goes on', async () => {
  const directory = tempDir();
  const { storage, node } = await openStorage(directory);
  expect(node.isAlone).toBe(true);
  await expect(openSqlite(directory, () => NOW)).rejects.toThrow(
    new RegExp(`^another server is running on data directory ${directory}; .*SLUICE_DATA_DIR.*$`),
  );
  await storage.ping();
});

test('pages of removed runs go back to the disk, and a stop folds the log in, so that the file alone is a whole copy', async () => {
  const directory = tempDir();
  const { storage, addSink, addRun } = createWorkbench(await openStorage(directory));
  const sink = await addSink();
  const body = Buffer.alloc(1_000_000, 'x');
  for (let count = 0; count < 5; count += 1) await addRun(sink, { body, turn: completedTurn(1) });
  const { runId } = await addRun(sink);
  const pages = askFile(directory, 'PRAGMA page_count') as number;
  expect(await storage.pruneRuns({ before: NOW + 1000, maxBytes: null, limit: 100 })).toBe(5);
  expect(askFile(directory, 'PRAGMA page_count')).toBeLessThan(pages / 4);
  expect(askFile(directory, 'PRAGMA freelist_count')).toBe(0);
  await storage.close();
  expect(existsSync(join(directory, 'sluice.db-wal'))).toBe(false);
  expect(askFile(directory, 'PRAGMA integrity_check')).toBe('ok');
  expect(askFile(directory, 'SELECT nonce FROM runs')).toBe(runId.slice(15));
});
