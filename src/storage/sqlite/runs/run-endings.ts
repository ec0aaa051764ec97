// Runs that end otherwise than by their own turn, and the deliveries that a run no longer waits for when it has ended.

import type { Database } from 'better-sqlite3';
import type { RunError, RunStatus } from '../../../core/run/run.ts';
import type { OverflowOperations } from '../deliveries/overflow.ts';

export interface RunEndings {
  endRun(order: number, lastSeq: number, end: { status: RunStatus; error: RunError; now: number }): void;
  /** Those that the run waits for. */
  cancelDeliveries(order: number, now: number): void;
}

export function createRunEndings(database: Database, overflows: OverflowOperations): RunEndings {
  const cancelAwaited = database
    .prepare(
      `UPDATE deliveries SET status = 'cancelled', due_at = NULL, finished_at = ?, epoch = epoch + 1
       WHERE run_id = ? AND is_awaited = 1 AND due_at IS NOT NULL
       RETURNING CASE overflow_policy WHEN 'latest_wins' THEN overflow_group END`,
    )
    .pluck();
  const endRun = database.prepare(
    'UPDATE runs SET status = ?, error = ?, finished_at = ?, wake_at = NULL, last_seq = ?, epoch = epoch + 1, inputs = NULL WHERE id = ?',
  );

  function cancelDeliveries(order: number, now: number): void {
    for (const latestOf of cancelAwaited.all(now, order) as (string | null)[]) if (latestOf !== null) overflows.settle(latestOf, now);
  }

  return {
    cancelDeliveries,
    endRun(order, lastSeq, { status, error, now }) {
      endRun.run(status, JSON.stringify(error), now, lastSeq + 1, order);
      cancelDeliveries(order, now);
    },
  };
}
