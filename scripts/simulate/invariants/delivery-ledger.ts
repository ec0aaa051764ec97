// What the storage and the senders may do with deliveries, kept apart from them: no lease is held by two, and nothing is
// sent after its lease has ended.

import { LEASE_MS } from '../../../src/leases/lease.ts';
import type { ClaimedDelivery, DeliveryLease, NewDelivery } from '../../../src/storage/delivery-records.ts';
import type { World } from '../world.ts';

interface Entry {
  epoch: number;
  owner: number;
  /** When the lease ends. Null: it is not held. */
  until: number | null;
  /** Of the last recorded attempt. */
  recordedEpoch: number;
  /** By owner, when its last lease ends or has ended. */
  readonly grants: Map<number, number>;
}

export class DeliveryLedger {
  readonly #world: World;
  readonly #deliveries = new Map<string, Entry>();

  constructor(world: World) {
    this.#world = world;
  }

  insert(owner: number, deliveries: readonly NewDelivery[]): void {
    for (const { id, isLeased } of deliveries) {
      if (this.#deliveries.has(id)) this.#world.fail('a delivery is stored once', id);
      const entry = { epoch: 1, owner, until: null, recordedEpoch: 0, grants: new Map<number, number>() };
      this.#deliveries.set(id, entry);
      if (isLeased) this.#grant(entry, owner);
    }
  }

  claim(owner: number, claimed: readonly ClaimedDelivery[]): void {
    const { now, fail } = this.#world;
    for (const { id, epoch } of claimed) {
      const entry = this.#deliveries.get(id) as Entry;
      if (entry.until !== null && entry.until > now)
        fail('no lease held by two', `${id} is leased by ${entry.owner} for ${entry.until - now} ms more, and ${owner} got it`);
      entry.epoch = epoch;
      this.#grant(entry, owner);
    }
  }

  renew(leases: readonly DeliveryLease[], stale: readonly string[]): void {
    for (const { id, epoch } of leases) {
      const entry = this.#deliveries.get(id);
      if (entry === undefined || stale.includes(id)) continue;
      if (entry.epoch !== epoch) this.#world.fail('no stale lease is renewed', `${id}: epoch ${epoch}, but it is ${entry.epoch}`);
      this.#grant(entry, entry.owner);
    }
  }

  release(leases: readonly DeliveryLease[]): void {
    for (const { id, epoch } of leases) {
      const entry = this.#deliveries.get(id);
      if (entry?.epoch === epoch) entry.until = null;
    }
  }

  /** True if the attempt was recorded now, and not by an earlier call. */
  record({ id, epoch }: DeliveryLease, answer: string): boolean {
    const entry = this.#deliveries.get(id);
    if (entry === undefined || answer === 'stale') return false;
    if (entry.recordedEpoch === epoch) return false;
    if (entry.epoch !== epoch) this.#world.fail('no attempt under a stale lease', `${id}: epoch ${epoch}, but it is ${entry.epoch}`);
    entry.until = null;
    entry.recordedEpoch = epoch;
    return true;
  }

  noteSend(owner: number, id: string): void {
    const { now, faults, fail } = this.#world;
    const until = this.#deliveries.get(id)?.grants.get(owner);
    // The clock of a sender may lag behind, and may have jumped back since it got the lease.
    const tolerance = 2 * faults.rates.skewMs;
    if (until === undefined) fail('nothing is sent without a lease', `${owner} sends ${id}, which it never leased`);
    else if (now > until + tolerance)
      fail('nothing is sent without a lease', `${owner} sends ${id} ${now - until} ms after its lease has ended`);
  }

  noteBurial(owner: number): void {
    for (const entry of this.#deliveries.values()) if (entry.owner === owner) entry.until = null;
  }

  #grant(entry: Entry, owner: number): void {
    entry.owner = owner;
    entry.until = this.#world.now + LEASE_MS;
    entry.grants.set(owner, entry.until);
  }
}
