// Cooldowns of sinks in SQLite: until when runs of a key are skipped.

import type { Database } from 'better-sqlite3';

/** Rows of cooldowns that are over, which each new one removes: more than come, so that only running ones are kept. */
const REMOVED = 2;

export class Cooldowns {
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(database: Database) {
    this.#sql = prepareStatements(database);
  }

  isRunning(sinkNo: number, key: string, now: number): boolean {
    return this.#sql.isRunning.get(sinkNo, key, now) === 1;
  }

  begin(sinkNo: number, key: string, now: number, seconds: number): void {
    this.#sql.removeEnded.run(now);
    this.#sql.upsert.run(sinkNo, key, Math.ceil(now + seconds * 1000));
  }

  endAll(sinkNo: number): void {
    this.#sql.removeOfSink.run(sinkNo);
  }
}

function prepareStatements(database: Database) {
  return {
    isRunning: database.prepare('SELECT EXISTS (SELECT 1 FROM flow_cooldowns WHERE sink_no = ? AND flow_key = ? AND ends_at > ?)').pluck(),
    upsert: database.prepare(
      `INSERT INTO flow_cooldowns (sink_no, flow_key, ends_at) VALUES (?, ?, ?)
       ON CONFLICT (sink_no, flow_key) DO UPDATE SET ends_at = excluded.ends_at`,
    ),
    removeEnded: database.prepare(
      `DELETE FROM flow_cooldowns WHERE (sink_no, flow_key) IN
         (SELECT sink_no, flow_key FROM flow_cooldowns WHERE ends_at <= ? ORDER BY ends_at LIMIT ${REMOVED})`,
    ),
    removeOfSink: database.prepare('DELETE FROM flow_cooldowns WHERE sink_no = ?'),
  };
}
