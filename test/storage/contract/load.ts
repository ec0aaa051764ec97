// Storage contract: how much has not ended.

import { describe, expect, test } from 'vitest';
import { newDelivery, waitingFor } from './deliveries/delivery-bench.ts';
import { NOW, runningTurn, type Workbench } from './workbench.ts';

export function loadContract(workbench: () => Workbench): void {
  describe('measureLoad', () => {
    test('counts runs and deliveries of all sinks by status, and names the oldest queued run', async () => {
      const { storage, addSink, addRun, newRun } = workbench();
      const sinks = [await addSink(), await addSink()] as const;
      const before = await storage.measureLoad();
      expect(before).toMatchObject({ runs: { queued: 0, running: 0, waiting: 0 }, oldestQueuedAt: null });
      const queued = { status: 'queued' as const };
      await addRun(sinks[1], { createdAt: NOW + 2000, turn: queued });
      await addRun(sinks[0], { createdAt: NOW + 1000, turn: queued });
      await addRun(sinks[1], { createdAt: NOW, turn: runningTurn({}) });
      const waiting = newRun(sinks[0]);
      await storage.createRun({ ...waiting, turn: waitingFor(newDelivery(waiting.runId, 0)) });
      const after = await storage.measureLoad();
      expect(after).toMatchObject({ runs: { queued: 2, running: 1, waiting: 1 }, oldestQueuedAt: NOW + 1000 });
      expect(after.deliveries).toEqual({ ...before.deliveries, queued: before.deliveries.queued + 1 });
      await storage.cancelRun(waiting.runId);
      expect(await storage.measureLoad()).toMatchObject({ runs: { waiting: 0 }, deliveries: before.deliveries });
    });
  });
}
