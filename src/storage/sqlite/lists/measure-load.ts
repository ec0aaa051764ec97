// Measures in SQLite what has not ended. Each count reads an index range of each sink, and no row.

import { statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { LOAD_COUNT_LIMIT, type StoredLoad } from '../../load-store.ts';

type LoadRow = Record<'queued' | 'running' | 'waiting' | 'unsent' | 'sending' | 'failed', number>;

export function createLoadQueries(database: Database) {
  const count = (table: 'runs' | 'deliveries', status: string): string =>
    `(SELECT count(*) FROM (SELECT 1 FROM ${table} WHERE sink_no IN (SELECT no FROM sinks) AND status = '${status}' LIMIT ${LOAD_COUNT_LIMIT}))`;
  const select = database.prepare(
    `SELECT ${count('runs', 'queued')} AS queued, ${count('runs', 'running')} AS running, ${count('runs', 'waiting')} AS waiting,
       ${count('deliveries', 'queued')} AS unsent, ${count('deliveries', 'sending')} AS sending, ${count('deliveries', 'failed')} AS failed`,
  );
  const selectOldest = database
    .prepare(
      `SELECT created_at FROM runs WHERE id =
         (SELECT min((SELECT min(id) FROM runs WHERE sink_no = sinks.no AND status = 'queued')) FROM sinks)`,
    )
    .pluck();
  return {
    measureLoad(): StoredLoad {
      const { queued, running, waiting, unsent, sending, failed } = select.get() as LoadRow;
      return {
        runs: { queued, running, waiting },
        deliveries: { queued: unsent, sending, failed },
        oldestQueuedAt: (selectOldest.get() as number | undefined) ?? null,
        databaseBytes: bytesOf(database.name),
        logBytes: bytesOf(`${database.name}-wal`),
      };
    },
  };
}

function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
