// Schedules in SQLite: kept in step with the settings of their sink, and moved as their times are handled.

import type { Database } from 'better-sqlite3';
import type { ScheduleSetting } from '../../../core/sink/schedule-setting.ts';
import type { ScheduleKey, ScheduleMove, ScheduleState } from '../../schedule-store.ts';
import { given, preset, table } from '../table.ts';

export const schedules = table('schedules').columns({
  sink_no: given<number>(),
  name: given<string>(),
  cron: given<string>(),
  time_zone: given<string>(),
  handled_to: given<number>(),
  last_at: preset<number | null>(),
});

export class ScheduleWriter {
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(database: Database) {
    this.#sql = prepareStatements(database);
  }

  /** A schedule that is new, or whose cron or time zone has changed, is handled up to `now`. The others stay as they are. */
  keep(sinkId: string, wanted: readonly ScheduleSetting[], now: number): void {
    const sinkNo = this.#sql.selectSink.get(sinkId) as number;
    this.#sql.deleteOthers.run(sinkNo, JSON.stringify(wanted.map(({ name }) => name)));
    for (const { name, cron, timeZone } of wanted) this.#sql.insert({ sink_no: sinkNo, name, cron, time_zone: timeZone, handled_to: now });
  }

  delete(sinkId: string): void {
    this.#sql.deleteOthers.run(this.#sql.selectSink.get(sinkId), '[]');
  }
}

function prepareStatements(database: Database) {
  return {
    selectSink: database.prepare('SELECT no FROM sinks WHERE id = ?').pluck(),
    deleteOthers: database.prepare('DELETE FROM schedules WHERE sink_no = ? AND name NOT IN (SELECT value FROM json_each(?))'),
    insert: schedules.insert(
      database,
      `ON CONFLICT (sink_no, name) DO UPDATE
         SET cron = excluded.cron, time_zone = excluded.time_zone, handled_to = excluded.handled_to
       WHERE cron <> excluded.cron OR time_zone <> excluded.time_zone`,
    ),
  };
}

export function createScheduleOperations(database: Database) {
  const columns = `sinks.id AS sinkId, schedules.name, cron, time_zone AS timeZone, handled_to AS handledTo, last_at AS lastAt`;
  const from = 'FROM schedules JOIN sinks ON sinks.no = sink_no WHERE deleted_at IS NULL';
  const selectAll = database.prepare(`SELECT ${columns} ${from} ORDER BY sink_no, schedules.name`);
  const select = database.prepare(`SELECT ${columns} ${from} AND sinks.id = ? AND schedules.name = ?`);
  const move = database.prepare(
    `UPDATE schedules SET handled_to = @to, last_at = coalesce(@lastAt, last_at)
     WHERE sink_no = (SELECT no FROM sinks WHERE id = @sinkId) AND name = @name AND handled_to = @from`,
  );
  const find = ({ sinkId, name }: ScheduleKey): ScheduleState | null => (select.get(sinkId, name) as ScheduleState | undefined) ?? null;
  return {
    listSchedules: (): ScheduleState[] => selectAll.all() as ScheduleState[],
    moveSchedule(moved: ScheduleMove): ScheduleState | null {
      move.run(moved);
      return find(moved);
    },
  };
}
