// The write-ahead log grows while another process reads, and goes back to its bound once it does not, whether the server has
// anything to write or not.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { LOG_BYTES } from '../../src/storage/sqlite/database-file/open-database.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { completedTurn, createWorkbench, NOW } from './contract/workbench.ts';
import { openSqlite } from './open-sqlite.ts';

test('a long reader lets the log grow, and when it ends the log goes back to its bound', { timeout: 60_000 }, async () => {
  const directory = tempDir();
  const opened = await openSqlite(directory, () => NOW);
  onTestEnd(() => opened.storage.close());
  const { addSink, addRun } = createWorkbench(opened);
  const sink = await addSink();
  const body = Buffer.alloc(1_000_000, 'x');
  const add = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) await addRun(sink, { body, turn: completedTurn(1) });
  };
  const logBytes = (): number => statSync(join(directory, 'sluice.db-wal')).size;

  const reader = new Database(join(directory, 'sluice.db'), { readonly: true });
  onTestEnd(() => void reader.close());
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM runs').get();
  await add(80);
  expect(logBytes()).toBeGreaterThan(2 * LOG_BYTES);
  reader.exec('COMMIT');
  await until('the log to be cut', () => logBytes() <= LOG_BYTES);
  await add(80);
  await until('the log to be within its bound', () => logBytes() <= 1.25 * LOG_BYTES);
});
