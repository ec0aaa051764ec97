// Overflow policies in SQLite: which deliveries are dropped because their receiver is behind. Decided in the transaction of
// whatever changes a delivery, so that it is exact across crashes.
//
// What holds of a group of `latest_wins` after every commit: at most one of it is being sent and at most one waits, which
// is newer. The one that waits is due only when no other is being sent.

import type { Database } from 'better-sqlite3';
import type { OverflowGroup } from '../../../core/delivery/overflow.ts';
import { type DeliveryKey, HELD_BACK, toDeliveryId } from './delivery-rows.ts';

export interface OverflowOperations {
  /** A delivery was stored as one that waits. */
  enter(no: number, group: OverflowGroup, now: number): void;
  /** Deliveries of a group of `latest_wins` have changed; returns the numbers of those that are dropped for it. */
  settle(group: string, now: number): number[];
  settleAll(now: number): void;
}

export function createOverflowOperations(database: Database): OverflowOperations {
  const OF_GROUP = "overflow_policy = 'latest_wins' AND overflow_group = ? AND due_at IS NOT NULL";
  const assign = database.prepare('UPDATE deliveries SET overflow_policy = ?, overflow_group = ? WHERE no = ?');
  const countOpen = database
    .prepare("SELECT count(*) FROM deliveries WHERE overflow_policy = 'reject' AND overflow_group = ? AND due_at IS NOT NULL AND no <> ?")
    .pluck();
  const selectNewest = database.prepare(
    `SELECT no, run_id, nonce, step_no, visit FROM deliveries JOIN runs ON runs.id = run_id WHERE ${OF_GROUP} ORDER BY no DESC LIMIT 1`,
  );
  const selectOlder = database.prepare(`SELECT no FROM deliveries WHERE ${OF_GROUP} AND no < ? AND status = 'queued'`).pluck();
  const drop = database.prepare(
    `UPDATE deliveries SET status = 'dropped', due_at = NULL, finished_at = ?, dropped_reason = ?, epoch = epoch + 1
     WHERE no = ? RETURNING run_id AS runNo, is_awaited AS isAwaited`,
  );
  const wakeRun = database.prepare("UPDATE runs SET wake_at = ? WHERE id = ? AND status = 'waiting'");
  const isSending = database.prepare(`SELECT EXISTS (SELECT 1 FROM deliveries WHERE ${OF_GROUP} AND status = 'sending')`).pluck();
  const holdBack = database.prepare(`UPDATE deliveries SET due_at = ${HELD_BACK} WHERE no = ? AND status = 'queued'`);
  const letGo = database.prepare(`UPDATE deliveries SET due_at = ? WHERE no = ? AND due_at = ${HELD_BACK}`);
  const selectGroups = database
    .prepare(
      `SELECT DISTINCT overflow_group FROM deliveries
       WHERE overflow_policy = 'latest_wins' AND overflow_group IS NOT NULL AND due_at IS NOT NULL`,
    )
    .pluck();

  /** A run that waits for it is told. */
  function dropDelivery(no: number, reason: string, now: number): void {
    const { runNo, isAwaited } = drop.get(now, reason, no) as { runNo: number; isAwaited: number };
    if (isAwaited === 1) wakeRun.run(now, runNo);
  }

  function settle(group: string, now: number): number[] {
    const newest = selectNewest.get(group) as (DeliveryKey & { no: number }) | undefined;
    if (newest === undefined) return [];
    const older = selectOlder.all(group, newest.no) as number[];
    for (const no of older) dropDelivery(no, `superseded by ${toDeliveryId(newest)}`, now);
    if (isSending.get(group) === 1) holdBack.run(newest.no);
    else letGo.run(now, newest.no);
    return older;
  }

  return {
    enter(no, overflow, now) {
      assign.run(overflow.policy, overflow.group, no);
      if (overflow.policy === 'latest_wins') settle(overflow.group, now);
      else {
        const waiting = countOpen.get(overflow.group, no) as number;
        if (waiting >= overflow.limit) dropDelivery(no, `the receiver is behind: ${waiting} wait`, now);
      }
    },
    settle,
    settleAll(now) {
      for (const group of selectGroups.all() as string[]) settle(group, now);
    },
  };
}
