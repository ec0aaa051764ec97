// Storage contract: two owners create deliveries of one overflow group at once.

import { describe, expect, test } from 'vitest';
import type { OverflowGroup } from '../../../../src/core/delivery/overflow.ts';
import { answered, attemptOf, createDeliveryBench, newOrigin } from '../deliveries/delivery-bench.ts';
import { createLine, latest } from '../deliveries/overflow-line.ts';
import { NOW, type Owners, type Workbench } from '../workbench.ts';
import { race } from './race.ts';

export function overflowRacesContract(owners: Owners): void {
  /** Both owners create a delivery of the group at once. */
  async function addBoth(first: Workbench, second: Workbench, overflow: OverflowGroup, isAwaited = false): Promise<Map<string, string>> {
    const origin = newOrigin();
    const lines = [first, second].map((owner) => createLine(() => owner, overflow, origin));
    const added = await Promise.all(lines.map((line) => line.add({ isAwaited })));
    const stored = await Promise.all(added.map(async ({ id }) => await first.storage.getDelivery(id)));
    return new Map(stored.map((delivery) => [delivery?.status ?? '', delivery?.id ?? '']));
  }

  describe('two owners that create a delivery of one group at the same moment', () => {
    test('keep within the limit of reject', async () => {
      await race(owners, async (first, second) => {
        const statuses = await addBoth(first, second, { policy: 'reject', group: newOrigin(), limit: 1 });
        expect([...statuses.keys()].sort()).toEqual(['dropped', 'queued']);
      });
    });

    test('leave one waiting with latest_wins, and the other was superseded by it', async () => {
      await race(owners, async (first, second) => {
        const statuses = await addBoth(first, second, latest());
        expect([...statuses.keys()].sort()).toEqual(['dropped', 'queued']);
        const dropped = await second.storage.getDelivery(statuses.get('dropped') ?? '');
        expect(dropped).toMatchObject({ droppedReason: `superseded by ${statuses.get('queued')}`, dueAt: null });
      });
    });

    test('wake the run that waits for the one that is dropped', async () => {
      await race(owners, async (first, second) => {
        const statuses = await addBoth(first, second, latest(), true);
        const dropped = await first.storage.getDelivery(statuses.get('dropped') ?? '');
        const due = await createDeliveryBench(() => second).dueRuns();
        expect(due).toMatchObject([{ lease: { runId: dropped?.runId }, results: [{ step: 's0', result: { kind: 'dropped' } }] }]);
        const latestRun = (await second.storage.getDelivery(statuses.get('queued') ?? ''))?.runId;
        for (const runId of [dropped?.runId, latestRun]) await first.storage.cancelRun(runId ?? '');
      });
    });

    test('lose none when one of them is retried meanwhile', async () => {
      await race(owners, async (first, second) => {
        const group = latest();
        const origin = newOrigin();
        await createLine(() => first, group, origin).add();
        const bench = createDeliveryBench(() => first);
        const claimed = await bench.claimOne(origin);
        const next = { status: 'queued', dueAt: NOW } as const;
        const [recorded, newer] = await Promise.all([
          first.storage.recordAttempt(claimed, attemptOf(1, answered(503)), next, null),
          createLine(() => second, group, origin).add(),
        ]);
        expect(['recorded', 'dropped']).toContain(recorded);
        expect(await bench.statusOf(claimed.id)).toBe('dropped');
        expect((await bench.claimOne(origin)).id).toBe(newer.id);
      });
    });
  });
}
