// Storage contract: the end of a run ends the deliveries that it waits for, and its removal waits for the others.

import { describe, expect, test } from 'vitest';
import { NO_RETRY } from '../../../../src/core/delivery/retry.ts';
import { LEASE_MS } from '../../../../src/leases/lease.ts';
import type { ClaimedDelivery } from '../../../../src/storage/delivery-records.ts';
import type { ClaimedRun } from '../../../../src/storage/runs/run-records.ts';
import { afterTurns, completedTurn, NOW, runningTurn, step, type Workbench } from '../workbench.ts';
import { answered, attemptOf, createDeliveryBench, DELIVERED, FAILED, newDelivery, newOrigin, waitingStep } from './delivery-bench.ts';

export function runEndsContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);
  const { claimOne, statusOf, dueRuns } = createDeliveryBench(workbench);

  describe('the end of a run', () => {
    /** A run with an awaited delivery under way, one that waits, and one of each that nobody waits for. */
    async function addBusyRun(): Promise<{ run: ClaimedRun; ids: string[]; held: ClaimedDelivery }> {
      const { storage, addSink, addClaimedRun } = workbench();
      const run = await addClaimedRun(await addSink());
      const origin = newOrigin();
      const { runId } = run.lease;
      const deliveries = [0, 1, 2].map((no) => newDelivery(runId, no, { origin: no === 0 ? origin : newOrigin(), isAwaited: no < 2 }));
      await storage.advanceRun(run.lease, runningTurn({ steps: [waitingStep('s0'), waitingStep('s1'), step('s2')], deliveries }));
      return { run: { ...run, lease: afterTurns(run.lease) }, ids: deliveries.map(({ id }) => id), held: await claimOne(origin) };
    }
    const statuses = async (ids: string[]) => await Promise.all(ids.map(statusOf));

    test.each([
      ['by cancelling it', async (run: ClaimedRun) => await at(NOW + 3).cancelRun(run.lease.runId)],
      [
        'by its own turn',
        async (run: ClaimedRun) =>
          await at(NOW + 3).advanceRun(
            run.lease,
            completedTurn(2, { status: 'failed', output: null, error: { code: 'x', message: 'y' }, at: NOW + 3 }),
          ),
      ],
    ])('%s cancels the deliveries that it waits for, and leaves the others', async (_how, end) => {
      const { storage } = workbench();
      const { run, ids, held } = await addBusyRun();
      await end(run);
      expect(await statuses(ids)).toEqual(['cancelled', 'cancelled', 'queued']);
      expect(await storage.getDelivery(held.id)).toMatchObject({ dueAt: null, finishedAt: NOW + 3 });
      expect(await storage.recordAttempt(held, attemptOf(1, answered(200)), DELIVERED, null)).toBe('stale');
      expect(await storage.getDelivery(held.id)).toMatchObject({ status: 'cancelled', attempts: 1, tries: [{ attempt: 1 }] });
      expect(await storage.renewDeliveries([held])).toEqual([held.id]);
      expect(await at(NOW).retryDeliveries(ids)).toEqual([]);
      expect(await dueRuns(NOW + 10 * LEASE_MS)).toEqual([]);
    });

    test('leaves a delivery as it ended', async () => {
      const { storage } = workbench();
      const { run, ids, held } = await addBusyRun();
      await storage.recordAttempt(held, attemptOf(1, answered(200)), DELIVERED, null);
      await at(NOW).cancelRun(run.lease.runId);
      expect(await statuses(ids)).toEqual(['delivered', 'cancelled', 'queued']);
    });
  });

  describe('pruneRuns', () => {
    const DAY = 86_400_000;
    const prune = async (): Promise<number> => await at(NOW).pruneRuns({ before: NOW - DAY, maxBytes: null, limit: 1000 });

    test('keeps a run as long as a message of its is on the way, then removes it with deliveries and attempts', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink(), { createdAt: NOW - 2 * DAY });
      const delivery = newDelivery(lease.runId, 0, { origin: newOrigin(), isAwaited: false, retry: { ...NO_RETRY, maxRetries: 1 } });
      await storage.advanceRun(lease, completedTurn(2, { deliveries: [delivery] }));
      await prune();
      expect(await statusOf(delivery.id)).toBe('queued');
      const next = { status: 'queued', dueAt: NOW } as const;
      await storage.recordAttempt(await claimOne(delivery.origin), attemptOf(1, answered(500)), next, null);
      await prune();
      const last = await claimOne(delivery.origin);
      await prune();
      expect(await statusOf(delivery.id)).toBe('sending');
      await storage.recordAttempt(last, attemptOf(2, answered(500)), FAILED, null);
      expect(await prune()).toBeGreaterThan(0);
      expect(await storage.getDelivery(delivery.id)).toBeNull();
      expect(await storage.getRun(lease.runId)).toBeNull();
      expect(await at(NOW).retryDeliveries([delivery.id])).toEqual([]);
    });
  });
}
