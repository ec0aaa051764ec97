// Lists, claims and retention read along an index, so that they stay fast however many runs are stored.

import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/storage/sqlite/database-file/open-database.ts';
import { createReads, createWrites } from '../../src/storage/sqlite/operations.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';

const migrationsFolder = join(import.meta.dirname, '../../migrations/sqlite');

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

/** What each step of the plan does. */
function planOf(database: Database, sql: string): string[] {
  const names = [...sql.matchAll(/@(\w+)/g)].map(([, name]) => [name as string, null]);
  const unnamed = Array.from({ length: sql.split('?').length - 1 }, () => null);
  const explain = database.prepare(`EXPLAIN QUERY PLAN ${sql}`);
  const plan = (names.length > 0 ? explain.all(Object.fromEntries(names)) : explain.all(...unnamed)) as { detail: string }[];
  return plan.map(({ detail }) => detail);
}

/** Tables that grow with the runs, and whose every row a plan would read. */
function scannedTables(database: Database, sql: string): string[] {
  const details = planOf(database, sql);
  const sorts = details.some((detail) => /SEARCH runs\b/.test(detail)) && details.some((detail) => detail.includes('TEMP B-TREE'));
  return [
    ...details.filter((detail) =>
      /^SCAN (?:runs|run_events|step_records|run_blobs|idempotency_keys|rejections|deliveries|delivery_attempts|delivery_messages|step_memory|flow_runs|collected_requests|flow_cooldowns)\b/.test(
        detail,
      ),
    ),
    ...(sorts ? ['sorts runs'] : []),
  ];
}

test('every list and every retention reads runs and deliveries along the index of their sinks', () => {
  const { database, real, statements } = recordStatements();
  createReads(database, () => 0);
  createWrites(database);
  const bySink = [...statements].filter((sql) => sql.includes('WHERE sink_no = ? AND status = ?'));
  expect(bySink).toHaveLength(6);
  // Those of jobs read the rows too: they ask when a run ended.
  for (const sql of bySink)
    expect(planOf(real, sql)[0]).toMatch(
      sql.includes('finished_at')
        ? /^SEARCH runs USING INDEX runs_by_sink \(sink_no=\? AND status=\? AND/
        : /^SEARCH \w+ USING COVERING INDEX \w+_by_sink \(sink_no=\? AND status=\? AND/,
    );
});

test('no statement reads or sorts all runs, or anything that grows with them', () => {
  const { database, real, statements } = recordStatements();
  createReads(database, () => 0);
  createWrites(database);
  expect(statements.size).toBeGreaterThan(30);
  for (const sql of statements) {
    // A run has few deliveries, one for each of its steps: these may be sorted.
    const allowed = sql.includes('run_id = (SELECT') ? ['sorts runs'] : [];
    expect({ sql, scans: scannedTables(real, sql) }).toEqual({ sql, scans: allowed });
  }
});
