// Overflow policies in SQLite: drops deliveries whose receiver is too slow. The decision is made in the transaction that
// changes a delivery, so it is exact across crashes.
//
// After every commit, of each `latest_wins` group at most one delivery is being sent and at most one waits, which is newer.
// The waiting one is due only if no other is being sent.

import type { Database } from 'better-sqlite3';
import type { OverflowGroup } from '../../../core/delivery/overflow.ts';
import { type DeliveryKey, NOT_DUE, toDeliveryId } from './delivery-rows.ts';

const OF_GROUP = "overflow_policy = 'latest_wins' AND overflow_group = ? AND due_at IS NOT NULL";

export class OverflowGroups {
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(database: Database) {
    this.#sql = prepareStatements(database);
  }

  /** Adds a stored delivery that waits to its group. Drops it, or those that it supersedes, as the policy says. */
  enter(no: number, overflow: OverflowGroup, now: number): void {
    this.#sql.assign.run(overflow.policy, overflow.group, no);
    if (overflow.policy === 'latest_wins') {
      this.settle(overflow.group, now);
      return;
    }
    const waiting = this.#sql.countOpen.get(overflow.group, no) as number;
    if (waiting >= overflow.limit) this.#drop(no, `the receiver is behind: ${waiting} wait`, now);
  }

  /** Restores the order of a `latest_wins` group after a change. Returns the numbers of the deliveries that it dropped. */
  settle(group: string, now: number): number[] {
    const newest = this.#sql.selectNewest.get(group) as (DeliveryKey & { no: number }) | undefined;
    if (newest === undefined) return [];
    const older = this.#sql.selectOlder.all(group, newest.no) as number[];
    for (const no of older) this.#drop(no, `superseded by ${toDeliveryId(newest)}`, now);
    if (this.#sql.isSending.get(group) === 1) this.#sql.postpone.run(newest.no);
    else this.#sql.makeDue.run(now, newest.no);
    return older;
  }

  settleAll(now: number): void {
    for (const group of this.#sql.selectGroups.all() as string[]) this.settle(group, now);
  }

  /** Drops a delivery, and makes the run due if it waits for it. */
  #drop(no: number, reason: string, now: number): void {
    const { runNumber, isAwaited } = this.#sql.drop.get(now, reason, no) as { runNumber: number; isAwaited: number };
    if (isAwaited === 1) this.#sql.wakeRun.run(now, runNumber);
  }
}

function prepareStatements(database: Database) {
  return {
    assign: database.prepare('UPDATE deliveries SET overflow_policy = ?, overflow_group = ? WHERE no = ?'),
    countOpen: database
      .prepare("SELECT count(*) FROM deliveries WHERE overflow_policy = 'reject' AND overflow_group = ? AND due_at IS NOT NULL AND no <> ?")
      .pluck(),
    selectNewest: database.prepare(
      `SELECT no, run_id AS run_number, nonce, step_no, visit FROM deliveries JOIN runs ON runs.id = run_id
       WHERE ${OF_GROUP} ORDER BY no DESC LIMIT 1`,
    ),
    selectOlder: database.prepare(`SELECT no FROM deliveries WHERE ${OF_GROUP} AND no < ? AND status = 'queued'`).pluck(),
    drop: database.prepare(
      `UPDATE deliveries SET status = 'dropped', due_at = NULL, finished_at = ?, dropped_reason = ?, epoch = epoch + 1
       WHERE no = ? RETURNING run_id AS runNumber, is_awaited AS isAwaited`,
    ),
    wakeRun: database.prepare("UPDATE runs SET wake_at = ? WHERE id = ? AND status = 'waiting'"),
    isSending: database.prepare(`SELECT EXISTS (SELECT 1 FROM deliveries WHERE ${OF_GROUP} AND status = 'sending')`).pluck(),
    postpone: database.prepare(`UPDATE deliveries SET due_at = ${NOT_DUE} WHERE no = ? AND status = 'queued'`),
    makeDue: database.prepare(`UPDATE deliveries SET due_at = ? WHERE no = ? AND due_at = ${NOT_DUE}`),
    selectGroups: database
      .prepare(
        `SELECT DISTINCT overflow_group FROM deliveries
         WHERE overflow_policy = 'latest_wins' AND overflow_group IS NOT NULL AND due_at IS NOT NULL`,
      )
      .pluck(),
  };
}
