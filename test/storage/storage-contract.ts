// The storage contract as tests: every sentence of src/storage/storage.ts, for any implementation of it.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Storage } from '../../src/storage/storage.ts';
import { advancingRunsContract } from './contract/advancing-runs.ts';
import { claimingRunsContract } from './contract/claiming-runs.ts';
import { concurrencyContract } from './contract/concurrency.ts';
import { creatingRunsContract } from './contract/creating-runs.ts';
import { definitionsContract } from './contract/definitions.ts';
import { deliveriesContract } from './contract/deliveries.ts';
import { deliveryAttemptsContract } from './contract/delivery-attempts.ts';
import { latestWinsContract } from './contract/latest-wins.ts';
import { memoryContract } from './contract/memory.ts';
import { overflowContract } from './contract/overflow.ts';
import { readingRunsContract } from './contract/reading-runs.ts';
import { rejectionsContract } from './contract/rejections.ts';
import { retentionContract } from './contract/retention.ts';
import { serverTimeContract } from './contract/server-time.ts';
import { visitsContract } from './contract/visits.ts';
import { createWorkbench, NOW, type Workbench } from './contract/workbench.ts';

export interface StorageHarness {
  /** Opens the storage, empty the first time, as it was left later. */
  open(): Promise<Storage>;
  /** Removes what the storage left behind. */
  dispose(): Promise<void>;
}

export function describeStorageContract(name: string, { open, dispose }: StorageHarness): void {
  describe(`the storage contract on ${name}`, () => {
    let workbench: Workbench;
    const current = (): Workbench => workbench;

    beforeAll(async () => {
      workbench = createWorkbench(await open());
    });
    afterEach(() => workbench.endAllRuns());
    afterAll(async () => {
      await workbench.storage.close();
      await dispose();
    });

    definitionsContract(current);
    creatingRunsContract(current);
    advancingRunsContract(current);
    claimingRunsContract(current);
    readingRunsContract(current);
    deliveriesContract(current);
    deliveryAttemptsContract(current);
    visitsContract(current);
    overflowContract(current);
    latestWinsContract(current);
    memoryContract(current);
    rejectionsContract(current);
    retentionContract(current);
    concurrencyContract(current);
    serverTimeContract(current);

    test('a storage that was closed refuses everything, and holds everything when it is opened again', async () => {
      const { storage, addSink, addRun } = workbench;
      const sink = await addSink();
      const { runId } = await addRun(sink);
      const before = [await storage.getRun(runId), await storage.readEvents(runId, 0), await storage.loadDefinitions()];
      await storage.close();
      await storage.close();
      await expect(storage.getRun(runId)).rejects.toThrow('closed');
      await expect(storage.cancelRun(runId, NOW)).rejects.toThrow('closed');
      workbench = createWorkbench(await open());
      const after = [
        await workbench.storage.getRun(runId),
        await workbench.storage.readEvents(runId, 0),
        await workbench.storage.loadDefinitions(),
      ];
      expect(after).toEqual(before);
    });
  });
}
