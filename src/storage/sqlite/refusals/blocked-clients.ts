// Blocked clients in SQLite. Their number is bounded.

import type { Database } from 'better-sqlite3';
import type { BlockedClient } from '../../refusals/client-store.ts';
import { given, type Row, table } from '../table.ts';

const MAX_BLOCKS = 1000;

export const blockedClients = table('blocked_clients').columns({
  range: given<string>(),
  blocked_at: given<number>(),
  ends_at: given<number>(),
});

export function createBlockOperations(database: Database) {
  const deleteEnded = database.prepare('DELETE FROM blocked_clients WHERE ends_at <= ?');
  const countOthers = database.prepare('SELECT count(*) FROM blocked_clients WHERE range <> ?').pluck();
  const upsert = blockedClients.upsert(database, { key: ['range'] });
  const remove = database.prepare('DELETE FROM blocked_clients WHERE range = ?');
  return {
    blockClient({ range, blockedAt, endsAt }: BlockedClient): boolean {
      deleteEnded.run(blockedAt);
      if ((countOthers.get(range) as number) >= MAX_BLOCKS) return false;
      upsert({ range, blocked_at: blockedAt, ends_at: endsAt });
      return true;
    },
    unblockClient: (range: string): boolean => remove.run(range).changes > 0,
  };
}

export function createBlockQueries(database: Database) {
  const all = database.prepare('SELECT * FROM blocked_clients ORDER BY range');
  return {
    listBlockedClients: (): BlockedClient[] =>
      (all.all() as Row<typeof blockedClients>[]).map(({ range, blocked_at: blockedAt, ends_at: endsAt }) => ({
        range,
        blockedAt,
        endsAt,
      })),
  };
}
