// Leases of deliveries: claims due deliveries, and renews, releases and recovers their leases.

import { LEASE_MS } from '../../../../src/leases/lease.ts';
import type { ClaimedDelivery, ClaimLimit, DeliveryLease } from '../../../../src/storage/delivery-records.ts';
import type { StoredDelivery } from '../records.ts';
import type { State } from '../state.ts';
import { settleGroup } from './overflow.ts';

export function claimDeliveries(state: State, owner: number, limits: readonly ClaimLimit[]): ClaimedDelivery[] {
  const leaseUntil = state.clock() + LEASE_MS;
  return limits
    .flatMap((limit) => selectDue(state, limit))
    .map((delivery) => {
      delivery.status = 'sending';
      delivery.epoch += 1;
      delivery.dueAt = leaseUntil;
      delivery.owner = owner;
      return toClaimed(delivery);
    });
}

export function renewDeliveries(state: State, leases: readonly DeliveryLease[]): string[] {
  const leaseUntil = state.clock() + LEASE_MS;
  return leases.flatMap((lease) => {
    const delivery = findLeased(state, lease);
    if (delivery === undefined) return [lease.id];
    delivery.dueAt = leaseUntil;
    return [];
  });
}

export function releaseDeliveries(state: State, leases: readonly DeliveryLease[]): void {
  for (const lease of leases) {
    const delivery = findLeased(state, lease);
    if (delivery !== undefined) release(state, delivery);
    const overflow = state.deliveries.get(lease.id)?.overflow;
    if (overflow?.policy === 'latest_wins') settleGroup(state, overflow.group);
  }
}

/** Releases the deliveries that dead owners were sending. */
export function recoverDeliveries(state: State, isDead: (owner: number) => boolean): void {
  const left = [...state.openDeliveries].filter(({ status, owner }) => status === 'sending' && isDead(owner));
  for (const delivery of left) release(state, delivery);
  for (const { overflow } of left) if (overflow?.policy === 'latest_wins') settleGroup(state, overflow.group);
}

export function listDueOrigins({ openDeliveries }: State): { origin: string; dueAt: number }[] {
  const nearest = new Map<string, number>();
  for (const { origin, dueAt } of openDeliveries) {
    if (dueAt !== null) nearest.set(origin, Math.min(nearest.get(origin) ?? dueAt, dueAt));
  }
  return [...nearest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([origin, dueAt]) => ({ origin, dueAt }));
}

export function findLeased(state: State, { id, epoch }: DeliveryLease): StoredDelivery | undefined {
  const delivery = state.deliveries.get(id);
  return delivery?.epoch === epoch && delivery.status === 'sending' ? delivery : undefined;
}

function release(state: State, delivery: StoredDelivery): void {
  delivery.status = 'queued';
  delivery.dueAt = state.clock();
  delivery.epoch += 1;
}

const byDueTime = (a: StoredDelivery, b: StoredDelivery): number => (a.dueAt as number) - (b.dueAt as number) || a.no - b.no;

/** Selects due deliveries to one origin, the oldest first. */
function selectDue(state: State, { origin, limit, maxBytes }: ClaimLimit): StoredDelivery[] {
  const now = state.clock();
  const due: StoredDelivery[] = [];
  for (const delivery of state.openDeliveries) if (delivery.origin === origin && isDue(state, delivery, now)) due.push(delivery);
  let bytes = 0;
  const claims: StoredDelivery[] = [];
  for (const delivery of due.sort(byDueTime).slice(0, limit)) {
    if (bytes > 0 && bytes >= maxBytes) break;
    bytes += bodyBytes(delivery);
    claims.push(delivery);
  }
  return claims;
}

function isDue({ broken }: State, { status, dueAt }: StoredDelivery, now: number): boolean {
  if (broken === 'lease-check' && status === 'sending') return true;
  return dueAt !== null && dueAt <= now;
}

function bodyBytes({ message }: StoredDelivery): number {
  const parts = message.transport === 'http' ? (message.body ?? []) : message.attachments.map(({ content }) => content);
  let bytes = 0;
  for (const part of parts) if (part instanceof Uint8Array) bytes += part.byteLength;
  return bytes;
}

function toClaimed(delivery: StoredDelivery): ClaimedDelivery {
  const { id, step, isAwaited, origin, message, retry, epoch, attempts, lastAttempt, overflow } = delivery;
  const latestOf = overflow?.policy === 'latest_wins' ? overflow.group : null;
  return { id, step, isAwaited, origin, message, retry, latestOf, epoch, attempts, lastAttempt };
}
