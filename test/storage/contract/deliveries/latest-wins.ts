// Storage contract: whatever happens to two groups of deliveries of which only the newest waits, in whatever order, the
// newest is not lost, and none that was dropped is sent.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ClaimedDelivery, NewDelivery } from '../../../../src/storage/delivery-records.ts';
import { NOW, type Workbench } from '../workbench.ts';
import { answered, attemptOf, createDeliveryBench, DELIVERED, FAILED, newOrigin } from './delivery-bench.ts';
import { createLine, type Line, latest } from './overflow-line.ts';

type Action = 'store' | 'claim' | 'deliver' | 'fail' | 'give up' | 'release' | 'crash' | 'cancel';

const ACTIONS: readonly Action[] = ['store', 'store', 'claim', 'claim', 'deliver', 'fail', 'give up', 'release', 'crash', 'cancel'];

interface Group {
  line: Line;
  stored: (NewDelivery & { runId: string })[];
  /** What its sender holds. */
  held: ClaimedDelivery | null;
  attempts: Map<string, number>;
}

export function latestWinsContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);
  const recover: Workbench['recover'] = (ms) => workbench().recover(ms);
  const { claim, statusOf, dueRuns } = createDeliveryBench(workbench);
  const statuses = (group: Group): Promise<unknown[]> => Promise.all(group.stored.map(({ id }) => statusOf(id)));

  function newGroups(): Group[] {
    const origin = newOrigin();
    return [0, 1].map(() => ({ line: createLine(workbench, latest(), origin), stored: [], held: null, attempts: new Map() }));
  }

  async function claimAll(groups: readonly Group[], now: number): Promise<void> {
    for (const claimed of await claim(groups[0]?.line.origin as string, now)) {
      const group = groups.find(({ stored }) => stored.some(({ id }) => id === claimed.id)) as Group;
      expect(group.held, 'one at a time').toBeNull();
      expect(claimed.id, 'the newest is sent').toBe(group.stored.at(-1)?.id);
      group.held = claimed;
    }
  }

  async function end(group: Group, held: ClaimedDelivery, action: Action, now: number): Promise<void> {
    const { storage } = workbench();
    group.held = null;
    if (action === 'release') return await at(now).releaseDeliveries([held]);
    if (action === 'cancel') {
      const { runId } = group.stored.find(({ id }) => id === held.id) as { runId: string };
      const result = await at(now).cancelRun(runId);
      if (result?.cancelled !== true) group.held = held;
      return;
    }
    const attempt = (group.attempts.get(held.id) ?? 0) + 1;
    group.attempts.set(held.id, attempt);
    const next = action === 'deliver' ? DELIVERED : action === 'fail' ? ({ status: 'queued', dueAt: now } as const) : FAILED;
    await storage.recordAttempt(held, attemptOf(attempt, answered(action === 'deliver' ? 200 : 503), now), next, null);
  }

  async function act(groups: Group[], action: Action, group: Group, isAwaited: boolean, now: number): Promise<void> {
    if (action === 'store') group.stored.push(await group.line.add({ isAwaited }, now));
    else if (action === 'claim') await claimAll(groups, now);
    else if (action === 'crash') {
      await recover(now);
      for (const each of groups) each.held = null;
    } else if (group.held !== null) await end(group, group.held, action, now);
  }

  async function checkGroup(group: Group): Promise<void> {
    const now = await statuses(group);
    const count = (wanted: string): number => now.filter((status) => status === wanted).length;
    expect(now.at(-1), 'the newest is not lost').not.toBe('dropped');
    expect([count('queued') <= 1, count('sending') <= 1], 'one waits and one is sent').toEqual([true, true]);
    if (count('queued') === 1 && count('sending') === 1) expect(now.at(-1), 'the newest waits').toBe('queued');
    if (group.held !== null) expect(await statusOf(group.held.id), 'what is sent is not dropped').toBe('sending');
  }

  async function sendTheRest(groups: Group[], now: number): Promise<void> {
    for (let round = 1; round <= 2; round += 1) {
      for (const group of groups) if (group.held !== null) await end(group, group.held, 'deliver', now + round * 100);
      await claimAll(groups, now + round * 100 + 50);
    }
    const due = new Set((await dueRuns(now + 1000)).map(({ lease }) => lease.runId));
    for (const { stored } of groups) {
      for (const { id, runId } of stored) {
        expect(await statusOf(id), 'in the end all are over').not.toMatch(/queued|sending/);
        const run = await workbench().storage.getRun(runId);
        expect(run?.status === 'waiting' && !due.has(runId), 'no run waits for one that is over').toBe(false);
      }
    }
  }

  test('latest_wins never loses the newest, and never sends one that was dropped', async () => {
    const actions = fc.array(fc.tuple(fc.constantFrom(...ACTIONS), fc.nat(1), fc.boolean()), { minLength: 10, maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(actions, async (list) => {
        const groups = newGroups();
        let now = NOW;
        for (const [action, index, isAwaited] of list) {
          now += 100;
          await act(groups, action, groups[index] as Group, isAwaited, now);
          for (const group of groups) await checkGroup(group);
        }
        await sendTheRest(groups, now);
      }),
      { numRuns: 30 },
    );
  });
}
