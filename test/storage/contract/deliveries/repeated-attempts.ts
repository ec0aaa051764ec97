// Storage contract: the same attempt recorded again, as after a lost answer, has the same result and is stored once.

import { describe, expect, test } from 'vitest';
import { NO_RETRY } from '../../../../src/core/delivery/retry.ts';
import { completedTurn, NOW, progress, runningTurn, step, type Workbench } from '../workbench.ts';
import { answered, attemptOf, createDeliveryBench, DELIVERED, FAILED } from './delivery-bench.ts';
import { createLine, latest } from './overflow-line.ts';

const RETRY_SOON = { status: 'queued', dueAt: NOW + 50 } as const;

export function repeatedAttemptsContract(workbench: () => Workbench): void {
  const { addWaitingRun, claimOne, statusOf, dueRuns } = createDeliveryBench(workbench);

  async function expectSame(id: string, result: string, record: () => Promise<string>): Promise<void> {
    const { storage } = workbench();
    expect(await record()).toBe(result);
    const before = await storage.getDelivery(id);
    expect(before?.tries).toHaveLength(before?.attempts as number);
    for (let time = 0; time < 2; time += 1) expect(await record()).toBe(result);
    expect(await storage.getDelivery(id)).toEqual(before);
  }

  describe('recordAttempt, called again,', () => {
    test.each([
      ['a retry is due', RETRY_SOON, 503],
      ['the delivery has failed', FAILED, 400],
      ['the message is delivered', DELIVERED, 200],
    ])('is recorded where %s', async (_how, next, status) => {
      const { storage } = workbench();
      const { delivery } = await addWaitingRun({ isAwaited: false, retry: { ...NO_RETRY, maxRetries: 3 } });
      const claimed = await claimOne(delivery.origin);
      await expectSame(delivery.id, 'recorded', () => storage.recordAttempt(claimed, attemptOf(1, answered(status)), next, null));
    });

    test('is recorded, and wakes the run that waits once', async () => {
      const { storage } = workbench();
      const { delivery, run } = await addWaitingRun();
      const claimed = await claimOne(delivery.origin);
      const record = () => storage.recordAttempt(claimed, attemptOf(1, answered(200)), DELIVERED, null);
      await expectSame(delivery.id, 'recorded', record);
      expect(await dueRuns()).toMatchObject([{ lease: { runId: run.lease.runId } }]);
      expect(await record()).toBe('recorded');
      expect(await dueRuns()).toEqual([]);
    });

    test.each([
      ['ends', completedTurn(3, { events: [progress(2, 100)], steps: [step('s0')] })],
      ['leaves running', runningTurn({ events: [progress(2, 50)], lastSeq: 2, steps: [step('s0')] })],
      ['lets wait', runningTurn({ status: 'waiting', wakeAt: NOW + 500, events: [progress(2, 50)], lastSeq: 2, steps: [step('s0')] })],
    ])('is recorded with the turn that %s the run, once', async (_how, turn) => {
      const { storage } = workbench();
      const { delivery, run } = await addWaitingRun();
      const claimed = await claimOne(delivery.origin);
      const { runId } = run.lease;
      const record = () => storage.recordAttempt(claimed, attemptOf(1, answered(200)), DELIVERED, { lease: run.lease, turn });
      expect(await record()).toBe('recorded');
      const before = [await storage.getRun(runId), await storage.readEvents(runId, 0), await storage.nextWake()];
      await expectSame(delivery.id, 'recorded', record);
      expect([await storage.getRun(runId), await storage.readEvents(runId, 0), await storage.nextWake()]).toEqual(before);
    });

    test('is dropped where a newer delivery of the group waits', async () => {
      const { storage } = workbench();
      const { origin, add } = createLine(workbench, latest());
      await add();
      const claimed = await claimOne(origin);
      await add();
      await expectSame(claimed.id, 'dropped', () => storage.recordAttempt(claimed, attemptOf(1, answered(503)), RETRY_SOON, null));
    });

    test('is stale once the delivery was claimed again, and is stored once all the same', async () => {
      const { storage } = workbench();
      const { delivery } = await addWaitingRun({ retry: { ...NO_RETRY, maxRetries: 3 } });
      const claimed = await claimOne(delivery.origin);
      const record = () => storage.recordAttempt(claimed, attemptOf(1, answered(503)), RETRY_SOON, null);
      expect(await record()).toBe('recorded');
      const again = await claimOne(delivery.origin, RETRY_SOON.dueAt);
      expect(again.attempts).toBe(1);
      expect(await record()).toBe('stale');
      expect(await statusOf(delivery.id)).toBe('sending');
      expect((await storage.getDelivery(delivery.id))?.tries).toHaveLength(1);
      expect(await storage.recordAttempt(again, attemptOf(2, answered(200), NOW + 60), DELIVERED, null)).toBe('recorded');
      expect((await storage.getDelivery(delivery.id))?.tries.map(({ attempt }) => attempt)).toEqual([1, 2]);
    });

    test('of the same moment is recorded once', async () => {
      const { storage } = workbench();
      const { delivery, run } = await addWaitingRun();
      const claimed = await claimOne(delivery.origin);
      const waitingRun = { lease: run.lease, turn: completedTurn(2) };
      const results = await Promise.all(
        Array.from({ length: 10 }, () => storage.recordAttempt(claimed, attemptOf(1, answered(200)), DELIVERED, waitingRun)),
      );
      expect(results).toEqual(results.map(() => 'recorded'));
      expect(await storage.getDelivery(delivery.id)).toMatchObject({ attempts: 1, tries: [{ attempt: 1 }] });
      expect((await storage.readEvents(run.lease.runId, 0))?.events).toHaveLength(2);
    });
  });

  test('releaseDeliveries, called again, does nothing', async () => {
    const { at } = workbench();
    const { delivery } = await addWaitingRun();
    const claimed = await claimOne(delivery.origin);
    await at(NOW).releaseDeliveries([claimed, claimed]);
    const again = await claimOne(delivery.origin);
    await at(NOW).releaseDeliveries([claimed]);
    expect(await statusOf(delivery.id)).toBe('sending');
    expect(again.epoch).toBeGreaterThan(claimed.epoch);
  });
}
