// Rejections: triggers that were refused before a run existed. Their number is bounded.

import type { Rejection, RejectionChange, RejectionFilter } from '../../../src/storage/refusals/rejection-store.ts';
import type { State } from './state.ts';

const MAX_REJECTIONS = 10_000;

export function recordRejections(state: State, changes: readonly RejectionChange[]): number[] {
  const positions = changes.map((change) => record(state, change));
  for (const position of state.rejections.keys()) if (position <= state.lastRejection - MAX_REJECTIONS) state.rejections.delete(position);
  return positions;
}

export function listRejections(
  { rejections }: State,
  { before = Number.MAX_SAFE_INTEGER, limit, since = 0, ...exact }: RejectionFilter,
): (Rejection & { position: number })[] {
  return [...rejections]
    .filter(([position, rejection]) => position < before && rejection.lastAt >= since && matches(rejection, exact))
    .sort(([a], [b]) => b - a)
    .slice(0, limit)
    .map(([position, rejection]) => ({ ...rejection, position }));
}

export function getRejection({ rejections }: State, position: number): (Rejection & { position: number }) | null {
  const rejection = rejections.get(position);
  return rejection === undefined ? null : { ...rejection, position };
}

function matches(rejection: Rejection, exact: Omit<RejectionFilter, 'before' | 'limit' | 'since'>): boolean {
  return Object.entries(exact).every(([name, value]) => value === undefined || rejection[name as keyof typeof exact] === value);
}

export function removeOldRejections({ rejections }: State, before: number, limit: number): void {
  const oldest = Math.min(...rejections.keys());
  for (const [position, { lastAt }] of rejections) if (position < oldest + limit && lastAt < before) rejections.delete(position);
}

/** Adds to the entry at `position`, or stores a new one if it is null or has been deleted. */
function record(state: State, { position, ...change }: RejectionChange): number {
  const entry = position === null ? undefined : state.rejections.get(position);
  if (position !== null && entry !== undefined) {
    const { method, path, message, clientIp, count, lastAt } = change;
    Object.assign(entry, { method, path, message, clientIp, count: entry.count + count, lastAt });
    return position;
  }
  state.lastRejection += 1;
  state.rejections.set(state.lastRejection, { ...change });
  return state.lastRejection;
}
