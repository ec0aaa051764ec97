// Storage contract: owners that claim from one database. Each run and delivery has one owner at a time.

import { describe, expect, test } from 'vitest';
import { LEASE_MS } from '../../../../src/leases/lease.ts';
import { answered, attemptOf, createDeliveryBench, DELIVERED, newDelivery, newOrigin } from '../deliveries/delivery-bench.ts';
import { completedTurn, NOW, type Owners, runningTurn, upTo } from '../workbench.ts';

const ROUNDS = 20;

export function sharedClaimsContract({ one, other }: Owners): void {
  const mine = createDeliveryBench(one);
  const theirs = createDeliveryBench(other);

  describe('two owners', () => {
    test('never both claim a run', async () => {
      const sink = await one().addSink();
      for (let round = 0; round < ROUNDS; round += 1) {
        const runs = await Promise.all(Array.from({ length: 10 }, () => one().addRun(sink)));
        const claims = await Promise.all(
          Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? one() : other()).storage.claimDueRuns(upTo(3))),
        );
        const claimed = claims.flat().map(({ lease }) => lease);
        expect(claimed.map(({ runId }) => runId).sort()).toEqual(runs.map(({ runId }) => runId).sort());
        await Promise.all(claimed.map(({ runId }) => one().storage.cancelRun(runId)));
      }
    });

    test('never both claim a delivery', async () => {
      const { lease } = await one().addClaimedRun(await one().addSink());
      for (let round = 0; round < ROUNDS; round += 1) {
        const origin = newOrigin();
        const deliveries = Array.from({ length: 10 }, (_, index) =>
          newDelivery(lease.runId, round * 10 + index, { origin, isAwaited: false }),
        );
        const turns = lease.turns + round;
        expect(await one().storage.advanceRun({ ...lease, turns }, runningTurn({ deliveries }))).toBe(true);
        const claims = await Promise.all(Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? mine : theirs).claim(origin, NOW, 3)));
        const claimed = claims.flat().map(({ id }) => id);
        expect(claimed.sort()).toEqual(deliveries.map(({ id }) => id).sort());
      }
    });

    test('hand a run on when the lease of the one has ended, whose writes are stale then', async () => {
      const { lease } = await one().addClaimedRun(await one().addSink());
      expect(
        await other()
          .at(NOW + LEASE_MS - 1)
          .claimDueRuns(upTo(10)),
      ).toEqual([]);
      const [taken] = await other()
        .at(NOW + LEASE_MS)
        .claimDueRuns(upTo(10));
      expect(taken).toMatchObject({ lease: { runId: lease.runId, turns: lease.turns } });
      const { storage } = one();
      expect(await storage.advanceRun(lease, completedTurn(2))).toBe(false);
      expect(await storage.renewLeases([lease])).toEqual([lease.runId]);
      await storage.releaseRun(lease, 0);
      expect(await storage.claimDueRuns(upTo(10))).toEqual([]);
      expect(await other().storage.advanceRun(taken?.lease ?? lease, completedTurn(2))).toBe(true);
    });

    test('hand a delivery on when the lease of the one has ended, whose writes are stale then', async () => {
      const { delivery, run } = await mine.addWaitingRun();
      const claimed = await mine.claimOne(delivery.origin);
      expect(await theirs.claim(delivery.origin, NOW + LEASE_MS - 1)).toEqual([]);
      const taken = await theirs.claimOne(delivery.origin, NOW + LEASE_MS);
      const { storage } = one();
      expect(await storage.renewDeliveries([claimed])).toEqual([claimed.id]);
      await storage.releaseDeliveries([claimed]);
      expect(await storage.recordAttempt(claimed, attemptOf(1, answered(200)), DELIVERED, null)).toBe('stale');
      expect(await mine.statusOf(delivery.id)).toBe('sending');
      const result = await other().storage.recordAttempt(taken, attemptOf(1, answered(201), NOW + LEASE_MS), DELIVERED, null);
      expect(result).toBe('recorded');
      expect(await mine.dueRuns(NOW + 2 * LEASE_MS)).toMatchObject([{ lease: { runId: run.lease.runId }, results: [{ step: 's0' }] }]);
    });

    test('end and wake the runs of each other', async () => {
      const { delivery, run } = await mine.addWaitingRun();
      await other().storage.recordAttempt(await theirs.claimOne(delivery.origin), attemptOf(1, answered(200)), DELIVERED, null);
      const [woken] = await mine.dueRuns();
      expect(woken?.lease.runId).toBe(run.lease.runId);
      expect(await other().storage.cancelRun(run.lease.runId)).toMatchObject({ cancelled: true });
      expect(await one().storage.advanceRun(woken?.lease ?? run.lease, completedTurn(2))).toBe(false);
    });
  });
}
