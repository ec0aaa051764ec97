// Storage contract: deliveries whose receiver is behind. What is dropped is decided with the commit that brings it about,
// stays on record, and no run waits for it any more.

import { describe, expect, test } from 'vitest';
import type { OverflowGroup } from '../../../../src/core/delivery/overflow.ts';
import type { ClaimedDelivery, NewDelivery } from '../../../../src/storage/delivery-records.ts';
import { NOW, runningTurn, type Workbench } from '../workbench.ts';
import { answered, attemptOf, createDeliveryBench, DELIVERED, newDelivery, newOrigin, waitingFor } from './delivery-bench.ts';
import { createLine, latest } from './overflow-line.ts';

const RETRY_SOON = { status: 'queued', dueAt: NOW + 50 } as const;

export function overflowContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);
  const recover: Workbench['recover'] = (ms) => workbench().recover(ms);
  const { claim, claimOne, statusOf, dueRuns } = createDeliveryBench(workbench);
  const line = (overflow: OverflowGroup, origin?: string) => createLine(workbench, overflow, origin);

  const fail = (claimed: ClaimedDelivery, attempt = 1) =>
    workbench().storage.recordAttempt(claimed, attemptOf(attempt, answered(503)), RETRY_SOON, null);
  const succeed = (claimed: ClaimedDelivery, attempt = 1) =>
    workbench().storage.recordAttempt(claimed, attemptOf(attempt, answered(200)), DELIVERED, null);
  const statuses = (deliveries: readonly NewDelivery[]) => Promise.all(deliveries.map(({ id }) => statusOf(id)));

  describe('latest_wins', () => {
    test('keeps the newest waiting, and drops the others of its group with the commit that stores it', async () => {
      const { origin, add } = line(latest());
      const other = line(latest(), origin);
      const [first, elsewhere, second, third] = [await add(), await other.add(), await add(), await add({}, NOW + 5)];
      expect(await statuses([first, second, third, elsewhere])).toEqual(['dropped', 'dropped', 'queued', 'queued']);
      expect(await workbench().storage.getDelivery(second.id)).toMatchObject({
        dueAt: null,
        finishedAt: NOW + 5,
        droppedReason: `superseded by ${third.id}`,
        attempts: 0,
        tries: [],
      });
      const [sinkId] = [(await workbench().storage.getDelivery(second.id))?.sinkId as string];
      const listed = await workbench().storage.listDeliveries({ sinkId, status: 'dropped', limit: 10 });
      expect(listed.map(({ id }) => id)).toEqual([second.id]);
      expect((await claim(origin, NOW + 5)).map(({ id }) => id)).toEqual([elsewhere.id, third.id]);
    });

    test('sends one of a group at a time: the next one is due when the attempt that is under way is over', async () => {
      const { origin, add } = line(latest());
      await add();
      const sending = await claimOne(origin);
      const [second, third] = [await add(), await add()];
      expect(await claim(origin, NOW + 10_000)).toEqual([]);
      expect(await workbench().storage.getDelivery(third.id)).toMatchObject({ status: 'queued', dueAt: null });
      expect(await statuses([sending as never, second])).toEqual(['sending', 'dropped']);
      expect(await succeed(sending)).toBe('recorded');
      expect((await claimOne(origin, NOW + 10_000)).id).toBe(third.id);
    });

    test('of several that are tried again by hand at once only the newest gets a round', async () => {
      const { origin, add } = line(latest());
      const [first, second, third] = [await add(), await add(), await add()];
      await succeed(await claimOne(origin));
      const ids = [first, second, third].map(({ id }) => id);
      expect(await at(NOW + 5).retryDeliveries(ids)).toEqual([{ id: second.id, origin }]);
      expect(await statuses([first, second, third])).toEqual(['dropped', 'queued', 'delivered']);
    });

    test('a failed attempt is not made again where a newer one waits, and is where none does', async () => {
      const { origin, add } = line(latest());
      await add();
      expect(await fail(await claimOne(origin))).toBe('recorded');
      const again = await claimOne(origin, RETRY_SOON.dueAt);
      const newer = await add({}, NOW + 60);
      expect(await fail(again, 2)).toBe('dropped');
      expect(await workbench().storage.getDelivery(again.id)).toMatchObject({
        status: 'dropped',
        attempts: 2,
        droppedReason: `superseded by ${newer.id}`,
        lastResult: answered(503, ''),
      });
      expect((await claimOne(origin, NOW + 60)).id).toBe(newer.id);
    });

    test('one that is given back, or whose sender died, is dropped where a newer one waits', async () => {
      const { origin, add } = line(latest());
      await add();
      const first = await claimOne(origin);
      await at(NOW + 1).releaseDeliveries([first]);
      expect(await statusOf(first.id)).toBe('queued');
      const sent = await claimOne(origin, NOW + 1);
      const second = await add();
      await at(NOW + 2).releaseDeliveries([sent]);
      expect(await statuses([first as never, second])).toEqual(['dropped', 'queued']);
      const dying = await claimOne(origin, NOW + 2);
      const third = await add();
      await recover(NOW + 3);
      expect(await statuses([dying as never, third])).toEqual(['dropped', 'queued']);
      expect(await succeed(dying)).toBe('stale');
      expect(await statusOf(dying.id)).toBe('dropped');
      expect((await claimOne(origin, NOW + 3)).id).toBe(third.id);
    });

    test('the end of a run that waits lets the next one go', async () => {
      const { origin, add } = line(latest());
      const { runId } = await add({ isAwaited: true });
      await claimOne(origin);
      const next = await add();
      await at(NOW + 4).cancelRun(runId);
      expect((await claimOne(origin, NOW + 4)).id).toBe(next.id);
    });

    test('a run that waits for one that is dropped is due at once, and is told why', async () => {
      const { origin, add } = line(latest());
      const waiting = await add({ isAwaited: true });
      const failing = line(latest());
      const tried = await failing.add({ isAwaited: true });
      const attempted = await claimOne(failing.origin);
      expect(await dueRuns()).toEqual([]);
      const newer = [await add(), await failing.add()];
      await fail(attempted);
      const told = new Map((await dueRuns()).map(({ lease, results }) => [lease.runId, results]));
      expect(told.get(waiting.runId)).toEqual([
        { step: 's0', visit: 1, result: { kind: 'dropped', reason: `superseded by ${newer[0]?.id}` } },
      ]);
      expect(told.get(tried.runId)).toEqual([
        { step: 's0', visit: 1, result: { kind: 'dropped', reason: `superseded by ${newer[1]?.id}` } },
      ]);
      expect((await claimOne(origin)).id).toBe(newer[0]?.id);
    });

    test('one that was dropped can be tried again by hand, unless a newer one is on its way', async () => {
      const { storage } = workbench();
      const { origin, add } = line(latest());
      const [first, second] = [await add(), await add()];
      expect(await at(NOW).retryDeliveries([first.id])).toEqual([]);
      await succeed(await claimOne(origin));
      expect(await at(NOW + 9).retryDeliveries([first.id])).toEqual([{ id: first.id, origin }]);
      expect(await storage.getDelivery(first.id)).toMatchObject({ status: 'queued', droppedReason: null, finishedAt: null });
      const retried = await claimOne(origin, NOW + 9);
      expect([retried.id, await statusOf(second.id)]).toEqual([first.id, 'delivered']);
    });
  });

  describe('reject', () => {
    const atMost = (limit: number, group = newOrigin()): OverflowGroup => ({ policy: 'reject', group, limit });

    test('drops a new one where so many wait or are being sent, and counts exactly', async () => {
      const { origin, add } = line(atMost(3));
      const stored = await Promise.all(Array.from({ length: 10 }, () => add()));
      expect((await statuses(stored)).sort()).toEqual([...Array(7).fill('dropped'), 'queued', 'queued', 'queued']);
      const [sending] = await claim(origin, NOW, 1);
      const refused = await add();
      expect(await workbench().storage.getDelivery(refused.id)).toMatchObject({
        status: 'dropped',
        dueAt: null,
        finishedAt: NOW,
        droppedReason: 'the receiver is behind: 3 wait',
      });
      await succeed(sending as ClaimedDelivery);
      expect(await statuses([await add(), await add()])).toEqual(['queued', 'dropped']);
    });

    test('counts on across a restart of the server, and leaves other steps and sinks alone', async () => {
      const { origin, add } = line(atMost(1));
      await add();
      await claimOne(origin);
      await recover(NOW);
      expect(await statusOf((await add()).id)).toBe('dropped');
      expect(await statusOf((await line(atMost(1)).add()).id)).toBe('queued');
    });

    test('a run that waits for one that is dropped is due at once, and is told why', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const group = atMost(0);
      const { lease } = await addClaimedRun(await addSink());
      const { runId } = await line(group).add({ isAwaited: true });
      await storage.advanceRun(lease, waitingFor(newDelivery(lease.runId, 0, { overflow: group, origin: newOrigin() })));
      const told = await dueRuns();
      const results = [{ step: 's0', visit: 1, result: { kind: 'dropped', reason: 'the receiver is behind: 0 wait' } }];
      for (const id of [runId, lease.runId]) expect(told.find((run) => run.lease.runId === id)).toMatchObject({ results });
    });

    test('those that were dropped can be tried again by hand, however many wait', async () => {
      const { origin, add } = line(atMost(1));
      const [first, second] = [await add(), await add()];
      expect(await at(NOW).retryDeliveries([second.id])).toEqual([{ id: second.id, origin }]);
      expect((await claim(origin)).map(({ id }) => id)).toEqual([first.id, second.id]);
    });
  });

  test('a turn that is refused drops nothing', async () => {
    const { storage, addSink, addClaimedRun } = workbench();
    const { origin, add } = line(latest());
    const kept = await add();
    const { lease } = await addClaimedRun(await addSink());
    const newer = newDelivery(lease.runId, 0, { origin, overflow: kept.overflow });
    const stale = { ...lease, epoch: lease.epoch + 1 };
    expect(await storage.advanceRun(stale, runningTurn({ deliveries: [newer] }))).toBe(false);
    expect(await statusOf(kept.id)).toBe('queued');
  });
}
