// Deliveries in SQLite: every change of a delivery's state. Each function runs inside the transaction of its batch.

import type { Database } from 'better-sqlite3';
import type { DeliveryState } from '../../../core/delivery/delivery.ts';
import { parseDeliveryId } from '../../../core/delivery/delivery-id.ts';
import { parseRunId } from '../../../core/run/run-id.ts';
import type { ClaimLimit, DeliveryLease } from '../../delivery-records.ts';
import type { Lease } from '../../run-records.ts';
import { keyOf } from '../runs/run-rows.ts';
import type { turns } from '../runs/turn-columns.ts';
import type { Packed } from '../table.ts';
import { CLAIM_COLUMNS, numberOf, type PackedClaims, packClaims } from './claimed-deliveries.ts';
import { deliveries, deliveryAttempts, deliveryKeyOf, deliveryMessages } from './delivery-columns.ts';
import type { OverflowOperations } from './overflow.ts';

interface KnownDelivery {
  no: number;
  run_id: number;
  is_awaited: number;
  latestOf: string | null;
}

const DUE = 'FROM deliveries JOIN delivery_messages ON delivery_no = no WHERE origin = ? AND due_at <= ? ORDER BY due_at, no LIMIT ?';

/** Stores the deliveries of a turn with the turn. */
export function createDeliveryWriter(database: Database, overflows: OverflowOperations) {
  const insert = deliveries.insert(database);
  const insertMessage = deliveryMessages.insert(database);
  return (order: number, owner: { appNo: number; no: number }, packed: readonly Packed<typeof deliveries>[]): void => {
    for (const delivery of packed) {
      const no = insert({ run_id: order, app_no: owner.appNo, sink_no: owner.no }, delivery).lastInsertRowid as number;
      const message = deliveries.read(delivery, 'message');
      insertMessage({ delivery_no: no, message, body: deliveries.read(delivery, 'body'), retry: deliveries.read(delivery, 'retry') });
      const overflow = deliveries.read(delivery, 'overflow');
      if (overflow !== null) overflows.enter(no, overflow, deliveries.read(delivery, 'created_at'));
    }
  };
}

export function createDeliveryOperations(
  database: Database,
  overflows: OverflowOperations,
  advanceRun: (lease: Lease, turn: Packed<typeof turns>) => boolean,
) {
  const selectKey = database.prepare(
    `SELECT no, run_id, is_awaited, CASE overflow_policy WHEN 'latest_wins' THEN overflow_group END AS latestOf
     FROM deliveries WHERE run_id = ? AND step_no = ? AND visit = ?`,
  );
  const insertAttempt = deliveryAttempts.insert(database, 'ON CONFLICT DO NOTHING');
  const selectSameAttempt = database.prepare('SELECT attempt FROM delivery_attempts WHERE delivery_no = ? AND started_at = ?').pluck();
  const selectLastAttempt = database.prepare('SELECT max(attempt) FROM delivery_attempts WHERE delivery_no = ?').pluck();
  const update = database.prepare(
    "UPDATE deliveries SET status = ?, attempts = max(attempts, ?), due_at = ?, finished_at = ? WHERE no = ? AND epoch = ? AND status = 'sending'",
  );
  const countGivenUp = database.prepare(
    "UPDATE deliveries SET attempts = max(attempts, ?) WHERE no = ? AND status IN ('cancelled', 'dropped')",
  );
  // A run that somebody advances just now looks for the result itself when it has written its turn.
  const wakeRun = database.prepare("UPDATE runs SET wake_at = ? WHERE id = ? AND status = 'waiting'");
  const selectDueSizes = database.prepare(`SELECT length(body) ${DUE}`).pluck();
  const selectDue = database.prepare(`SELECT ${CLAIM_COLUMNS} ${DUE}`).raw();
  // One at a time: a statement that changes many rows keeps a journal of its own.
  const claim = database.prepare("UPDATE deliveries SET status = 'sending', epoch = epoch + 1, due_at = ? WHERE no = ?");
  const renew = database.prepare("UPDATE deliveries SET due_at = ? WHERE no = ? AND epoch = ? AND status = 'sending'");
  const release = database.prepare(
    "UPDATE deliveries SET status = 'queued', due_at = ?, epoch = epoch + 1 WHERE no = ? AND epoch = ? AND status = 'sending'",
  );
  const selectOrigins = database.prepare(
    `WITH RECURSIVE known (origin) AS (
       SELECT min(origin) FROM deliveries WHERE due_at IS NOT NULL
       UNION ALL
       SELECT (SELECT min(origin) FROM deliveries WHERE due_at IS NOT NULL AND origin > known.origin) FROM known WHERE known.origin IS NOT NULL
     )
     SELECT origin, (SELECT min(due_at) FROM deliveries WHERE deliveries.origin = known.origin AND due_at IS NOT NULL) AS dueAt
     FROM known WHERE origin IS NOT NULL`,
  );
  const revive = database
    .prepare(
      `UPDATE deliveries SET status = 'queued', due_at = ?, finished_at = NULL, dropped_reason = NULL, epoch = epoch + 1,
         last_attempt = attempts + 1 + (SELECT retry ->> 'maxRetries' FROM delivery_messages WHERE delivery_no = no),
         -- The failure is on disk, but the run may not have been told of it yet: it waits on then.
         is_awaited = is_awaited AND EXISTS (SELECT 1 FROM step_records WHERE step_records.run_id = deliveries.run_id
           AND step_records.step = deliveries.step AND step_records.visit = deliveries.visit AND step_records.status = 'waiting')
       WHERE status IN ('failed', 'dropped')
         AND no = (SELECT no FROM deliveries JOIN runs ON runs.id = run_id WHERE run_id = ? AND nonce = ? AND step_no = ? AND visit = ?)
         AND NOT EXISTS (SELECT 1 FROM deliveries AS newer WHERE newer.overflow_policy = 'latest_wins'
           AND newer.overflow_group = deliveries.overflow_group AND newer.due_at IS NOT NULL AND newer.no > deliveries.no)
       RETURNING origin`,
    )
    .pluck();

  const find = (id: string): KnownDelivery | undefined => {
    const { runId, stepNo, visit } = deliveryKeyOf(id);
    return selectKey.get(keyOf(runId).runNumber, stepNo, visit) as KnownDelivery | undefined;
  };

  /** One that was given back, or is to be tried again, gives way to a newer one; one that is over lets it go. */
  const settle = ({ latestOf }: KnownDelivery, now: number): number[] => (latestOf === null ? [] : overflows.settle(latestOf, now));

  /** Returns the number that it has: a sender whose lease was over may have taken its own. */
  function keepAttempt(deliveryNo: number, packed: Packed<typeof deliveryAttempts>): number {
    const wanted = deliveryAttempts.read(packed, 'wanted');
    if (insertAttempt({ delivery_no: deliveryNo, attempt: wanted }, packed).changes === 1) return wanted;
    const same = selectSameAttempt.get(deliveryNo, deliveryAttempts.read(packed, 'started_at')) as number | undefined;
    if (same !== undefined) return same;
    const next = (selectLastAttempt.get(deliveryNo) as number) + 1;
    insertAttempt({ delivery_no: deliveryNo, attempt: next }, packed);
    return next;
  }

  /** Rows of what is due to one origin, the oldest first, as they will be claimed. */
  function claimOf({ origin, limit, maxBytes }: ClaimLimit, now: number): unknown[][] {
    let bytes = 0;
    let count = 0;
    for (const size of selectDueSizes.all(origin, now, limit) as number[]) {
      if (bytes > 0 && bytes >= maxBytes) break;
      bytes += size;
      count += 1;
    }
    return selectDue.all(origin, now, count) as unknown[][];
  }

  return {
    recordAttempt(
      { id, epoch }: DeliveryLease,
      attempt: Packed<typeof deliveryAttempts>,
      { status, dueAt }: DeliveryState,
      turn: { lease: Lease; change: Packed<typeof turns> } | null,
    ): 'recorded' | 'dropped' | 'stale' | 'turn_refused' {
      const delivery = find(id);
      if (delivery === undefined) return 'stale';
      const now = deliveryAttempts.read(attempt, 'started_at') + deliveryAttempts.read(attempt, 'duration_ms');
      const number = keepAttempt(delivery.no, attempt);
      const isStale = update.run(status, number, dueAt, dueAt === null ? now : null, delivery.no, epoch).changes === 0;
      if (isStale) countGivenUp.run(number, delivery.no);
      const dropped = settle(delivery, now);
      if (isStale) return 'stale';
      if (dropped.includes(delivery.no)) return 'dropped';
      if (dueAt !== null || delivery.is_awaited === 0) return 'recorded';
      if (turn !== null && advanceRun(turn.lease, turn.change)) return 'recorded';
      wakeRun.run(now, delivery.run_id);
      return turn === null ? 'recorded' : 'turn_refused';
    },

    claimDeliveries(limits: ClaimLimit[], now: number, leaseUntil: number): PackedClaims {
      const rows = limits.flatMap((limit) => claimOf(limit, now));
      for (const row of rows) claim.run(leaseUntil, numberOf(row));
      return packClaims(rows);
    },

    renewDeliveries(leases: DeliveryLease[], leaseUntil: number): string[] {
      return leases.filter(({ id, epoch }) => renew.run(leaseUntil, find(id)?.no ?? null, epoch).changes === 0).map(({ id }) => id);
    },

    releaseDeliveries(leases: DeliveryLease[], now: number): void {
      for (const { id, epoch } of leases) {
        const delivery = find(id);
        if (delivery === undefined) continue;
        release.run(now, delivery.no, epoch);
        settle(delivery, now);
      }
    },

    listDueOrigins: (): { origin: string; dueAt: number }[] => selectOrigins.all() as { origin: string; dueAt: number }[],

    retryDeliveries(ids: string[], now: number): { id: string; origin: string }[] {
      const dropped = new Set<number>();
      const revived = ids.flatMap((id) => {
        const key = parseDeliveryId(id);
        const run = key && parseRunId(key.runId);
        const origin = run && (revive.get(now, run.runNumber, run.nonce, key.stepNo, key.visit) as string | undefined);
        if (origin == null) return [];
        const delivery = find(id) as KnownDelivery;
        for (const no of settle(delivery, now)) dropped.add(no);
        return [{ no: delivery.no, id, origin }];
      });
      // One of them may have given way to a newer one of them.
      return revived.filter(({ no }) => !dropped.has(no)).map(({ id, origin }) => ({ id, origin }));
    },
  };
}
