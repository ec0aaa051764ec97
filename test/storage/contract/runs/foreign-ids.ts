// Storage contract: an id with the number of a run and another nonce is that of no run, and writes under it change nothing.

import { describe, expect, test } from 'vitest';
import { LEASE_MS } from '../../../../src/leases/lease.ts';
import type { Lease } from '../../../../src/storage/runs/run-records.ts';
import { completedTurn, NOW, progress, runningTurn, step, strangerOf, upTo, type Workbench } from '../workbench.ts';

export function foreignRunsContract(workbench: () => Workbench): void {
  async function addWithStranger(): Promise<{ lease: Lease; stranger: Lease }> {
    const { addSink, addClaimedRun } = workbench();
    const { lease } = await addClaimedRun(await addSink());
    return { lease, stranger: { ...lease, runId: strangerOf(lease.runId) } };
  }

  async function expectUntouched(lease: Lease, write: () => Promise<unknown>): Promise<void> {
    const { storage } = workbench();
    const seen = async () => [await storage.getRun(lease.runId), await storage.readEvents(lease.runId, 0), await storage.nextWake()];
    const before = await seen();
    await write();
    expect(await seen()).toEqual(before);
    expect(await storage.advanceRun(lease, runningTurn({})), 'the run is still ours').toBe(true);
  }

  describe('an id with another nonce', () => {
    test('reads nothing', async () => {
      const { storage } = workbench();
      const { stranger } = await addWithStranger();
      expect(await storage.getRun(stranger.runId)).toBeNull();
      expect(await storage.getOutcome(stranger.runId)).toBeNull();
      expect(await storage.readEvents(stranger.runId, 0)).toBeNull();
      expect(await storage.findStream(stranger.runId)).toBeNull();
      expect(await storage.getHead(stranger.runId)).toBeNull();
      expect(await storage.listSteps(stranger.runId, 0, 9)).toBeNull();
      expect(await storage.listFiles(stranger.runId, 0, 9)).toBeNull();
      expect(await storage.readPart(stranger.runId, { kind: 'body' }, 0, 9)).toBeNull();
      expect(await storage.listDeliveries({ runId: stranger.runId, limit: 9 })).toEqual([]);
    });

    test('advances nothing', async () => {
      const { storage } = workbench();
      const { lease, stranger } = await addWithStranger();
      await expectUntouched(lease, async () => {
        const turn = runningTurn({ progress: 50, events: [progress(2, 50)], lastSeq: 2, steps: [step('a')] });
        expect(await storage.advanceRun(stranger, turn)).toBe(false);
        expect(await storage.advanceRun(stranger, completedTurn(2))).toBe(false);
        expect(await storage.advanceRun(stranger, runningTurn({ memory: [{ key: 'a', version: 7, next: 8, value: null }] }))).toBe(false);
      });
    });

    test('has not advanced a run with the same number', async () => {
      const { storage } = workbench();
      const { lease, stranger } = await addWithStranger();
      expect(await storage.advanceRun(lease, completedTurn(2))).toBe(true);
      expect(await storage.advanceRun(stranger, completedTurn(2))).toBe(false);
    });

    test('renews nothing, and is named as stale', async () => {
      const { at } = workbench();
      const { lease, stranger } = await addWithStranger();
      expect(await at(NOW + 500).renewLeases([stranger])).toEqual([stranger.runId]);
      expect(await at(NOW + LEASE_MS).claimDueRuns(upTo(1))).toMatchObject([{ lease: { runId: lease.runId } }]);
    });

    test('releases nothing', async () => {
      const { storage } = workbench();
      const { lease, stranger } = await addWithStranger();
      await expectUntouched(lease, () => storage.releaseRun(stranger, 0));
    });

    test('cancels nothing', async () => {
      const { storage } = workbench();
      const { lease, stranger } = await addWithStranger();
      await expectUntouched(lease, async () => expect(await storage.cancelRun(stranger.runId)).toBeNull());
    });

    test('creates nothing, even if everything else is the same', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      const run = await addRun(sink, {
        idempotency: { key: 'k', fingerprint: 'f', keepMs: 1000 },
        turn: { memory: [{ key: 'a', version: 0, next: 1, value: '1' }] },
      });
      const stranger = { ...run, runId: strangerOf(run.runId) };
      expect(await storage.createRun({ ...stranger, idempotency: null, turn: { ...run.turn, memory: [] } })).toEqual({ kind: 'id_taken' });
      expect(await storage.createRun(run)).toEqual({ kind: 'created' });
      expect(await storage.listRuns({ sinkId: sink.id, limit: 9 })).toHaveLength(1);
    });
  });
}
