// Storage contract: deliveries that are retried by hand.

import { describe, expect, test } from 'vitest';
import { deliveryIdOf } from '../../../../src/core/delivery/delivery-id.ts';
import { NO_RETRY } from '../../../../src/core/delivery/retry.ts';
import { LEASE_MS } from '../../../../src/leases/lease.ts';
import type { NewDelivery } from '../../../../src/storage/delivery-records.ts';
import type { ClaimedRun } from '../../../../src/storage/runs/run-records.ts';
import { completedTurn, NOW, runningTurn, step, type Workbench } from '../workbench.ts';
import { answered, attemptOf, createDeliveryBench, DELIVERED, FAILED } from './delivery-bench.ts';

export function retryingDeliveriesContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);
  const { addWaitingRun, claim, claimOne, dueRuns } = createDeliveryBench(workbench);

  describe('retryDeliveries', () => {
    async function addFailed(fields: Partial<NewDelivery> = {}): Promise<NewDelivery> {
      const { storage } = workbench();
      const { delivery, run } = await addWaitingRun({ isAwaited: false, ...fields });
      await storage.recordAttempt(await claimOne(delivery.origin), attemptOf(1, answered(500)), FAILED, null);
      if (delivery.isAwaited) {
        const [claimed] = await dueRuns();
        await storage.advanceRun(claimed?.lease ?? run.lease, completedTurn(2, { steps: [step('s0', { status: 'failed' })] }));
      }
      return delivery;
    }

    test('gives another round of attempts, due at once, which count on', async () => {
      const { storage } = workbench();
      const delivery = await addFailed({ retry: { ...NO_RETRY, maxRetries: 2 } });
      expect(await at(NOW + 60).retryDeliveries([delivery.id])).toEqual([{ id: delivery.id, origin: delivery.origin }]);
      expect(await storage.getDelivery(delivery.id)).toMatchObject({ status: 'queued', dueAt: NOW + 60, finishedAt: null, attempts: 1 });
      expect(await claim(delivery.origin, NOW + 59)).toEqual([]);
      const claimed = await claimOne(delivery.origin, NOW + 60);
      expect(claimed).toMatchObject({ attempts: 1, lastAttempt: 4 });
      await storage.recordAttempt(claimed, attemptOf(2, answered(200)), DELIVERED, null);
      expect((await storage.getDelivery(delivery.id))?.tries.map(({ attempt }) => attempt)).toEqual([1, 2]);
    });

    test('takes those that have failed, once each, and passes over all others and what is no id', async () => {
      const failed = await addFailed();
      const { delivery: queued } = await addWaitingRun();
      const foreign = failed.id.replace(/.(?=_0$)/, (digit) => (digit === '0' ? '1' : '0'));
      const wrong = [queued.id, foreign, deliveryIdOf('run_none', 0), 'x', '', `${failed.id}0`];
      expect(await at(NOW).retryDeliveries([...wrong, failed.id, failed.id])).toEqual([{ id: failed.id, origin: failed.origin }]);
      expect(await at(NOW).retryDeliveries([])).toEqual([]);
      await claim(failed.origin);
    });

    test('does not bring back the run, which has gone on', async () => {
      const { storage } = workbench();
      const delivery = await addFailed({ isAwaited: true });
      await at(NOW).retryDeliveries([delivery.id]);
      expect(await storage.recordAttempt(await claimOne(delivery.origin), attemptOf(2, answered(200)), DELIVERED, null)).toBe('recorded');
      expect(await dueRuns(NOW + 10 * LEASE_MS)).toEqual([]);
    });

    test('keeps a run waiting that was not told of the failure yet', async () => {
      const { storage } = workbench();
      const { delivery, run } = await addWaitingRun();
      await storage.recordAttempt(await claimOne(delivery.origin), attemptOf(1, answered(500)), FAILED, null);
      await at(NOW).retryDeliveries([delivery.id]);
      const [woken] = await dueRuns();
      expect(woken).toMatchObject({ lease: { runId: run.lease.runId }, results: [] });
      await storage.advanceRun((woken as ClaimedRun).lease, runningTurn({ status: 'waiting', wakeAt: null }));
      await storage.recordAttempt(await claimOne(delivery.origin), attemptOf(2, answered(200)), DELIVERED, null);
      expect(await dueRuns()).toMatchObject([{ results: [{ step: 's0', result: answered(200) }] }]);
    });
  });
}
