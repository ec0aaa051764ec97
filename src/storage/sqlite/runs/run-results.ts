// Reads the results of finished deliveries for the steps that still wait for them.

import type { Database } from 'better-sqlite3';
import type { ClaimedRun } from '../../run-records.ts';
import { unpackResult } from '../deliveries/delivery-columns.ts';

export type ReadResults = (runNumber: number) => ClaimedRun['results'];

interface ResultRow {
  step: string;
  droppedReason: string | null;
  result: string;
  body: Uint8Array | null;
}

export function createRunResults(database: Database): ReadResults {
  // A dropped delivery may have no attempt.
  const selectResults = database.prepare(
    `SELECT deliveries.step, dropped_reason AS droppedReason, result, delivery_attempts.body FROM deliveries
       JOIN step_records ON step_records.run_id = deliveries.run_id AND step_records.step = deliveries.step AND step_records.visit = deliveries.visit
       LEFT JOIN delivery_attempts ON delivery_no = deliveries.no AND delivery_attempts.attempt = deliveries.attempts
     WHERE deliveries.run_id = ? AND is_awaited = 1 AND deliveries.due_at IS NULL AND (result IS NOT NULL OR deliveries.status = 'dropped')
       AND step_records.status = 'waiting' AND step_records.due_at IS NULL`,
  );

  return (runNumber) =>
    (selectResults.all(runNumber) as ResultRow[]).map(({ step, droppedReason, result, body }) => ({
      step,
      result: droppedReason === null ? unpackResult(result, body) : { kind: 'dropped', reason: droppedReason },
    }));
}
