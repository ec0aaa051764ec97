// Records attempts in SQLite, each with the next state of its delivery and, if the delivery ends, the turn of its run.

import type { Database } from 'better-sqlite3';
import type { DeliveryState } from '../../../core/delivery/delivery.ts';
import type { DeliveryLease } from '../../delivery-records.ts';
import type { Lease } from '../../runs/run-records.ts';
import type { turns } from '../runs/turn-columns.ts';
import type { Stamp } from '../stamp.ts';
import type { Packed } from '../table.ts';
import { deliveryAttempts } from './delivery-columns.ts';
import type { FindDelivery } from './find-delivery.ts';
import type { OverflowGroups } from './overflow.ts';

type AdvanceRun = (lease: Lease, turn: Packed<typeof turns>) => boolean;

export class AttemptRecorder {
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #overflows: OverflowGroups;
  readonly #find: FindDelivery;
  readonly #advanceRun: AdvanceRun;

  constructor(database: Database, overflows: OverflowGroups, find: FindDelivery, advanceRun: AdvanceRun) {
    this.#sql = prepareStatements(database);
    this.#overflows = overflows;
    this.#find = find;
    this.#advanceRun = advanceRun;
  }

  recordAttempt(
    { now }: Stamp,
    { id, epoch }: DeliveryLease,
    attempt: Packed<typeof deliveryAttempts>,
    { status, dueAt }: DeliveryState,
    waitingRun: { lease: Lease; turn: Packed<typeof turns> } | null,
  ): 'recorded' | 'dropped' | 'stale' | 'turn_refused' {
    const delivery = this.#find(id);
    if (delivery === undefined) return 'stale';
    const { no } = delivery;
    const endedAt = deliveryAttempts.read(attempt, 'started_at') + deliveryAttempts.read(attempt, 'duration_ms');
    const number = this.#insertAttempt(no, attempt);
    const isStored = this.#sql.update.run(status, number, dueAt, dueAt === null ? endedAt : null, no, epoch).changes === 1;
    const earlier = isStored ? undefined : (this.#sql.selectEarlier.get({ no, epoch, status }) as 'recorded' | 'dropped' | undefined);
    const isStale = !isStored && earlier === undefined;
    if (isStale) this.#sql.countOfEnded.run(number, no);
    const isDropped = delivery.latestOf !== null && this.#overflows.settle(delivery.latestOf, now).includes(no);
    if (isStale) return 'stale';
    if (isDropped || earlier === 'dropped') return 'dropped';
    if (dueAt !== null || delivery.isAwaited === 0) return 'recorded';
    if (waitingRun !== null && this.#advanceRun(waitingRun.lease, waitingRun.turn)) return 'recorded';
    this.#sql.wakeRun.run(now, delivery.runNumber);
    return waitingRun === null ? 'recorded' : 'turn_refused';
  }

  /** Returns the attempt's number: the wanted one, or the next free one if a sender with a stale lease has used it. */
  #insertAttempt(deliveryNo: number, packed: Packed<typeof deliveryAttempts>): number {
    const wanted = deliveryAttempts.read(packed, 'wanted');
    if (this.#sql.insert({ delivery_no: deliveryNo, attempt: wanted }, packed).changes === 1) return wanted;
    const same = this.#sql.selectSame.get(deliveryNo, deliveryAttempts.read(packed, 'started_at')) as number | undefined;
    if (same !== undefined) return same;
    const next = (this.#sql.selectLast.get(deliveryNo) as number) + 1;
    this.#sql.insert({ delivery_no: deliveryNo, attempt: next }, packed);
    return next;
  }
}

function prepareStatements(database: Database) {
  return {
    insert: deliveryAttempts.insert(database, 'ON CONFLICT DO NOTHING'),
    selectSame: database.prepare('SELECT attempt FROM delivery_attempts WHERE delivery_no = ? AND started_at = ?').pluck(),
    selectLast: database.prepare('SELECT max(attempt) FROM delivery_attempts WHERE delivery_no = ?').pluck(),
    update: database.prepare(
      "UPDATE deliveries SET status = ?, attempts = max(attempts, ?), due_at = ?, finished_at = ? WHERE no = ? AND epoch = ? AND status = 'sending'",
    ),
    // The result of an earlier, same call whose answer was lost. A drop begins the next epoch.
    selectEarlier: database
      .prepare(
        `SELECT CASE WHEN status = 'dropped' THEN 'dropped' ELSE 'recorded' END FROM deliveries
         WHERE no = @no AND ((epoch = @epoch AND status = @status) OR (epoch = @epoch + 1 AND status = 'dropped' AND @status = 'queued'))`,
      )
      .pluck(),
    countOfEnded: database.prepare("UPDATE deliveries SET attempts = max(attempts, ?) WHERE no = ? AND status IN ('cancelled', 'dropped')"),
    // A run that is being advanced reads the result itself after it has stored its turn.
    wakeRun: database.prepare("UPDATE runs SET wake_at = ? WHERE id = ? AND status = 'waiting'"),
  };
}
