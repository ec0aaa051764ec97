// Retries deliveries in SQLite: failed and dropped ones become due again, with a new set of attempts.

import type { Database } from 'better-sqlite3';
import { parseDeliveryId } from '../../../core/delivery/delivery-id.ts';
import { parseRunId } from '../../../core/run/run-id.ts';
import type { Stamp } from '../stamp.ts';
import type { FindDelivery, FoundDelivery } from './find-delivery.ts';
import type { OverflowGroups } from './overflow.ts';

const RETRY = `UPDATE deliveries SET status = 'queued', due_at = ?, finished_at = NULL, dropped_reason = NULL, epoch = epoch + 1,
    last_attempt = attempts + 1 + (SELECT retry ->> 'maxRetries' FROM delivery_messages WHERE delivery_no = no),
    -- The failure is on disk, but the run may not have read it yet: then the run still waits.
    is_awaited = is_awaited AND EXISTS (SELECT 1 FROM step_records WHERE step_records.run_id = deliveries.run_id
      AND step_records.step = deliveries.step AND step_records.visit = deliveries.visit AND step_records.status = 'waiting')
  WHERE status IN ('failed', 'dropped')
    AND no = (SELECT no FROM deliveries JOIN runs ON runs.id = run_id WHERE run_id = ? AND nonce = ? AND step_no = ? AND visit = ?)
    AND NOT EXISTS (SELECT 1 FROM deliveries AS newer WHERE newer.overflow_policy = 'latest_wins'
      AND newer.overflow_group = deliveries.overflow_group AND newer.due_at IS NOT NULL AND newer.no > deliveries.no)
  RETURNING origin`;

export function createDeliveryRetries(database: Database, overflows: OverflowGroups, find: FindDelivery) {
  const retry = database.prepare(RETRY).pluck();

  return {
    retryDeliveries({ now }: Stamp, ids: string[]): { id: string; origin: string }[] {
      const dropped = new Set<number>();
      const retried = ids.flatMap((id) => {
        const key = parseDeliveryId(id);
        const run = key && parseRunId(key.runId);
        const origin = run && (retry.get(now, run.runNumber, run.nonce, key.stepNo, key.visit) as string | undefined);
        if (origin == null) return [];
        const { no, latestOf } = find(id) as FoundDelivery;
        if (latestOf !== null) for (const older of overflows.settle(latestOf, now)) dropped.add(older);
        return [{ no, id, origin }];
      });
      // A later id of the same call may have superseded an earlier one.
      return retried.filter(({ no }) => !dropped.has(no)).map(({ id, origin }) => ({ id, origin }));
    },
  };
}
