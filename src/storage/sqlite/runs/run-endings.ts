// Ends runs otherwise than by a turn of their own, and cancels the deliveries that an ended run was waiting for.

import type { Database } from 'better-sqlite3';
import type { RunError, RunStatus } from '../../../core/run/run.ts';
import type { OverflowGroups } from '../deliveries/overflow.ts';
import type { FlowControl } from '../flow/flow-control.ts';

export interface RunEndings {
  /** Ends the run under the next epoch, cancels its awaited deliveries, and starts the held runs that may start then. */
  endRun(runNumber: number, lastSeq: number, end: { status: RunStatus; error: RunError; now: number }): void;
  /** Cancels the deliveries that the run waits for. */
  cancelDeliveries(runNumber: number, now: number): void;
}

export function createRunEndings(database: Database, overflows: OverflowGroups, flow: FlowControl): RunEndings {
  const cancelAwaited = database
    .prepare(
      `UPDATE deliveries SET status = 'cancelled', due_at = NULL, finished_at = ?, epoch = epoch + 1
       WHERE run_id = ? AND is_awaited = 1 AND due_at IS NOT NULL
       RETURNING CASE overflow_policy WHEN 'latest_wins' THEN overflow_group END`,
    )
    .pluck();
  const endRun = database
    .prepare(
      `UPDATE runs SET status = ?, error = ?, finished_at = ?, wake_at = NULL, last_seq = ?, epoch = epoch + 1, inputs = NULL
       WHERE id = ? RETURNING flow_key IS NOT NULL`,
    )
    .pluck();

  function cancelDeliveries(runNumber: number, now: number): void {
    for (const latestOf of cancelAwaited.all(now, runNumber) as (string | null)[]) if (latestOf !== null) overflows.settle(latestOf, now);
  }

  return {
    cancelDeliveries,
    endRun(runNumber, lastSeq, { status, error, now }) {
      const hasFlow = endRun.get(status, JSON.stringify(error), now, lastSeq + 1, runNumber);
      cancelDeliveries(runNumber, now);
      if (hasFlow === 1) flow.leave(runNumber);
    },
  };
}
