// Lists, claims and retention read along an index, so that they stay fast however many runs are stored.

import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { expect, test } from 'vitest';
import { DELIVERY_STATUSES } from '../../src/core/delivery.ts';
import { RUN_STATUSES } from '../../src/core/run.ts';
import { openDatabase } from '../../src/storage/sqlite/open-database.ts';
import { createReads, createWrites } from '../../src/storage/sqlite/operations.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';

const migrationsFolder = join(import.meta.dirname, '../../migrations/sqlite');
const CURSOR = 'run_01kyaa00000aaaaaaaaaaaaaaaaaaaa';

/** The database, and every statement that is prepared on it from now on. */
function recordStatements(): { database: Database; real: Database; statements: Set<string> } {
  const real = openDatabase({ directory: tempDir(), migrationsFolder, acceptLoss: false });
  onTestEnd(() => void real.close());
  const statements = new Set<string>();
  const database = new Proxy(real, {
    get(target, name) {
      if (name === 'prepare') return (sql: string) => target.prepare(statements.add(sql) && sql);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { database, real, statements };
}

/** Tables that grow with the runs, and whose every row a plan would read. */
function scannedTables(database: Database, sql: string): string[] {
  const names = [...sql.matchAll(/@(\w+)/g)].map(([, name]) => [name as string, null]);
  const unnamed = Array.from({ length: sql.split('?').length - 1 }, () => null);
  const explain = database.prepare(`EXPLAIN QUERY PLAN ${sql}`);
  const plan = (names.length > 0 ? explain.all(Object.fromEntries(names)) : explain.all(...unnamed)) as { detail: string }[];
  const details = plan.map(({ detail }) => detail);
  const sorts = details.some((detail) => /SEARCH runs\b/.test(detail)) && details.some((detail) => detail.includes('TEMP B-TREE'));
  return [
    ...details.filter((detail) =>
      /^SCAN (?:runs|run_events|step_records|run_blobs|idempotency_keys|rejections|deliveries|delivery_attempts|step_memory)\b/.test(
        detail,
      ),
    ),
    ...(sorts ? ['sorts runs'] : []),
  ];
}

test('every page of runs is read along an index, whatever it is filtered by', () => {
  const { database, real, statements } = recordStatements();
  const { listRuns } = createReads(database);
  statements.clear();
  for (const appId of [{}, { appId: 'shop' }])
    for (const sinkId of [{}, { sinkId: 'snk_1' }])
      for (const status of [{}, ...RUN_STATUSES.map((name) => ({ status: name }))])
        for (const page of [{}, { after: CURSOR }, { since: 1 }, { until: 2 }, { after: CURSOR, since: 1, until: 2 }])
          listRuns({ ...appId, ...sinkId, ...status, ...page, limit: 50 });
  expect(statements.size).toBeGreaterThanOrEqual(8);
  for (const sql of statements) expect({ sql, scans: scannedTables(real, sql) }).toEqual({ sql, scans: [] });
});

test('every page of deliveries is read along an index, whatever it is filtered by', () => {
  const { database, real, statements } = recordStatements();
  const { listDeliveries } = createReads(database);
  statements.clear();
  for (const appId of [{}, { appId: 'shop' }])
    for (const sinkId of [{}, { sinkId: 'snk_1' }])
      for (const runId of [{}, { runId: CURSOR }])
        for (const status of [{}, ...DELIVERY_STATUSES.map((name) => ({ status: name }))])
          for (const page of [{}, { before: 7 }]) listDeliveries({ ...appId, ...sinkId, ...runId, ...status, ...page, limit: 50 });
  expect(statements.size).toBe(16);
  for (const sql of statements) {
    // A run has few deliveries, one for each of its steps: these may be sorted.
    const allowed = sql.includes('run_id = (SELECT') ? ['sorts runs'] : [];
    expect({ sql, scans: scannedTables(real, sql) }).toEqual({ sql, scans: allowed });
  }
});

test('no other statement reads or sorts all runs, or anything that grows with them', () => {
  const { database, real, statements } = recordStatements();
  createReads(database);
  createWrites(database);
  expect(statements.size).toBeGreaterThan(30);
  for (const sql of statements) expect({ sql, scans: scannedTables(real, sql) }).toEqual({ sql, scans: [] });
});
