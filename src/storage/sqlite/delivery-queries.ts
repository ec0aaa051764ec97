// What is read of deliveries in SQLite: one with its attempts, and pages of them, each filter along an index.

import type { Database, Statement } from 'better-sqlite3';
import { DELIVERY_STATUSES } from '../../core/delivery.ts';
import { parseDeliveryId } from '../../core/delivery-id.ts';
import { parseRunId } from '../../core/run-id.ts';
import type { DeliveryFilter, DeliveryRecord, ListedDelivery } from '../delivery-records.ts';
import { type AttemptRow, SUMMARY_COLUMNS, SUMMARY_TABLES, type SummaryRow, toAttempt, toDeliverySummary } from './delivery-rows.ts';
import { unpackMessage } from './packed-message.ts';

type DeliveryRow = SummaryRow & { message: string; body: Uint8Array };

export function createDeliveryQueries(database: Database) {
  const selectDelivery = database.prepare(
    `SELECT ${SUMMARY_COLUMNS}, message, deliveries.body FROM ${SUMMARY_TABLES}
     WHERE deliveries.run_id = ? AND runs.nonce = ? AND step_no = ? AND visit = ?`,
  );
  const selectAttempts = database.prepare('SELECT * FROM delivery_attempts WHERE delivery_no = ? ORDER BY attempt');
  const listStatements = new Map<string, Statement>();

  return {
    getDelivery(id: string): DeliveryRecord | null {
      const key = parseDeliveryId(id);
      const run = key && parseRunId(key.runId);
      const row = run && (selectDelivery.get(run.order, run.nonce, key.stepNo, key.visit) as DeliveryRow | undefined);
      if (!row) return null;
      const tries = (selectAttempts.all(row.no) as AttemptRow[]).map(toAttempt);
      return { ...toDeliverySummary(row), message: unpackMessage(row.message, row.body), tries };
    },

    listDeliveries(filter: DeliveryFilter): ListedDelivery[] {
      const { appId = null, sinkId = null, runId = '', status = null, before = Number.MAX_SAFE_INTEGER, limit } = filter;
      const sql = pageQuery(filter);
      const statement = listStatements.get(sql) ?? database.prepare(sql);
      listStatements.set(sql, statement);
      const { order, nonce } = parseRunId(runId) ?? { order: null, nonce: null };
      const rows = statement.all({ appId, sinkId, order, nonce, status, before, limit }) as SummaryRow[];
      return rows.map((row) => ({ ...toDeliverySummary(row), position: row.no }));
    },
  };
}

/** As for runs: one index range for each status, merged newest first. A run has few deliveries, which are sorted. */
function pageQuery({ appId, sinkId, runId, status }: DeliveryFilter): string {
  const ofApp = appId === undefined ? '' : 'app_no = (SELECT no FROM apps WHERE id = @appId) AND ';
  const ofSink = sinkId === undefined ? '' : 'sink_no = (SELECT no FROM sinks WHERE id = @sinkId) AND ';
  const ofRun = runId === undefined ? '' : 'run_id = (SELECT id FROM runs WHERE id = @order AND nonce = @nonce) AND ';
  const ofStatus = status === undefined ? '' : 'status = @status AND ';
  const isOneRange = ofRun !== '' || ofStatus !== '' || ofApp + ofSink === '';
  const ranges = isOneRange ? [ofStatus] : DELIVERY_STATUSES.map((name) => `status = '${name}' AND `);
  // A plus keeps a condition from choosing the index: the narrowest one is to.
  const owner = ofRun !== '' ? withoutIndex(ofApp) + withoutIndex(ofSink) + ofRun : ofSink !== '' ? withoutIndex(ofApp) + ofSink : ofApp;
  const page = ranges
    .map((range) => `SELECT no FROM deliveries WHERE ${owner}${ofRun === '' ? range : withoutIndex(range)}no < @before`)
    .join(' UNION ALL ');
  return `SELECT ${SUMMARY_COLUMNS} FROM ${SUMMARY_TABLES} WHERE deliveries.no IN (SELECT no FROM (${page} ORDER BY no DESC LIMIT @limit)) ORDER BY deliveries.no DESC`;
}

function withoutIndex(condition: string): string {
  return condition === '' ? '' : `+${condition}`;
}
