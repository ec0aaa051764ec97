// Leases of deliveries in SQLite: claims due deliveries, and renews and releases their leases.

import type { Database } from 'better-sqlite3';
import { LEASE_MS } from '../../../leases/lease.ts';
import type { ClaimLimit, DeliveryLease } from '../../delivery-records.ts';
import type { Stamp } from '../stamp.ts';
import { CLAIM_COLUMNS, numberOf, type PackedClaims, packClaims } from './claimed-deliveries.ts';
import type { FindDelivery } from './find-delivery.ts';
import { MESSAGE_SIZE } from './message-columns.ts';
import type { OverflowGroups } from './overflow.ts';

const DUE = 'FROM deliveries JOIN delivery_messages ON delivery_no = no WHERE origin = ? AND due_at <= ? ORDER BY due_at, no LIMIT ?';

export class DeliveryLeases {
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #overflows: OverflowGroups;
  readonly #find: FindDelivery;

  constructor(database: Database, overflows: OverflowGroups, find: FindDelivery) {
    this.#sql = prepareStatements(database);
    this.#overflows = overflows;
    this.#find = find;
  }

  claimDeliveries({ now, owner }: Stamp, limits: ClaimLimit[]): PackedClaims {
    const rows = limits.flatMap((limit) => this.#selectDue(limit, now));
    for (const row of rows) this.#sql.claim.run(now + LEASE_MS, owner, numberOf(row));
    return packClaims(rows);
  }

  renewDeliveries({ now }: Stamp, leases: DeliveryLease[]): string[] {
    return leases
      .filter(({ id, epoch }) => this.#sql.renew.run(now + LEASE_MS, this.#find(id)?.no ?? null, epoch).changes === 0)
      .map(({ id }) => id);
  }

  releaseDeliveries({ now }: Stamp, leases: DeliveryLease[]): void {
    for (const { id, epoch } of leases) {
      const delivery = this.#find(id);
      if (delivery === undefined) continue;
      this.#sql.release.run(now, delivery.no, epoch);
      if (delivery.latestOf !== null) this.#overflows.settle(delivery.latestOf, now);
    }
  }

  listDueOrigins(): { origin: string; dueAt: number }[] {
    return this.#sql.selectOrigins.all() as { origin: string; dueAt: number }[];
  }

  /** Selects the rows of due deliveries to one origin, the oldest first, as they will be after the claim. */
  #selectDue({ origin, limit, maxBytes }: ClaimLimit, now: number): unknown[][] {
    let bytes = 0;
    let count = 0;
    for (const size of this.#sql.selectDueSizes.all(origin, now, limit) as number[]) {
      if (bytes > 0 && bytes >= maxBytes) break;
      bytes += size;
      count += 1;
    }
    return this.#sql.selectDue.all(origin, now, count) as unknown[][];
  }
}

function prepareStatements(database: Database) {
  return {
    selectDueSizes: database.prepare(`SELECT ${MESSAGE_SIZE} ${DUE}`).pluck(),
    selectDue: database.prepare(`SELECT ${CLAIM_COLUMNS} ${DUE}`).raw(),
    // Updates one row at a time: a statement that changes many rows writes a journal of its own.
    claim: database.prepare("UPDATE deliveries SET status = 'sending', epoch = epoch + 1, due_at = ?, owner = ? WHERE no = ?"),
    renew: database.prepare("UPDATE deliveries SET due_at = ? WHERE no = ? AND epoch = ? AND status = 'sending'"),
    release: database.prepare(
      "UPDATE deliveries SET status = 'queued', due_at = ?, epoch = epoch + 1 WHERE no = ? AND epoch = ? AND status = 'sending'",
    ),
    selectOrigins: database.prepare(
      `WITH RECURSIVE known (origin) AS (
         SELECT min(origin) FROM deliveries WHERE due_at IS NOT NULL
         UNION ALL
         SELECT (SELECT min(origin) FROM deliveries WHERE due_at IS NOT NULL AND origin > known.origin) FROM known WHERE known.origin IS NOT NULL
       )
       SELECT origin, (SELECT min(due_at) FROM deliveries WHERE deliveries.origin = known.origin AND due_at IS NOT NULL) AS dueAt
       FROM known WHERE origin IS NOT NULL`,
    ),
  };
}
