// Blocked clients. Their number is bounded.

import type { BlockedClient } from '../../../src/storage/refusals/client-store.ts';
import type { State } from './state.ts';

const MAX_BLOCKS = 1000;

export function blockClient({ blockedClients }: State, block: BlockedClient): boolean {
  for (const [range, { endsAt }] of blockedClients) if (endsAt <= block.blockedAt) blockedClients.delete(range);
  if (!blockedClients.has(block.range) && blockedClients.size >= MAX_BLOCKS) return false;
  blockedClients.set(block.range, { ...block });
  return true;
}

export function unblockClient({ blockedClients }: State, range: string): boolean {
  return blockedClients.delete(range);
}

export function listBlockedClients({ blockedClients }: State): BlockedClient[] {
  return [...blockedClients.values()].sort((a, b) => (a.range < b.range ? -1 : 1)).map((block) => ({ ...block }));
}
