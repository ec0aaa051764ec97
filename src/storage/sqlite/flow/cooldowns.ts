// Cooldowns of sinks in SQLite: until when runs of a key are skipped.

import type { Database } from 'better-sqlite3';
import { given, table } from '../table.ts';

export const flowCooldowns = table('flow_cooldowns').columns({
  sink_no: given<number>(),
  flow_key: given<string>(),
  ends_at: given<number>(),
});

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
    this.#sql.upsert({ sink_no: sinkNo, flow_key: key, ends_at: Math.ceil(now + seconds * 1000) });
  }

  endAll(sinkNo: number): void {
    this.#sql.removeOfSink.run(sinkNo);
  }
}

function prepareStatements(database: Database) {
  return {
    isRunning: database.prepare('SELECT EXISTS (SELECT 1 FROM flow_cooldowns WHERE sink_no = ? AND flow_key = ? AND ends_at > ?)').pluck(),
    upsert: flowCooldowns.upsert(database, { key: ['sink_no', 'flow_key'] }),
    removeEnded: database.prepare(
      `DELETE FROM flow_cooldowns WHERE (sink_no, flow_key) IN
         (SELECT sink_no, flow_key FROM flow_cooldowns WHERE ends_at <= ? ORDER BY ends_at LIMIT ${REMOVED})`,
    ),
    removeOfSink: database.prepare('DELETE FROM flow_cooldowns WHERE sink_no = ?'),
  };
}
