// Storage contract: a delivery id with the run number of a delivery and another nonce is that of no delivery.

import { describe, expect, test } from 'vitest';
import { deliveryIdOf } from '../../../../src/core/delivery/delivery-id.ts';
import { LEASE_MS } from '../../../../src/leases/lease.ts';
import type { ClaimedDelivery, DeliveryLease } from '../../../../src/storage/delivery-records.ts';
import type { ClaimedRun } from '../../../../src/storage/runs/run-records.ts';
import { completedTurn, NOW, strangerOf, type Workbench } from '../workbench.ts';
import { answered, attemptOf, createDeliveryBench, DELIVERED, FAILED } from './delivery-bench.ts';

export function foreignDeliveriesContract(workbench: () => Workbench): void {
  const { addWaitingRun, claim, claimOne, dueRuns } = createDeliveryBench(workbench);

  async function addWithStranger(): Promise<{ run: ClaimedRun; claimed: ClaimedDelivery; stranger: DeliveryLease }> {
    const { run, delivery } = await addWaitingRun();
    const claimed = await claimOne(delivery.origin);
    return { run, claimed, stranger: { id: deliveryIdOf(strangerOf(run.lease.runId), 0), epoch: claimed.epoch } };
  }

  async function expectUntouched({ id }: DeliveryLease, write: () => Promise<unknown>): Promise<void> {
    const { storage } = workbench();
    const before = await storage.getDelivery(id);
    await write();
    expect(await storage.getDelivery(id)).toEqual(before);
    expect(await dueRuns()).toEqual([]);
  }

  describe('a delivery id with another nonce', () => {
    test('reads nothing', async () => {
      const { stranger } = await addWithStranger();
      expect(await workbench().storage.getDelivery(stranger.id)).toBeNull();
    });

    test.each([
      ['the end', DELIVERED],
      ['a retry', { status: 'queued', dueAt: NOW } as const],
    ])('records no attempt, with %s of the delivery', async (_what, next) => {
      const { storage } = workbench();
      const { claimed, stranger } = await addWithStranger();
      await expectUntouched(claimed, async () =>
        expect(await storage.recordAttempt(stranger, attemptOf(1, answered(200)), next, null)).toBe('stale'),
      );
    });

    test('stores no turn, which is not refused either', async () => {
      const { storage } = workbench();
      const { run, claimed, stranger } = await addWithStranger();
      const waitingRun = { lease: run.lease, turn: completedTurn(2) };
      await expectUntouched(claimed, async () =>
        expect(await storage.recordAttempt(stranger, attemptOf(1, answered(200)), DELIVERED, waitingRun)).toBe('stale'),
      );
      expect(await storage.getRun(run.lease.runId)).toMatchObject({ status: 'waiting' });
    });

    test('renews nothing, and is named as stale', async () => {
      const { at } = workbench();
      const { claimed, stranger } = await addWithStranger();
      expect(await at(NOW + 500).renewDeliveries([stranger, claimed])).toEqual([stranger.id]);
      expect(await at(NOW + 900).renewDeliveries([stranger])).toEqual([stranger.id]);
      expect(await claim(claimed.origin, NOW + 500 + LEASE_MS)).toHaveLength(1);
    });

    test('releases nothing', async () => {
      const { claimed, stranger } = await addWithStranger();
      await expectUntouched(claimed, () => workbench().storage.releaseDeliveries([stranger]));
    });

    test('retries nothing', async () => {
      const { storage } = workbench();
      const { claimed, stranger } = await addWithStranger();
      await storage.recordAttempt(claimed, attemptOf(1, answered(500)), FAILED, null);
      await dueRuns();
      await expectUntouched(claimed, async () => expect(await storage.retryDeliveries([stranger.id])).toEqual([]));
    });
  });

  test('an attempt with a turn of a run with another nonce has its turn refused, and the run that waits is due', async () => {
    const { storage } = workbench();
    const { run, claimed } = await addWithStranger();
    const waitingRun = { lease: { ...run.lease, runId: strangerOf(run.lease.runId) }, turn: completedTurn(2) };
    expect(await storage.recordAttempt(claimed, attemptOf(1, answered(200)), DELIVERED, waitingRun)).toBe('turn_refused');
    expect(await dueRuns()).toMatchObject([{ lease: { runId: run.lease.runId }, results: [{ step: 's0' }] }]);
  });
}
