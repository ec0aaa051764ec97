// Storage contract: clients that may not trigger any sink. Each has an end, and their number is bounded.

import { describe, expect, test } from 'vitest';
import type { BlockedClient } from '../../../src/storage/refusals/client-store.ts';
import { NOW, type Workbench } from './workbench.ts';

const block = (range: string, fields: Partial<BlockedClient> = {}): BlockedClient => ({
  range,
  blockedAt: NOW,
  endsAt: NOW + 60_000,
  ...fields,
});

export function blockedClientsContract(workbench: () => Workbench): void {
  describe('blockClient', () => {
    test('stores a block with its end, and again with a new end', async () => {
      const { storage } = workbench();
      expect(await storage.blockClient(block('203.0.113.9'))).toBe(true);
      expect(await storage.blockClient(block('10.0.0.0/8'))).toBe(true);
      expect(await storage.blockClient(block('203.0.113.9', { blockedAt: NOW + 1, endsAt: NOW + 5 }))).toBe(true);
      expect(await storage.listBlockedClients()).toEqual([
        block('10.0.0.0/8'),
        block('203.0.113.9', { blockedAt: NOW + 1, endsAt: NOW + 5 }),
      ]);
    });

    test('ends by unblockClient, which says whether there was one', async () => {
      const { storage } = workbench();
      await storage.blockClient(block('203.0.113.9'));
      expect(await storage.unblockClient('203.0.113.9')).toBe(true);
      expect(await storage.unblockClient('203.0.113.9')).toBe(false);
      expect((await storage.listBlockedClients()).map(({ range }) => range)).not.toContain('203.0.113.9');
    });

    test('stores up to a fixed number, of which those that have ended do not count', async () => {
      const { storage } = workbench();
      for (const { range } of await storage.listBlockedClients()) await storage.unblockClient(range);
      for (let n = 0; n < 1000; n += 1) await storage.blockClient(block(`10.0.${n >> 8}.${n & 255}`, { endsAt: NOW + 100 }));
      expect(await storage.blockClient(block('192.0.2.1'))).toBe(false);
      expect(await storage.blockClient(block('10.0.0.7', { endsAt: NOW + 100_000 }))).toBe(true);
      expect(await storage.listBlockedClients()).toHaveLength(1000);
      expect(await storage.blockClient(block('192.0.2.1', { blockedAt: NOW + 100, endsAt: NOW + 200 }))).toBe(true);
      expect((await storage.listBlockedClients()).map(({ range }) => range)).toEqual(['10.0.0.7', '192.0.2.1']);
    });
  });
}
