// Finds the row of a delivery by its id: its number, its run, and the group that a change of the delivery affects.

import type { Database } from 'better-sqlite3';
import { keyOf } from '../runs/run-rows.ts';
import { deliveryKeyOf } from './delivery-columns.ts';

export interface FoundDelivery {
  no: number;
  runNumber: number;
  isAwaited: 0 | 1;
  /** Its group if the overflow policy is `latest_wins`, else null. */
  latestOf: string | null;
}

export type FindDelivery = (id: string) => FoundDelivery | undefined;

export function createDeliveryFinder(database: Database): FindDelivery {
  const select = database.prepare(
    `SELECT no, run_id AS runNumber, is_awaited AS isAwaited, CASE overflow_policy WHEN 'latest_wins' THEN overflow_group END AS latestOf
     FROM deliveries WHERE run_id = ? AND step_no = ? AND visit = ? AND (SELECT nonce FROM runs WHERE id = run_id) = ?`,
  );
  return (id) => {
    const { runId, stepNo, visit } = deliveryKeyOf(id);
    const { runNumber, nonce } = keyOf(runId);
    return select.get(runNumber, stepNo, visit, nonce) as FoundDelivery | undefined;
  };
}
