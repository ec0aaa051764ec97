// Storage contract: triggers that were refused. They are listed, counted on, bounded, and no burden to what was accepted.

import { describe, expect, test } from 'vitest';
import type { RejectionChange } from '../../../src/storage/refusals/rejection-store.ts';
import { completedTurn, NOW, type Workbench } from './workbench.ts';

const MOST = 10_000;

export function rejectionsContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);
  const rejection = (fields: Partial<RejectionChange> = {}): RejectionChange => ({
    position: null,
    sinkId: 'snk_1',
    appId: null,
    method: 'POST',
    path: '/hook',
    status: 401,
    code: 'unauthorized',
    reason: 'wrong_token',
    message: 'a token is required',
    clientIp: '127.0.0.1',
    folded: null,
    count: 3,
    firstAt: NOW,
    lastAt: NOW,
    ...fields,
  });

  describe('recordRejections', () => {
    test('stores entries that are listed newest first, page by page', async () => {
      const { storage, addSink } = workbench();
      const { appId } = await addSink();
      const recorded = [1, 2, 3, 4, 5].map((n) => rejection({ appId, lastAt: NOW + n }));
      const positions = await storage.recordRejections(recorded.slice(0, 2));
      positions.push(...(await storage.recordRejections([rejection({ appId: 'another' }), ...recorded.slice(2)])).slice(1));
      const first = await storage.listRejections({ appId, limit: 3 });
      const rest = await storage.listRejections({ appId, limit: 3, before: first.at(-1)?.position as number });
      expect([...first, ...rest]).toEqual(recorded.map((entry, index) => ({ ...entry, position: positions[index] })).reverse());
    });

    test('lists those that name no app among all', async () => {
      const { storage } = workbench();
      await storage.recordRejections([rejection({ lastAt: NOW + 99 })]);
      expect((await storage.listRejections({ limit: 1 }))[0]).toMatchObject({ appId: null, lastAt: NOW + 99 });
    });

    test('lists by sink, reason, client and time, alone and together, and gets one by its position', async () => {
      const { storage, addSink } = workbench();
      const { appId } = await addSink();
      const entries = [
        rejection({ appId, sinkId: 'snk_f1', reason: 'missing_token', clientIp: '192.0.2.1', lastAt: NOW + 1 }),
        rejection({ appId, sinkId: 'snk_f1', reason: 'wrong_token', clientIp: '192.0.2.2', lastAt: NOW + 2 }),
        rejection({ appId, sinkId: 'snk_f2', reason: 'wrong_token', clientIp: '192.0.2.1', lastAt: NOW + 3 }),
      ];
      const positions = await storage.recordRejections(entries);
      const indexes = async (filter: object) =>
        (await storage.listRejections({ appId, limit: 9, ...filter })).map(({ position }) => positions.indexOf(position));
      expect(await indexes({ sinkId: 'snk_f1' })).toEqual([1, 0]);
      expect(await indexes({ reason: 'wrong_token' })).toEqual([2, 1]);
      expect(await indexes({ clientIp: '192.0.2.1' })).toEqual([2, 0]);
      expect(await indexes({ since: NOW + 2 })).toEqual([2, 1]);
      expect(await indexes({ sinkId: 'snk_f1', reason: 'wrong_token', clientIp: '192.0.2.2', since: NOW + 2 })).toEqual([1]);
      expect(await indexes({ reason: 'wrong_token', before: positions[2] })).toEqual([1]);
      expect(await storage.getRejection(positions[1] as number)).toEqual({ ...entries[1], position: positions[1] });
      expect(await storage.getRejection(Number.MAX_SAFE_INTEGER)).toBeNull();
    });

    test('counts on where a position is named, and shows the latest then', async () => {
      const { storage, addSink } = workbench();
      const { appId } = await addSink();
      const [position] = (await storage.recordRejections([rejection({ appId, folded: 'requests' })])) as [number];
      const latest = { method: 'GET', path: '/last', message: 'no', clientIp: '::1', lastAt: NOW + 7 };
      const more = rejection({ appId, folded: 'requests', position, count: 40, firstAt: NOW + 5, ...latest });
      expect(await storage.recordRejections([more])).toEqual([position]);
      expect(await storage.listRejections({ appId, limit: 9 })).toEqual([
        rejection({ appId, folded: 'requests', position, count: 43, ...latest }),
      ]);
    });

    test('begins a new entry where the old one was removed, and never gives its position to another', async () => {
      const { storage } = workbench();
      const [position] = (await storage.recordRejections([rejection()])) as [number];
      await at(NOW).pruneRuns({ before: NOW + 1000, maxBytes: null, limit: MOST });
      expect(await storage.listRejections({ limit: 1 })).toEqual([]);
      const [again, other] = (await storage.recordRejections([rejection({ position }), rejection({ path: '/other' })])) as [number, number];
      expect(again).toBeGreaterThan(position);
      expect(other).toBeGreaterThan(again);
      expect((await storage.listRejections({ limit: 2 })).map(({ path }) => path)).toEqual(['/other', '/hook']);
    });

    test('keeps the newest, up to a fixed number, and they take no run its place', async () => {
      const { storage, addSink, addRun } = workbench();
      await at(NOW).pruneRuns({ before: NOW + 1000 * 3_600_000, maxBytes: null, limit: MOST });
      const { runId } = await addRun(await addSink(), { turn: completedTurn(1) });
      const long = rejection({ path: 'p'.repeat(512), message: 'm'.repeat(512) });
      for (let batch = 0; batch < 11; batch += 1) await storage.recordRejections(Array.from({ length: 1000 }, () => long));
      const [newest] = await storage.listRejections({ limit: 1 });
      const left = await storage.listRejections({ limit: 2 * MOST });
      expect(left).toHaveLength(MOST);
      expect(left.at(-1)?.position).toBe((newest?.position as number) - MOST + 1);
      // All of them are some 12 MB.
      expect(await at(NOW).pruneRuns({ before: null, maxBytes: 2_000_000, limit: 10 })).toBe(0);
      expect(await storage.getRun(runId)).not.toBeNull();
    });
  });
}
