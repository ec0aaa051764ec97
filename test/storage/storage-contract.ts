// The storage contract as tests: every sentence of src/storage/storage.ts and its stores, for any implementation.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import type { OpenedStorage } from '../../src/storage/storage.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { blockedClientsContract } from './contract/blocked-clients.ts';
import { concurrencyContract } from './contract/concurrency.ts';
import { changingDefinitionsContract } from './contract/definitions/changing.ts';
import { schedulesContract } from './contract/definitions/schedules.ts';
import { definitionVersionsContract } from './contract/definitions/versions.ts';
import { deliveryAttemptsContract } from './contract/deliveries/attempts.ts';
import { claimingDeliveriesContract } from './contract/deliveries/claiming.ts';
import { foreignDeliveriesContract } from './contract/deliveries/foreign-ids.ts';
import { latestWinsContract } from './contract/deliveries/latest-wins.ts';
import { listingDeliveriesContract } from './contract/deliveries/listing.ts';
import { overflowContract } from './contract/deliveries/overflow.ts';
import { repeatedAttemptsContract } from './contract/deliveries/repeated-attempts.ts';
import { retryingDeliveriesContract } from './contract/deliveries/retrying.ts';
import { runEndsContract } from './contract/deliveries/run-ends.ts';
import { storingDeliveriesContract } from './contract/deliveries/storing.ts';
import { batchesContract } from './contract/flow/batches.ts';
import { flowCooldownsContract } from './contract/flow/cooldowns.ts';
import { jobsContract } from './contract/jobs/jobs.ts';
import { sharedJobsContract } from './contract/jobs/shared-jobs.ts';
import { loadContract } from './contract/load.ts';
import { hintsContract } from './contract/owners/hints.ts';
import { ownersContract } from './contract/owners/owners.ts';
import { sharedClaimsContract } from './contract/owners/shared-claims.ts';
import { batchRacesContract } from './contract/races/batches.ts';
import { cooldownRacesContract } from './contract/races/cooldowns.ts';
import { definitionRacesContract } from './contract/races/definitions.ts';
import { keyRacesContract } from './contract/races/keys.ts';
import { overflowRacesContract } from './contract/races/overflow.ts';
import { wakeUpRacesContract } from './contract/races/wake-ups.ts';
import { rejectionsContract } from './contract/rejections.ts';
import { advancingRunsContract } from './contract/runs/advancing.ts';
import { cancellingRunsContract } from './contract/runs/cancelling.ts';
import { claimingRunsContract } from './contract/runs/claiming.ts';
import { creatingRunsContract } from './contract/runs/creating.ts';
import { creatingSeveralContract } from './contract/runs/creating-several.ts';
import { eventsContract } from './contract/runs/events.ts';
import { flowControlContract } from './contract/runs/flow-control.ts';
import { foreignRunsContract } from './contract/runs/foreign-ids.ts';
import { idempotencyKeysContract } from './contract/runs/idempotency-keys.ts';
import { runLeasesContract } from './contract/runs/leases.ts';
import { listingRunsContract } from './contract/runs/listing.ts';
import { runPartsContract } from './contract/runs/parts.ts';
import { recoveringRunsContract } from './contract/runs/recovering.ts';
import { repeatedWritesContract } from './contract/runs/repeated-writes.ts';
import { repliesContract } from './contract/runs/replies.ts';
import { retentionContract } from './contract/runs/retention.ts';
import { samplesContract } from './contract/runs/samples.ts';
import { searchingRunsContract } from './contract/runs/searching.ts';
import { stepMemoryContract } from './contract/runs/step-memory.ts';
import { visitsContract } from './contract/runs/visits.ts';
import { createWorkbench, type Owners, TestState, type Workbench } from './contract/workbench.ts';

export interface StorageHarness {
  /** Opens a storage of a new owner on one database, which is empty the first time. Several may be open at once. */
  open(clock: Clock): Promise<OpenedStorage>;
  /** Removes what the storages left behind. */
  dispose(): Promise<void>;
}

const OF_ONE_OWNER: readonly ((workbench: () => Workbench) => void)[] = [
  changingDefinitionsContract,
  definitionVersionsContract,
  schedulesContract,
  creatingRunsContract,
  creatingSeveralContract,
  idempotencyKeysContract,
  advancingRunsContract,
  repeatedWritesContract,
  foreignRunsContract,
  eventsContract,
  runPartsContract,
  claimingRunsContract,
  runLeasesContract,
  recoveringRunsContract,
  cancellingRunsContract,
  repliesContract,
  listingRunsContract,
  searchingRunsContract,
  storingDeliveriesContract,
  claimingDeliveriesContract,
  listingDeliveriesContract,
  deliveryAttemptsContract,
  repeatedAttemptsContract,
  foreignDeliveriesContract,
  retryingDeliveriesContract,
  runEndsContract,
  visitsContract,
  overflowContract,
  latestWinsContract,
  stepMemoryContract,
  rejectionsContract,
  blockedClientsContract,
  retentionContract,
  samplesContract,
  jobsContract,
  loadContract,
  concurrencyContract,
];

const OF_SEVERAL_OWNERS: readonly ((owners: Owners) => void)[] = [
  ownersContract,
  sharedClaimsContract,
  sharedJobsContract,
  hintsContract,
  flowControlContract,
  batchesContract,
  flowCooldownsContract,
  wakeUpRacesContract,
  cooldownRacesContract,
  overflowRacesContract,
  keyRacesContract,
  batchRacesContract,
];

export function describeStorageContract(name: string, harness: StorageHarness): void {
  describe(`the storage contract on ${name}`, () => {
    const state = new TestState();
    const open = async (): Promise<Workbench> => createWorkbench(await harness.open(state.clock), state);
    let one: Workbench;
    let other: Workbench;

    beforeAll(async () => {
      [one, other] = [await open(), await open()];
    });
    afterEach(() => one.endAllRuns());
    afterAll(async () => {
      await one.storage.close();
      await other.storage.close();
      await harness.dispose();
    });

    async function openForTest(): Promise<Workbench> {
      const workbench = await open();
      onTestEnd(() => workbench.storage.close());
      return workbench;
    }

    const owners: Owners = { one: () => one, other: () => other, open: openForTest };
    // Reads all definitions many times, of which later parts add thousands.
    definitionRacesContract(owners);
    for (const contract of OF_ONE_OWNER) contract(owners.one);
    for (const contract of OF_SEVERAL_OWNERS) contract(owners);

    test('a storage that was closed refuses everything, and the database keeps everything until it is opened again', async () => {
      const { storage, addSink, addRun } = one;
      const sink = await addSink();
      const { runId } = await addRun(sink);
      const everything = async () => [
        await one.storage.getRun(runId),
        await one.storage.readEvents(runId, 0),
        await one.storage.loadDefinitions(),
      ];
      const before = await everything();
      await storage.close();
      await storage.close();
      await other.storage.close();
      await expect(storage.getRun(runId)).rejects.toThrow('closed');
      await expect(storage.cancelRun(runId)).rejects.toThrow('closed');
      [one, other] = [await open(), await open()];
      expect(await everything()).toEqual(before);
    });
  });
}
