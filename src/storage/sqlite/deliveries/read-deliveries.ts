// What is read of deliveries in SQLite: one with its attempts, and pages of them, each filter along an index.

import type { Database } from 'better-sqlite3';
import { DELIVERY_STATUSES } from '../../../core/delivery/delivery.ts';
import { parseDeliveryId } from '../../../core/delivery/delivery-id.ts';
import { parseRunId } from '../../../core/run/run-id.ts';
import type { DeliveryFilter, DeliveryRecord, ListedDelivery } from '../../delivery-records.ts';
import { createRowsBySink, createSinkFilter, type RowRange } from '../definitions/rows-by-sink.ts';
import type { Row } from '../table.ts';
import type { deliveryAttempts, deliveryMessages } from './delivery-columns.ts';
import { SUMMARY_COLUMNS, SUMMARY_TABLES, type SummaryRow, toAttempt, toDeliverySummary } from './delivery-rows.ts';
import { unpackMessage } from './message-columns.ts';

type DeliveryRow = SummaryRow & Pick<Row<typeof deliveryMessages>, 'message' | 'body'>;

export function createDeliveryQueries(database: Database) {
  const selectDelivery = database.prepare(
    `SELECT ${SUMMARY_COLUMNS}, message, delivery_messages.body FROM ${SUMMARY_TABLES}
     WHERE deliveries.run_id = ? AND runs.nonce = ? AND step_no = ? AND visit = ?`,
  );
  const selectAttempts = database.prepare('SELECT * FROM delivery_attempts WHERE delivery_no = ? ORDER BY attempt');
  const sinksOf = createSinkFilter(database);
  const newestDeliveries = createRowsBySink(database, { table: 'deliveries', key: 'no', order: 'newest' });
  const selectNewest = database.prepare('SELECT no FROM deliveries WHERE no < ? ORDER BY no DESC LIMIT ?').pluck();
  // A run has few deliveries, which are sorted. A plus keeps a condition from choosing the index.
  const selectOfRun = database
    .prepare(
      `SELECT no FROM deliveries WHERE run_id = (SELECT id FROM runs WHERE id = @order AND nonce = @nonce) AND no < @before
         AND +sink_no IN (SELECT value FROM json_each(@sinks)) AND +status IN (SELECT value FROM json_each(@statuses))
       ORDER BY no DESC LIMIT @limit`,
    )
    .pluck();
  const selectSummaries = database.prepare(
    `SELECT ${SUMMARY_COLUMNS} FROM ${SUMMARY_TABLES} WHERE deliveries.no IN (SELECT value FROM json_each(?)) ORDER BY deliveries.no DESC`,
  );

  function ofRun(runId: string, { sinks, statuses, before, limit }: RowRange): unknown[] {
    const { runNumber: order, nonce } = parseRunId(runId) ?? { runNumber: null, nonce: null };
    return selectOfRun.all({ order, nonce, before, sinks: JSON.stringify(sinks), statuses: JSON.stringify(statuses), limit });
  }

  return {
    getDelivery(id: string): DeliveryRecord | null {
      const key = parseDeliveryId(id);
      const run = key && parseRunId(key.runId);
      const row = run && (selectDelivery.get(run.runNumber, run.nonce, key.stepNo, key.visit) as DeliveryRow | undefined);
      if (!row) return null;
      const tries = (selectAttempts.all(row.no) as Row<typeof deliveryAttempts>[]).map(toAttempt);
      return { ...toDeliverySummary(row), message: unpackMessage(row.message, row.body), tries };
    },

    listDeliveries(filter: DeliveryFilter): ListedDelivery[] {
      const { appId, sinkId, runId, status, before = Number.MAX_SAFE_INTEGER, limit } = filter;
      const statuses = status === undefined ? DELIVERY_STATUSES : [status];
      const range = { sinks: sinksOf(filter), statuses, from: 0, before, limit };
      const isWhole = appId === undefined && sinkId === undefined && status === undefined;
      const nos = runId !== undefined ? ofRun(runId, range) : isWhole ? selectNewest.all(before, limit) : newestDeliveries(range);
      const rows = selectSummaries.all(JSON.stringify(nos)) as SummaryRow[];
      return rows.map((row) => ({ ...toDeliverySummary(row), position: row.no }));
    },
  };
}
