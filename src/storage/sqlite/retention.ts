// Retention in SQLite: removes old runs with all their rows, and returns free pages to the disk.

import type { Database } from 'better-sqlite3';
import { isTerminal, RUN_STATUSES } from '../../core/run/run.ts';
import { runNumberAt } from '../../core/run/run-id.ts';
import type { PruneLimits } from '../runs/run-records.ts';
import { createRowsBySink, createSinkFilter } from './definitions/rows-by-sink.ts';
import type { Stamp } from './stamp.ts';

const CHILD_TABLES = ['run_events', 'step_records', 'run_blobs', 'replies', 'collected_requests', 'deliveries'] as const;
/** Keeps runs that still have open deliveries, and samples. */
const IS_REMOVABLE = `NOT EXISTS (SELECT 1 FROM deliveries WHERE run_id = runs.id AND due_at IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM samples WHERE run_id = runs.id)`;
const ENDED = RUN_STATUSES.filter(isTerminal);
/** Free pages returned to the disk at a time: few enough that no commit waits long. */
const VACUUM_PAGES = 2000;

export function createRetentionOperations(database: Database) {
  const sinksOf = createSinkFilter(database);
  const oldestRuns = createRowsBySink(database, { table: 'runs', key: 'id', order: 'oldest', where: IS_REMOVABLE });
  const deleteOfDeliveries = ['delivery_attempts', 'delivery_messages'].map((table) =>
    database.prepare(`DELETE FROM ${table} WHERE delivery_no IN (SELECT no FROM deliveries WHERE run_id = ?)`),
  );
  const deleteRun = database.prepare('DELETE FROM runs WHERE id = ?');
  const deleteChildren = CHILD_TABLES.map((table) => database.prepare(`DELETE FROM ${table} WHERE run_id = ?`));
  const deleteKeys = database.prepare('DELETE FROM idempotency_keys WHERE expires_at <= ?');
  const deleteOldRejections = database.prepare(
    'DELETE FROM rejections WHERE position < (SELECT min(position) FROM rejections) + ? AND last_at < ?',
  );

  const deleteOldJobs = database.prepare('DELETE FROM jobs WHERE finished_at < ?');

  const pragma = (name: string): number => database.pragma(name, { simple: true }) as number;
  const usedBytes = (): number => (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  const sizeOf = database.prepare('SELECT total(pgsize) FROM dbstat WHERE name = ? AND aggregate = TRUE').pluck();
  /** Not counted against the limit, so that refused triggers cannot displace stored runs. */
  const rejectionBytes = (): number => (sizeOf.get('rejections') as number) + (sizeOf.get('rejections_by_app') as number);

  return {
    pruneRuns({ now }: Stamp, { before, maxBytes, limit }: PruneLimits): number {
      deleteKeys.run(now);
      deleteOldRejections.run(limit, before ?? 0);
      deleteOldJobs.run(before ?? 0);
      const ageBound = before === null ? 0 : runNumberAt(before);
      const maxUsed = maxBytes === null ? Number.POSITIVE_INFINITY : maxBytes + rejectionBytes();
      let removed = 0;
      const bound = maxBytes === null ? ageBound : Number.MAX_SAFE_INTEGER;
      for (const runNumber of oldestRuns({ sinks: sinksOf({}), statuses: ENDED, from: 0, before: bound, limit })) {
        if (runNumber >= ageBound && usedBytes() <= maxUsed) break;
        for (const statement of [...deleteOfDeliveries, ...deleteChildren]) statement.run(runNumber);
        deleteRun.run(runNumber);
        removed += 1;
      }
      if (pragma('freelist_count') > 0) database.pragma(`incremental_vacuum(${VACUUM_PAGES})`);
      return removed;
    },
  };
}

export function createBlobQueries(database: Database) {
  const isReferenced = database.prepare('SELECT EXISTS (SELECT 1 FROM run_blobs WHERE sha256 = ?)').pluck();
  return {
    findUnreferencedBlobs(hashes: string[]): string[] {
      return hashes.filter((hash) => isReferenced.get(hash) === 0);
    },
  };
}
