// Storage contract: deliveries are recorded attempt by attempt, and their end wakes the run that waits.

import { describe, expect, test } from 'vitest';
import { deliveryIdOf } from '../../../../src/core/delivery/delivery-id.ts';
import type { OutboundResult } from '../../../../src/core/delivery/outbound.ts';
import { NO_RETRY } from '../../../../src/core/delivery/retry.ts';
import { LEASE_MS } from '../../../../src/leases/lease.ts';
import type { DeliveryLease, NewDelivery } from '../../../../src/storage/delivery-records.ts';
import type { ClaimedRun } from '../../../../src/storage/runs/run-records.ts';
import { afterTurns, completedTurn, NOW, runningTurn, step, type Workbench } from '../workbench.ts';
import { answered, attemptOf, createDeliveryBench, DELIVERED, FAILED, newDelivery, newOrigin, waitingStep } from './delivery-bench.ts';

export function deliveryAttemptsContract(workbench: () => Workbench): void {
  const { addWaitingRun, claim, claimOne, statusOf, dueRuns } = createDeliveryBench(workbench);

  describe('recordAttempt', () => {
    test('keeps each attempt, and makes the delivery due again when it is to be tried again', async () => {
      const { storage } = workbench();
      const { delivery, run } = await addWaitingRun({ retry: { ...NO_RETRY, maxRetries: 2 } });
      const results: OutboundResult[] = [
        { kind: 'timeout', phase: 'headers' },
        { kind: 'network', code: 'ECONNRESET', reason: 'gone' },
        answered(500, '\u0000ÿ'),
      ];
      for (const [index, result] of results.entries()) {
        const claimed = await claimOne(delivery.origin, NOW + index * 1000);
        expect(claimed.attempts).toBe(index);
        const next = index === 2 ? FAILED : ({ status: 'queued', dueAt: NOW + (index + 1) * 1000 } as const);
        expect(await storage.recordAttempt(claimed, attemptOf(index + 1, result), next, null)).toBe('recorded');
        expect(await claim(delivery.origin, NOW + (index + 1) * 1000 - 1)).toEqual([]);
        expect((await dueRuns(NOW + 4000)).length, 'only the end wakes the run').toBe(index === 2 ? 1 : 0);
      }
      const stored = await storage.getDelivery(delivery.id);
      expect(stored).toMatchObject({ status: 'failed', attempts: 3, lastAttempt: 3, dueAt: null, finishedAt: NOW + 3 + 7 });
      expect(stored?.tries).toEqual(results.map((result, index) => attemptOf(index + 1, result)));
      expect(stored?.lastResult).toEqual(answered(500, ''));
      expect((await storage.getRun(run.lease.runId))?.status).toBe('running');
    });

    test('stores the end of a delivery with the turn that it brings the run', async () => {
      const { storage } = workbench();
      const { delivery, run } = await addWaitingRun();
      const claimed = await claimOne(delivery.origin);
      const waitingRun = { lease: run.lease, turn: completedTurn(2, { steps: [step('s0')] }) };
      expect(await storage.recordAttempt(claimed, attemptOf(1, answered(200)), DELIVERED, waitingRun)).toBe('recorded');
      expect(await storage.getRun(run.lease.runId)).toMatchObject({ status: 'completed', steps: [step('s0')] });
      expect(await statusOf(delivery.id)).toBe('delivered');
      expect(await dueRuns()).toEqual([]);
    });

    test('wakes the run that waits, where no turn comes with it, and the run finds the result', async () => {
      const { storage } = workbench();
      const { delivery, run } = await addWaitingRun();
      await storage.recordAttempt(await claimOne(delivery.origin), attemptOf(1, answered(201)), DELIVERED, null);
      const [claimed, ...others] = await dueRuns();
      expect(others).toEqual([]);
      expect(claimed).toMatchObject({ lease: { runId: run.lease.runId }, results: [{ step: 's0', result: answered(201) }] });
    });

    test('leaves a run in peace that does not wait for the delivery', async () => {
      const { storage } = workbench();
      const { delivery } = await addWaitingRun({ isAwaited: false });
      expect(await storage.recordAttempt(await claimOne(delivery.origin), attemptOf(1, answered(200)), DELIVERED, null)).toBe('recorded');
      expect(await dueRuns()).toEqual([]);
    });

    test('says that the turn was refused, keeps the end of the delivery, and the run finds the result', async () => {
      const { storage } = workbench();
      const { delivery, run } = await addWaitingRun();
      const claimed = await claimOne(delivery.origin);
      const waitingRun = { lease: run.lease, turn: completedTurn(2, { memory: [{ key: 'k', version: 3, next: 4, value: null }] }) };
      expect(await storage.recordAttempt(claimed, attemptOf(1, answered(200)), DELIVERED, waitingRun)).toBe('turn_refused');
      expect(await statusOf(delivery.id)).toBe('delivered');
      // A sender that records it again, with the turn or without, changes nothing and doubles nothing.
      expect(await storage.recordAttempt(claimed, attemptOf(1, answered(200)), DELIVERED, waitingRun)).toBe('turn_refused');
      expect(await storage.recordAttempt(claimed, attemptOf(1, answered(200)), DELIVERED, null)).toBe('recorded');
      expect((await storage.getDelivery(delivery.id))?.tries).toHaveLength(1);
      const [woken] = await dueRuns();
      expect(woken).toMatchObject({ lease: { runId: run.lease.runId }, results: [{ step: 's0', result: answered(200) }] });
      expect(await storage.advanceRun(run.lease, completedTurn(2))).toBe(false);
    });

    test('wakes the run as well when the lease of the turn was stale', async () => {
      const { storage } = workbench();
      const { delivery, run } = await addWaitingRun();
      const waitingRun = { lease: { ...run.lease, epoch: run.lease.epoch + 1 }, turn: completedTurn(2) };
      expect(await storage.recordAttempt(await claimOne(delivery.origin), attemptOf(1, answered(200)), DELIVERED, waitingRun)).toBe(
        'turn_refused',
      );
      expect(await dueRuns()).toMatchObject([{ lease: { runId: run.lease.runId }, results: [{ step: 's0' }] }]);
    });

    test('that comes while the run is being advanced is found when the turn is written', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      const [first, second] = [0, 1].map((no) => newDelivery(lease.runId, no, { origin: newOrigin() })) as [NewDelivery, NewDelivery];
      await storage.advanceRun(lease, runningTurn({ steps: [waitingStep('s0'), waitingStep('s1')], deliveries: [first, second] }));
      await storage.recordAttempt(await claimOne(first.origin), attemptOf(1, answered(200)), DELIVERED, null);
      expect(await dueRuns(), 'the run is running still').toEqual([]);
      expect(await storage.advanceRun(afterTurns(lease), runningTurn({ status: 'waiting', steps: [step('other')] }))).toBe(true);
      const [woken] = await dueRuns();
      expect(woken).toMatchObject({ lease: { runId: lease.runId }, results: [{ step: 's0', result: answered(200) }] });
      // Once the step has taken it in, it is no news any more.
      const lastLease = (woken as ClaimedRun).lease;
      expect(await storage.advanceRun(lastLease, runningTurn({ status: 'waiting', steps: [step('s0')] }))).toBe(true);
      expect(await dueRuns(NOW + 10 * LEASE_MS)).toEqual([]);
      await storage.recordAttempt(await claimOne(second.origin), attemptOf(1, answered(202)), DELIVERED, null);
      expect(await dueRuns(NOW + 10 * LEASE_MS)).toMatchObject([{ results: [{ step: 's1', result: answered(202) }] }]);
    });

    test('of a sender that lost its lease is kept, and changes nothing', async () => {
      const { storage } = workbench();
      const { delivery } = await addWaitingRun({ retry: { ...NO_RETRY, maxRetries: 3 } });
      const slow = await claimOne(delivery.origin);
      const quick = await claimOne(delivery.origin, NOW + LEASE_MS);
      const late = attemptOf(1, answered(500), NOW);
      const good = attemptOf(1, answered(200), NOW + LEASE_MS);
      for (let time = 0; time < 2; time += 1)
        expect(await storage.recordAttempt(slow, late, { status: 'queued', dueAt: NOW }, null)).toBe('stale');
      expect(await statusOf(delivery.id)).toBe('sending');
      expect(await storage.recordAttempt(quick, good, DELIVERED, null)).toBe('recorded');
      const stored = await storage.getDelivery(delivery.id);
      expect(stored).toMatchObject({ status: 'delivered', attempts: 2, lastResult: { status: 200 } });
      expect(stored?.tries).toEqual([late, { ...good, attempt: 2 }]);
      expect(await dueRuns(NOW + 2 * LEASE_MS)).toMatchObject([{ results: [{ step: 's0', result: answered(200) }] }]);
    });

    test('of a delivery that there is not is stale', async () => {
      const { storage, addSink, addRun } = workbench();
      const { runId } = await addRun(await addSink());
      const lease: DeliveryLease = { id: deliveryIdOf(runId, 3), epoch: 1 };
      expect(await storage.recordAttempt(lease, attemptOf(1, answered(200)), DELIVERED, null)).toBe('stale');
    });
  });
}
