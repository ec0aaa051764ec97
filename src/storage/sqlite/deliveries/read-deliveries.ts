// Reads deliveries from SQLite: one with its attempts, and pages of them. Each filter reads along an index.

import type { Database } from 'better-sqlite3';
import { DELIVERY_STATUSES } from '../../../core/delivery/delivery.ts';
import { parseDeliveryId } from '../../../core/delivery/delivery-id.ts';
import { parseRunId } from '../../../core/run/run-id.ts';
import type { DeliveryFilter, DeliveryRecord, ListedDelivery } from '../../delivery-records.ts';
import { createRowsBySink, createSinkFilter, type RowRange } from '../definitions/rows-by-sink.ts';
import type { Row } from '../table.ts';
import type { deliveryAttempts, deliveryMessages } from './delivery-columns.ts';
import { SUMMARY_COLUMNS, SUMMARY_TABLES, type SummaryRow, toAttempt, toDeliverySummary } from './delivery-rows.ts';
import { MESSAGE_BYTES, unpackMessage } from './message-columns.ts';

type DeliveryRow = SummaryRow & Pick<Row<typeof deliveryMessages>, 'message' | 'body'>;

export class DeliveryReader {
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #newestDeliveries: ReturnType<typeof createRowsBySink>;
  readonly #sinksOf: ReturnType<typeof createSinkFilter>;

  constructor(database: Database) {
    this.#sql = prepareStatements(database);
    this.#newestDeliveries = createRowsBySink(database, { table: 'deliveries', key: 'no', order: 'newest' });
    this.#sinksOf = createSinkFilter(database);
  }

  getDelivery(id: string): DeliveryRecord | null {
    const key = parseDeliveryId(id);
    const run = key && parseRunId(key.runId);
    const row = run && (this.#sql.selectDelivery.get(run.runNumber, run.nonce, key.stepNo, key.visit) as DeliveryRow | undefined);
    if (!row) return null;
    const tries = (this.#sql.selectAttempts.all(row.no) as Row<typeof deliveryAttempts>[]).map(toAttempt);
    return { ...toDeliverySummary(row), message: unpackMessage(row.message, row.body), tries };
  }

  listDeliveries(filter: DeliveryFilter): ListedDelivery[] {
    const rows = this.#sql.selectSummaries.all(JSON.stringify(this.#selectNumbers(filter))) as SummaryRow[];
    return rows.map((row) => ({ ...toDeliverySummary(row), position: row.no }));
  }

  #selectNumbers(filter: DeliveryFilter): unknown[] {
    const { appId, sinkId, runId, status, before = Number.MAX_SAFE_INTEGER, limit } = filter;
    const statuses = status === undefined ? DELIVERY_STATUSES : [status];
    const range = { sinks: this.#sinksOf(filter), statuses, from: 0, before, limit };
    if (runId !== undefined) return this.#selectOfRun(runId, range);
    const isUnfiltered = appId === undefined && sinkId === undefined && status === undefined;
    return isUnfiltered ? this.#sql.selectNewest.all(before, limit) : this.#newestDeliveries(range);
  }

  #selectOfRun(runId: string, { sinks, statuses, before, limit }: RowRange): unknown[] {
    const { runNumber, nonce } = parseRunId(runId) ?? { runNumber: null, nonce: null };
    return this.#sql.selectOfRun.all({
      runNumber,
      nonce,
      before,
      sinks: JSON.stringify(sinks),
      statuses: JSON.stringify(statuses),
      limit,
    });
  }
}

function prepareStatements(database: Database) {
  return {
    selectDelivery: database.prepare(
      `SELECT ${SUMMARY_COLUMNS}, message, ${MESSAGE_BYTES} AS body FROM ${SUMMARY_TABLES}
       WHERE deliveries.run_id = ? AND runs.nonce = ? AND step_no = ? AND visit = ?`,
    ),
    selectAttempts: database.prepare('SELECT * FROM delivery_attempts WHERE delivery_no = ? ORDER BY attempt'),
    selectNewest: database.prepare('SELECT no FROM deliveries WHERE no < ? ORDER BY no DESC LIMIT ?').pluck(),
    // A run has few deliveries, so they may be sorted. The plus keeps a condition from selecting another index.
    selectOfRun: database
      .prepare(
        `SELECT no FROM deliveries WHERE run_id = (SELECT id FROM runs WHERE id = @runNumber AND nonce = @nonce) AND no < @before
           AND +sink_no IN (SELECT value FROM json_each(@sinks)) AND +status IN (SELECT value FROM json_each(@statuses))
         ORDER BY no DESC LIMIT @limit`,
      )
      .pluck(),
    selectSummaries: database.prepare(
      `SELECT ${SUMMARY_COLUMNS} FROM ${SUMMARY_TABLES} WHERE deliveries.no IN (SELECT value FROM json_each(?)) ORDER BY deliveries.no DESC`,
    ),
  };
}
