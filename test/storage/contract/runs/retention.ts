// Storage contract: ended runs beyond what is kept go, oldest first, with all that belongs to them.

import { describe, expect, test } from 'vitest';
import type { Sink } from '../../../../src/core/sink/sink.ts';
import { completedTurn, NOW, step, type Workbench } from '../workbench.ts';

const HOUR = 3_600_000;

export function retentionContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);
  /** An ended run with a file, an idempotency key, events and steps of more than one commit. */
  async function addEndedRun(sink: Sink, createdAt: number, sha256: string): Promise<string> {
    const { storage, addClaimedRun } = workbench();
    const { lease } = await addClaimedRun(sink, {
      createdAt,
      blobs: [sha256],
      idempotency: { key: sha256, fingerprint: 'f', keepMs: 24 * HOUR },
    });
    await storage.advanceRun(lease, completedTurn(2, { steps: [step('a')], at: createdAt }));
    return lease.runId;
  }

  const prune = (limits: { before?: number; maxBytes?: number; limit?: number }) =>
    at(NOW).pruneRuns({ before: null, maxBytes: null, limit: 1000, ...limits });

  describe('pruneRuns', () => {
    test('removes what ended and is too old, with its events, steps, key and claim on files', async () => {
      const { storage, addSink, newRun } = workbench();
      const sink = await addSink();
      const old = await addEndedRun(sink, NOW - 48 * HOUR, 'a'.repeat(64));
      const young = await addEndedRun(sink, NOW - HOUR, 'b'.repeat(64));
      expect(await prune({ before: NOW - 24 * HOUR })).toBe(1);
      expect(await storage.getRun(old)).toBeNull();
      expect(await storage.readEvents(old, 0)).toBeNull();
      expect((await storage.getRun(young))?.steps).toEqual([step('a')]);
      expect(await storage.findUnreferencedBlobs(['a'.repeat(64), 'b'.repeat(64)])).toEqual(['a'.repeat(64)]);
      const sameKey = newRun(sink, { idempotency: { key: 'a'.repeat(64), fingerprint: 'f', keepMs: HOUR } });
      expect(await storage.createRun(sameKey)).toMatchObject({ kind: 'created' });
    });

    test('never removes a run that has not ended, however old', async () => {
      const { storage, addSink, addRun } = workbench();
      const { runId } = await addRun(await addSink(), { createdAt: NOW - 1000 * HOUR, turn: { wakeAt: NOW + HOUR } });
      await prune({ before: NOW + HOUR, maxBytes: 0 });
      expect((await storage.getRun(runId))?.status).toBe('waiting');
    });

    test('removes the oldest first, and no more than the limit at a time', async () => {
      const { addSink, addRun, storage } = workbench();
      await prune({ before: NOW + 1000 * HOUR });
      const sink = await addSink();
      const ids: string[] = [];
      for (const hour of [1, 2, 3, 4, 5]) ids.push((await addRun(sink, { createdAt: NOW + hour * HOUR, turn: completedTurn(1) })).runId);
      expect(await prune({ before: NOW + 100 * HOUR, limit: 2 })).toBe(2);
      expect((await storage.listRuns({ sinkId: sink.id, limit: 10 })).map(({ id }) => id)).toEqual(ids.slice(2).reverse());
      expect(await prune({ before: NOW + 100 * HOUR, limit: 2 })).toBe(2);
      expect(await prune({ before: NOW + 100 * HOUR, limit: 2 })).toBe(1);
      expect(await prune({ before: NOW + 100 * HOUR, limit: 2 })).toBe(0);
    });

    test('by size removes the oldest until the rest fits, and nothing more', async () => {
      const { addSink, addRun, storage } = workbench();
      await prune({ before: NOW + 1000 * HOUR });
      const sink = await addSink();
      const body = Buffer.alloc(100_000, 'x');
      const ids: string[] = [];
      for (let hour = 0; hour < 30; hour += 1) {
        ids.push((await addRun(sink, { createdAt: NOW + hour * HOUR, body, turn: completedTurn(1) })).runId);
      }
      expect(await prune({ maxBytes: 100 * 2 ** 20 })).toBe(0);
      const removed = await prune({ maxBytes: 2_300_000 });
      expect(removed).toBeGreaterThanOrEqual(8);
      expect(removed).toBeLessThanOrEqual(15);
      const kept = (await storage.listRuns({ sinkId: sink.id, limit: 100 })).map(({ id }) => id);
      expect(kept).toEqual(ids.slice(removed).reverse());
      expect(await prune({ maxBytes: 2_300_000 })).toBe(0);
    });
  });

  describe('findUnreferencedBlobs', () => {
    test('names those that no run names, once each, and counts runs that have not ended', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      const [used, free] = ['c'.repeat(64), 'd'.repeat(64)];
      await addRun(sink, { blobs: [used, used] });
      await addRun(sink, { blobs: [used] });
      expect(await storage.findUnreferencedBlobs([used, free])).toEqual([free]);
      expect(await storage.findUnreferencedBlobs([])).toEqual([]);
    });
  });
}
