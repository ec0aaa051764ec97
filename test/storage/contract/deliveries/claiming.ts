// Storage contract: due deliveries are claimed by origin, and sent by one owner at a time.

import { describe, expect, test } from 'vitest';
import { deliveryIdOf } from '../../../../src/core/delivery/delivery-id.ts';
import { NO_RETRY } from '../../../../src/core/delivery/retry.ts';
import { LEASE_MS } from '../../../../src/leases/lease.ts';
import { NOW, runningTurn, type Workbench } from '../workbench.ts';
import {
  answered,
  attemptOf,
  createDeliveryBench,
  DELIVERED,
  FAILED,
  MESSAGE,
  newDelivery,
  newOrigin,
  waitingFor,
} from './delivery-bench.ts';

export function claimingDeliveriesContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);
  const recover: Workbench['recover'] = (ms) => workbench().recover(ms);
  const { addWaitingRun, claim, claimOne, statusOf } = createDeliveryBench(workbench);

  describe('claimDeliveries', () => {
    test('takes those that are due longest first, up to the limit of each origin, and of no other origin', async () => {
      const { addSink, addClaimedRun } = workbench();
      const sink = await addSink();
      const [one, two, other] = [newOrigin(), newOrigin(), newOrigin()];
      const made = new Map<string, string>();
      for (const [origin, ms] of [
        [one, 30],
        [one, 10],
        [one, 20],
        [two, 40],
        [two, 50],
        [other, 0],
      ] as const) {
        const { lease } = await addClaimedRun(sink);
        const delivery = newDelivery(lease.runId, 0, { origin });
        await at(NOW + ms).advanceRun(lease, waitingFor(delivery));
        made.set(delivery.id, `${origin} ${ms}`);
      }
      const both = async (now: number): Promise<Set<string | undefined>> => {
        const limits = [
          { origin: one, limit: 2, maxBytes: 1_000_000 },
          { origin: two, limit: 1, maxBytes: 1_000_000 },
        ];
        return new Set((await at(now).claimDeliveries(limits)).map(({ id }) => made.get(id)));
      };
      expect(await both(NOW + 9)).toEqual(new Set());
      expect(await both(NOW + 100)).toEqual(new Set([`${one} 10`, `${one} 20`, `${two} 40`]));
      expect(await both(NOW + 100)).toEqual(new Set([`${one} 30`, `${two} 50`]));
      expect(await both(NOW + 100)).toEqual(new Set());
    });

    test('takes none after those whose bodies come to as many bytes as may be taken, and one in any case', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const origin = newOrigin();
      const { lease } = await addClaimedRun(await addSink());
      const sizes = [100, 0, 100, 1000, 1, 1];
      const deliveries = sizes.map((size, index) =>
        newDelivery(lease.runId, index, { origin, message: { ...MESSAGE, body: [new Uint8Array(size)] } }),
      );
      await storage.advanceRun(lease, runningTurn({ deliveries }));
      const claimed = async (maxBytes: number): Promise<number[]> => {
        const found = await storage.claimDeliveries([{ origin, limit: 100, maxBytes }]);
        return found.map(({ id }) => deliveries.findIndex((delivery) => delivery.id === id)).sort();
      };
      expect(await claimed(0)).toEqual([0]);
      expect(await claimed(100)).toEqual([1, 2]);
      expect(await claimed(1000)).toEqual([3]);
      expect(await claimed(Number.POSITIVE_INFINITY)).toEqual([4, 5]);
    });

    test('gives each delivery to one owner, however many ask at the same time', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const origin = newOrigin();
      const { lease } = await addClaimedRun(await addSink());
      const deliveries = Array.from({ length: 30 }, (_, index) => newDelivery(lease.runId, index, { origin }));
      await storage.advanceRun(lease, runningTurn({ deliveries }));
      const claims = await Promise.all(Array.from({ length: 8 }, () => claim(origin, NOW, 7)));
      expect(
        claims
          .flat()
          .map(({ id }) => id)
          .sort(),
      ).toEqual(deliveries.map(({ id }) => id).sort());
    });

    test('leaves one to its owner until the lease is over, then gives it out under a new lease', async () => {
      const { delivery } = await addWaitingRun();
      const { epoch } = await claimOne(delivery.origin);
      expect(await claim(delivery.origin, NOW + LEASE_MS - 1)).toEqual([]);
      expect((await claimOne(delivery.origin, NOW + LEASE_MS)).epoch).toBeGreaterThan(epoch);
    });
  });

  describe('a lease on a delivery', () => {
    test('is extended by renewing it; stale ones are named, and unknown ones', async () => {
      const { delivery, run } = await addWaitingRun();
      const lease = await claimOne(delivery.origin);
      const stale = { id: lease.id, epoch: lease.epoch - 1 };
      const unknown = { id: deliveryIdOf(run.lease.runId, 9), epoch: 1 };
      expect(await at(NOW + 700).renewDeliveries([lease, stale, unknown])).toEqual([stale.id, unknown.id]);
      expect(await claim(delivery.origin, NOW + 700 + LEASE_MS - 1)).toEqual([]);
      expect(await claim(delivery.origin, NOW + 700 + LEASE_MS)).toHaveLength(1);
    });

    test('given back makes the delivery due at once, and a stale one gives nothing back', async () => {
      const { storage } = workbench();
      const { delivery } = await addWaitingRun();
      const lease = await claimOne(delivery.origin);
      await at(NOW + 5).releaseDeliveries([{ id: lease.id, epoch: lease.epoch - 1 }]);
      expect(await claim(delivery.origin, NOW + 5)).toEqual([]);
      await at(NOW + 5).releaseDeliveries([lease]);
      expect(await statusOf(delivery.id)).toBe('queued');
      expect(await claim(delivery.origin, NOW + 4)).toEqual([]);
      expect(await storage.recordAttempt(lease, attemptOf(1, answered(200)), DELIVERED, null)).toBe('stale');
      expect(await claim(delivery.origin, NOW + 5)).toHaveLength(1);
    });
  });

  describe('listDueOrigins', () => {
    test('names each origin with open deliveries once, and when its next one is due', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const sink = await addSink();
      const [busy, idle, over] = [newOrigin(), newOrigin(), newOrigin()];
      const mine = async () => (await storage.listDueOrigins()).filter(({ origin }) => [busy, idle, over].includes(origin));
      for (const [origin, ms] of [
        [busy, 60],
        [busy, 50],
        [idle, 10],
        [over, 0],
      ] as const) {
        const { lease } = await addClaimedRun(sink);
        await at(NOW + ms).advanceRun(lease, waitingFor(newDelivery(lease.runId, 0, { origin })));
      }
      await storage.recordAttempt(await claimOne(over), attemptOf(1, answered(200)), DELIVERED, null);
      await claimOne(idle, NOW + 10);
      expect(await mine()).toEqual(
        [
          { origin: busy, dueAt: NOW + 50 },
          { origin: idle, dueAt: NOW + 10 + LEASE_MS },
        ].sort((one, two) => (one.origin < two.origin ? -1 : 1)),
      );
    });
  });

  describe('recoverRuns', () => {
    test('makes every delivery that the owner was sending due at once, and leaves the others', async () => {
      const { storage } = workbench();
      const sending = (await addWaitingRun()).delivery;
      const lease = await claimOne(sending.origin);
      const later = (await addWaitingRun({ retry: { ...NO_RETRY, maxRetries: 1 } })).delivery;
      const next = { status: 'queued', dueAt: NOW + 9000 } as const;
      await storage.recordAttempt(await claimOne(later.origin), attemptOf(1, answered(500)), next, null);
      const over = (await addWaitingRun({ isAwaited: false })).delivery;
      await storage.recordAttempt(await claimOne(over.origin), attemptOf(1, answered(500)), FAILED, null);
      await recover(NOW + 5);
      expect([await statusOf(sending.id), await statusOf(later.id), await statusOf(over.id)]).toEqual(['queued', 'queued', 'failed']);
      expect(await storage.recordAttempt(lease, attemptOf(1, answered(200)), DELIVERED, null)).toBe('stale');
      expect(await claim(sending.origin, NOW + 5)).toHaveLength(1);
      expect(await claim(later.origin, NOW + 8999)).toEqual([]);
      expect(await claim(later.origin, NOW + 9000)).toHaveLength(1);
    });
  });
}
