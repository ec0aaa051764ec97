// Reads the results of finished deliveries, and the stored replies, for the steps that still wait for them.

import type { Database } from 'better-sqlite3';
import type { ClaimedRun } from '../../runs/run-records.ts';
import { unpackResult } from '../deliveries/delivery-columns.ts';

export type ReadResults = (runNumber: number) => ClaimedRun['results'];

/** Of a delivery, or of a reply if it has a choice. */
type ResultRow =
  | { step: string; visit: number; droppedReason: string | null; result: string; body: Uint8Array | null; choice: null }
  | { step: string; visit: number; body: string | null; choice: string; repliedAt: number };

export function createRunResults(database: Database): ReadResults {
  // A dropped delivery may have no attempt.
  const selectResults = database.prepare(
    `SELECT deliveries.step, deliveries.visit, dropped_reason AS droppedReason, result, delivery_attempts.body, NULL AS choice, NULL AS repliedAt
     FROM deliveries
       JOIN step_records ON step_records.run_id = deliveries.run_id AND step_records.step = deliveries.step AND step_records.visit = deliveries.visit
       LEFT JOIN delivery_attempts ON delivery_no = deliveries.no AND delivery_attempts.attempt = deliveries.attempts
     WHERE deliveries.run_id = @runNumber AND is_awaited = 1 AND deliveries.due_at IS NULL AND (result IS NOT NULL OR deliveries.status = 'dropped')
       AND step_records.status = 'waiting' AND step_records.due_at IS NULL
     UNION ALL
     SELECT step, visit, NULL, NULL, replies.body, choice, replied_at FROM step_records
       JOIN replies ON replies.run_id = step_records.run_id AND reply_id = awaits
     WHERE step_records.run_id = @runNumber AND status = 'waiting'`,
  );

  return (runNumber) => (selectResults.all({ runNumber }) as ResultRow[]).map(toResult);
}

function toResult(row: ResultRow): ClaimedRun['results'][number] {
  const { step, visit, choice, body } = row;
  if (choice !== null) return { step, visit, result: { kind: 'replied', choice, body, at: row.repliedAt } };
  const { droppedReason } = row;
  return { step, visit, result: droppedReason === null ? unpackResult(row.result, body) : { kind: 'dropped', reason: droppedReason } };
}
