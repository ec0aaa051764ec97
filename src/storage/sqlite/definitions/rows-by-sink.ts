// Keys of runs and deliveries by sink and status, merged from index ranges of one sink and one status each. One index serves
// every list. A list of many sinks costs one search for each, and reads no more rows than the page needs.

import type { Database } from 'better-sqlite3';

export interface RowsBySinkOptions {
  table: 'runs' | 'deliveries';
  /** The primary key, which grows with time. */
  key: 'id' | 'no';
  order: 'newest' | 'oldest';
  /** A further condition, in SQL, with the `values` of each range. */
  where?: string;
}

export interface RowRange {
  sinks: readonly number[];
  statuses: readonly string[];
  /** Inclusive. */
  from: number;
  /** Exclusive. */
  before: number;
  values?: readonly unknown[];
  limit: number;
}

/** Returns at most `limit` keys, in order. */
export function createRowsBySink(database: Database, { table, key, order, where = 'true' }: RowsBySinkOptions) {
  const direction = order === 'newest' ? 'DESC' : 'ASC';
  const select = database
    .prepare(
      `SELECT ${key} FROM ${table} WHERE sink_no = ? AND status = ? AND ${key} >= ? AND ${key} < ? AND ${where} ORDER BY ${key} ${direction} LIMIT ?`,
    )
    .pluck();
  const sign = order === 'newest' ? -1 : 1;

  return ({ sinks, statuses, from, before, values = [], limit }: RowRange): number[] => {
    let found: number[] = [];
    let [low, high] = [from, before];
    for (const sink of sinks) {
      for (const status of statuses) {
        const keys = select.all(sink, status, low, high, ...values, limit) as number[];
        if (keys.length === 0) continue;
        found = [...found, ...keys].sort((a, b) => sign * (a - b)).slice(0, limit);
        const last = found[limit - 1];
        if (last === undefined) continue;
        // The page is full, so no later range needs to go beyond its last key.
        if (order === 'newest') low = last + 1;
        else high = last;
      }
    }
    return found;
  };
}

/** Returns a function that lists the numbers of a filter's sinks, deleted ones included. A filter without app and sink has all. */
export function createSinkFilter(database: Database) {
  const select = database
    .prepare(
      `SELECT no FROM sinks WHERE (@sinkId IS NULL OR id = @sinkId)
         AND (@appId IS NULL OR app_no = (SELECT no FROM apps WHERE id = @appId))`,
    )
    .pluck();
  return ({ appId = null, sinkId = null }: { appId?: string | undefined | null; sinkId?: string | undefined | null }): number[] =>
    select.all({ appId, sinkId }) as number[];
}
