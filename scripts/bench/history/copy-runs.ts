// Multiplies the runs of a database that no server has open: copies of its rows with ids, times, apps and sinks of
// their own, straight into the table.

import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync } from 'node:fs';
import Database from 'better-sqlite3';
import { formatRunId, joinRunId, NONCE_BYTES, parseRunId, type RunKey, runNumberAt } from '../../../src/core/run/run-id.ts';

export interface CopyOptions {
  count: number;
  /** The time that the copies are spread over, in ms since the epoch. */
  from: number;
  until: number;
  /** Apps whose sinks get them, the first most and the last few. */
  apps: string[];
}

type Row = Record<string, unknown> & { id: number; nonce: string; status: string; wake_at: number | null };
type SinkNumbers = { sink_no: number; app_no: number };

const ROWS_A_TRANSACTION = 20_000;
const DAY_MS = 86_400_000;
/** Copies that wait do so for longer than any directory is kept. */
const WAIT_MS = 90 * DAY_MS;
const SHARES = [
  { status: 'completed', upTo: 0.9 },
  { status: 'failed', upTo: 0.98 },
  { status: 'cancelled', upTo: 0.99 },
  { status: 'waiting', upTo: 1 },
];

/** Replaces the runs by copies; returns the greatest order of one. */
export function copyRuns(databaseFile: string, { count, from, until, apps }: CopyOptions): number {
  return withDatabase(databaseFile, (database) => {
    const originals = (database.prepare('SELECT * FROM runs').all() as Row[]).map(toPattern);
    const sinks = apps.flatMap(
      (app) =>
        database
          .prepare('SELECT sinks.no AS sink_no, app_no FROM sinks JOIN apps ON apps.no = app_no WHERE apps.id = ? ORDER BY path')
          .all(app) as SinkNumbers[],
    );
    database.exec('DELETE FROM runs; DELETE FROM step_records; DELETE FROM run_events');
    const columns = Object.keys((originals[0] as Pattern).row);
    const insert = database.prepare(`INSERT INTO runs (${columns.join(', ')}) VALUES (${columns.map((name) => `@${name}`).join(', ')})`);
    const random = createRandom();
    let order = 0;
    const insertSome = database.transaction((first: number, end: number) => {
      for (let index = first; index < end; index += 1) {
        const createdAt = from + Math.floor(((until - from) * index) / count);
        order = Math.max(order + 1, runNumberAt(createdAt));
        const kind = random();
        const { status } = SHARES.find(({ upTo }) => kind < upTo) as { status: string };
        const pattern = originals.find(({ row }) => row.status === status) as Pattern;
        const sink = sinks[Math.floor(random() ** 2 * sinks.length)] as SinkNumbers;
        insert.run(fillPattern(pattern, order, createdAt, sink));
      }
    });
    for (let first = 0; first < count; first += ROWS_A_TRANSACTION) insertSome(first, Math.min(count, first + ROWS_A_TRANSACTION));
    return order;
  });
}

/** Takes away what was added behind that order, and gives its pages back. */
export function removeRunsAfter(databaseFile: string, order: number): void {
  withDatabase(databaseFile, (database) => {
    database.prepare('DELETE FROM runs WHERE id > ?').run(order);
    database.pragma('incremental_vacuum');
  });
}

interface Pattern {
  row: Row;
  /** Columns that hold the id of the run, cut where it stands. */
  texts: [column: string, parts: string[]][];
}

function toPattern(row: Row): Pattern {
  const runId = joinRunId({ runNumber: row.id, nonce: row.nonce });
  const texts = Object.entries(row).flatMap(([column, value]): Pattern['texts'] =>
    typeof value === 'string' && value.includes(runId) ? [[column, value.split(runId)]] : [],
  );
  return { row, texts };
}

function fillPattern({ row, texts }: Pattern, order: number, createdAt: number, sink: SinkNumbers): Row {
  const runId = formatRunId(order, randomBytes(NONCE_BYTES));
  const { nonce } = parseRunId(runId) as RunKey;
  const isWaiting = row.wake_at !== null;
  return {
    ...row,
    ...Object.fromEntries(texts.map(([column, parts]) => [column, parts.join(runId)])),
    ...sink,
    id: order,
    nonce,
    created_at: createdAt,
    finished_at: isWaiting ? null : createdAt + 1,
    wake_at: isWaiting ? createdAt + WAIT_MS : null,
  };
}

/** The same numbers each time (mulberry32), so that two histories of one size are alike. */
function createRandom(): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Leaves one whole file that is on the disk: what the system still had to write would disturb the measurement. */
function withDatabase<Result>(databaseFile: string, work: (database: Database.Database) => Result): Result {
  const database = new Database(databaseFile, { fileMustExist: true });
  try {
    // Nothing is lost when this is interrupted: the directory counts as made only once all is done.
    database.pragma('synchronous = OFF');
    const result = work(database);
    database.pragma('wal_checkpoint(TRUNCATE)');
    return result;
  } finally {
    database.close();
    const file = openSync(databaseFile, 'r+');
    fsyncSync(file);
    closeSync(file);
  }
}
