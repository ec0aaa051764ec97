// What is read of deliveries in SQLite: one with its attempts, and pages of them.

import type { Database } from 'better-sqlite3';
import { parseDeliveryId } from '../../core/delivery-id.ts';
import { parseRunId } from '../../core/run-id.ts';
import type { DeliveryFilter, DeliveryRecord, DeliverySummary } from '../storage.ts';
import { type AttemptRow, type ListedDeliveryRow, toAttempt, toDeliverySummary } from './delivery-rows.ts';

const TABLES = `deliveries JOIN runs ON runs.id = deliveries.run_id JOIN apps ON apps.no = deliveries.app_no
  JOIN sinks ON sinks.no = deliveries.sink_no`;
const COLUMNS = 'deliveries.*, runs.nonce, apps.id AS app_id, sinks.id AS sink_id';

/** Each filter as SQL; its values are parameters of the same name. */
const CONDITIONS = {
  appId: 'deliveries.app_no = (SELECT no FROM apps WHERE id = @appId)',
  sinkId: 'deliveries.sink_no = (SELECT no FROM sinks WHERE id = @sinkId)',
  runId: 'deliveries.run_id = @runOrder',
  before: 'deliveries.no < @before',
} as const;

export function createDeliveryQueries(database: Database) {
  const selectDelivery = database.prepare(
    `SELECT ${COLUMNS} FROM ${TABLES} WHERE deliveries.run_id = ? AND runs.nonce = ? AND deliveries.step_no = ?`,
  );
  const selectAttempts = database.prepare('SELECT * FROM delivery_attempts WHERE delivery_no = ? ORDER BY attempt');

  return {
    getDelivery(id: string): DeliveryRecord | null {
      const key = parseDeliveryId(id);
      const run = key && parseRunId(key.runId);
      const row = run && (selectDelivery.get(run.order, run.nonce, key.stepNo) as ListedDeliveryRow | undefined);
      if (!row) return null;
      return { ...toDeliverySummary(row), tries: (selectAttempts.all(row.no) as AttemptRow[]).map(toAttempt) };
    },

    listDeliveries(filter: DeliveryFilter): (DeliverySummary & { position: number })[] {
      const { appId = null, sinkId = null, runId, status, before = null, limit } = filter;
      const runOrder = runId === undefined ? null : (parseRunId(runId)?.order ?? -1);
      const names = (Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[]).filter((name) => filter[name] !== undefined);
      // The status as a literal, so that the partial index of failed deliveries can serve.
      const conditions = [...names.map((name) => CONDITIONS[name]), ...(status === undefined ? [] : [`deliveries.status = '${status}'`])];
      const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
      const statement = database.prepare(`SELECT ${COLUMNS} FROM ${TABLES} ${where} ORDER BY deliveries.no DESC LIMIT @limit`);
      const rows = statement.all({ appId, sinkId, runOrder, before, limit }) as ListedDeliveryRow[];
      return rows.map((row) => ({ ...toDeliverySummary(row), position: row.no }));
    },
  };
}
