// Storage contract: leases of runs, renewed and released.

import { describe, expect, test } from 'vitest';
import { FIRST_EPOCH, LEASE_MS } from '../../../../src/leases/lease.ts';
import { completedTurn, NOW, runningTurn, upTo, type Workbench } from '../workbench.ts';

export function runLeasesContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);
  const claimedIds = async (ms: number, limit = 1000): Promise<string[]> =>
    (await at(ms).claimDueRuns(upTo(limit))).map(({ lease }) => lease.runId);

  describe('a lease', () => {
    test('is extended by renewing it; stale ones are named and stay stale', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      await addRun(sink);
      await addRun(sink);
      const [kept, lost] = (await at(NOW).claimDueRuns(upTo(2))).map(({ lease }) => lease);
      if (kept === undefined || lost === undefined) throw new Error('two runs were due');
      await at(NOW).cancelRun(lost.runId);
      expect(await at(NOW + 5).renewLeases([kept, lost])).toEqual([lost.runId]);
      expect(await claimedIds(NOW + 5 + LEASE_MS - 1)).toEqual([]);
      expect(await storage.advanceRun(kept, runningTurn({}))).toBe(true);
      expect(await storage.renewLeases([]), 'no leases').toEqual([]);
    });

    test('is the first one for the creator of a run', async () => {
      const { storage, addSink, newRun } = workbench();
      const run = newRun(await addSink(), { turn: { status: 'running', wakeAt: null } });
      await storage.createRun(run);
      const lease = { runId: run.runId, epoch: FIRST_EPOCH, turns: 1 };
      expect(await at(NOW + 700).renewLeases([lease])).toEqual([]);
      expect(await claimedIds(NOW + 700 + LEASE_MS - 1)).toEqual([]);
      expect(await storage.advanceRun(lease, completedTurn(2))).toBe(true);
    });

    test('ends LEASE_MS after it was renewed', async () => {
      const { addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      expect(await at(NOW + 700).renewLeases([lease])).toEqual([]);
      expect(await claimedIds(NOW + 700 + LEASE_MS - 1)).toEqual([]);
      expect(await claimedIds(NOW + 700 + LEASE_MS)).toEqual([lease.runId]);
    });

    test.each([0, 500])('released with a delay of %i ms makes the run due after it, for any owner', async (delayMs) => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      await at(NOW + 5).releaseRun(lease, delayMs);
      expect((await storage.getRun(lease.runId))?.status).toBe('queued');
      expect(await storage.nextWake()).toBe(NOW + 5 + delayMs);
      expect(await claimedIds(NOW + 5 + delayMs - 1)).toEqual([]);
      expect(await claimedIds(NOW + 5 + delayMs)).toEqual([lease.runId]);
    });

    test('that is stale releases nothing', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      const [taken] = await at(NOW + LEASE_MS).claimDueRuns(upTo(1));
      await at(NOW).releaseRun(lease, 0);
      expect(await claimedIds(NOW + LEASE_MS)).toEqual([]);
      expect(await storage.advanceRun(taken?.lease ?? lease, runningTurn({}))).toBe(true);
    });
  });
}
