// Overflow policies: drops deliveries whose receiver is too slow.
//
// After every change, of each `latest_wins` group at most one delivery is being sent and at most one waits, which is newer.
// The waiting one is due only if no other is being sent.

import { NOT_DUE, type StoredDelivery } from '../records.ts';
import { wake } from '../runs/make-due.ts';
import type { State } from '../state.ts';
import { finishDelivery } from './finish-delivery.ts';

/** Adds a stored delivery that waits to its group. Drops it, or those that it supersedes, as the policy says. */
export function enterGroup(state: State, delivery: StoredDelivery): void {
  const { overflow } = delivery;
  if (overflow?.policy === 'latest_wins') settleGroup(state, overflow.group);
  if (overflow?.policy !== 'reject') return;
  const waiting = openOf(state, overflow).length - 1;
  if (waiting >= overflow.limit) drop(state, delivery, `the receiver is behind: ${waiting} wait`);
}

/** Restores the order of a `latest_wins` group after a change. Returns the deliveries that it dropped. */
export function settleGroup(state: State, group: string): StoredDelivery[] {
  const open = openOf(state, { policy: 'latest_wins', group });
  const newest = open.at(-1);
  if (newest === undefined) return [];
  const older = open.filter((delivery) => delivery !== newest && delivery.status === 'queued');
  for (const delivery of older) drop(state, delivery, `superseded by ${newest.id}`);
  const isSending = open.some(({ status }) => status === 'sending');
  if (isSending && newest.status === 'queued') newest.dueAt = NOT_DUE;
  if (!isSending && newest.dueAt === NOT_DUE) newest.dueAt = state.clock();
  return older;
}

/** The unfinished deliveries of a group, oldest first. */
export function openOf({ openDeliveries }: State, { policy, group }: { policy: string; group: string }): StoredDelivery[] {
  const open: StoredDelivery[] = [];
  for (const delivery of openDeliveries) if (delivery.overflow?.policy === policy && delivery.overflow.group === group) open.push(delivery);
  return open.sort((a, b) => a.no - b.no);
}

/** Drops a delivery, and makes the run due if it waits for it. */
function drop(state: State, delivery: StoredDelivery, reason: string): void {
  delivery.droppedReason = reason;
  finishDelivery(state, delivery, 'dropped');
  if (delivery.isAwaited) wake(state, delivery.run);
}
