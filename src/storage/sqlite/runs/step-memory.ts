// Step memory in SQLite. Each value has a version, and a turn that was planned on another version is refused.

import type { Database } from 'better-sqlite3';
import type { MemoryUse } from '../../runs/run-records.ts';
import { given, type Row, table } from '../table.ts';

export const stepMemory = table('step_memory').columns({
  sink_no: given<number>(),
  key: given<string>(),
  value: given<string>(),
  version: given<number>(),
  updated_at: given<number>(),
});

type MemoryRow = Pick<Row<typeof stepMemory>, 'key' | 'version' | 'value'>;

export interface MemoryWriter {
  /** Whether every value still has the version that the run read. */
  isCurrent(sinkNo: number, uses: readonly MemoryUse[]): boolean;
  /** Stores the values that the run changed, each under the next version. */
  write(sinkNo: number, uses: readonly MemoryUse[], now: number): void;
}

export function createMemoryWriter(database: Database): MemoryWriter {
  const selectVersion = database.prepare('SELECT version FROM step_memory WHERE sink_no = ? AND key = ?').pluck();
  const upsert = stepMemory.insert(
    database,
    'ON CONFLICT (sink_no, key) DO UPDATE SET value = excluded.value, version = excluded.version, updated_at = excluded.updated_at',
  );
  return {
    isCurrent: (sinkNo, uses) =>
      uses.every(({ key, version }) => ((selectVersion.get(sinkNo, key) as number | undefined) ?? 0) === version),
    write(sinkNo, uses, now) {
      for (const { key, next, value } of uses) {
        if (value !== null) upsert({ sink_no: sinkNo, key, value, version: next, updated_at: now });
      }
    },
  };
}

export function createMemoryQueries(database: Database) {
  const select = database.prepare(
    `SELECT key, version, value FROM step_memory
     WHERE sink_no = (SELECT no FROM sinks WHERE id = ?) AND key IN (SELECT value FROM json_each(?))`,
  );
  return {
    readMemory: (sinkId: string, keys: string[]): MemoryRow[] => select.all(sinkId, JSON.stringify(keys)) as MemoryRow[],
  };
}
