// Storage contract: who may advance a run: claims, leases, giving back, recovery and cancellation.

import { describe, expect, test } from 'vitest';
import { isEnd } from '../../../src/core/run/run-event.ts';
import { runWeight } from '../../../src/core/run/run-weight.ts';
import { completedTurn, LEASE_MS, NOW, progress, runningTurn, step, upTo, type Workbench } from './workbench.ts';

export function claimingRunsContract(workbench: () => Workbench): void {
  const claimedIds = async (now: number, limit = 1000): Promise<string[]> =>
    (await workbench().storage.claimDueRuns(now, now + LEASE_MS, upTo(limit))).map(({ lease }) => lease.runId);

  describe('claimDueRuns', () => {
    test('hands out a run with all that its worker needs', async () => {
      const { storage, addSink, addRun, newRun } = workbench();
      const sink = await addSink();
      await storage.changeDefinitions(
        [{ kind: 'put_workflow', appId: sink.appId, workflowId: 'w', document: '{}', managedBy: 'api' }],
        NOW,
      );
      const { runId } = newRun(sink);
      const waiting = step('b', { status: 'waiting', outputs: null, finishedAt: null, dueAt: NOW });
      const turn = { progress: 33, events: [progress(1, 0), progress(2, 33)], lastSeq: 2, steps: [step('a'), waiting] };
      await addRun(sink, { runId, workflow: { id: 'w', version: 1 }, inputs: '{"id":1.0}', body: Buffer.from('[1.0]'), turn });
      const [claimed, ...others] = await storage.claimDueRuns(NOW, NOW + LEASE_MS, upTo(10));
      expect(others).toEqual([]);
      expect(claimed).toMatchObject({
        lease: { runId },
        appId: sink.appId,
        sinkId: sink.id,
        workflow: { id: 'w', version: 1 },
        request: '{}',
        bodyKind: 'json',
        inputs: '{"id":1.0}',
        progress: 33,
        lastSeq: 2,
        createdAt: NOW,
        steps: [step('a'), waiting],
      });
      expect(Buffer.from(claimed?.body ?? []).toString()).toBe('[1.0]');
      expect((await storage.getRun(runId))?.status).toBe('running');
    });

    test('takes a run when it is due, not a millisecond earlier', async () => {
      const { addSink, addRun } = workbench();
      const { runId } = await addRun(await addSink(), { turn: { wakeAt: NOW + 1000 } });
      expect(await claimedIds(NOW + 999)).toEqual([]);
      expect(await claimedIds(NOW + 1000)).toEqual([runId]);
    });

    test('takes those that are due longest first, and no more than asked for', async () => {
      const { addSink, addRun } = workbench();
      const sink = await addSink();
      const delays = [30, 10, 50, 20, 40];
      const runs: { delay: number; runId: string }[] = [];
      for (const delay of delays) runs.push({ delay, ...(await addRun(sink, { turn: { wakeAt: NOW + delay } })) });
      const ids = (...wanted: number[]) => runs.filter(({ delay }) => wanted.includes(delay)).map(({ runId }) => runId);
      expect((await claimedIds(NOW + 100, 2)).sort()).toEqual(ids(10, 20).sort());
      expect((await claimedIds(NOW + 100, 2)).sort()).toEqual(ids(30, 40).sort());
      expect(await claimedIds(NOW + 100, 2)).toEqual(ids(50));
    });

    test('gives each run to one owner, however many ask at the same time', async () => {
      const { addSink, addRun } = workbench();
      const sink = await addSink();
      const runs = await Promise.all(Array.from({ length: 30 }, () => addRun(sink)));
      const claims = await Promise.all(Array.from({ length: 8 }, () => claimedIds(NOW, 7)));
      expect(claims.flat().sort()).toEqual(runs.map(({ runId }) => runId).sort());
    });

    test('leaves a run to its owner until the lease is over, then takes it under a new lease', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      expect(await claimedIds(NOW + LEASE_MS - 1)).toEqual([]);
      const [taken] = await storage.claimDueRuns(NOW + LEASE_MS, NOW + 2 * LEASE_MS, upTo(10));
      expect(taken?.lease.runId).toBe(lease.runId);
      expect(taken?.lease.epoch).toBeGreaterThan(lease.epoch);
    });

    test('never takes a run that has ended', async () => {
      const { storage, addSink, addRun, addClaimedRun } = workbench();
      const sink = await addSink();
      await addRun(sink, { turn: completedTurn(1) });
      const { runId } = await addRun(sink);
      await storage.cancelRun(runId, NOW);
      const { lease } = await addClaimedRun(sink);
      await storage.advanceRun(lease, completedTurn(2));
      expect(await claimedIds(NOW + 365 * 86_400_000)).toEqual([]);
    });
  });

  describe('a lease', () => {
    test('is extended by renewing it; stale ones are named and stay stale', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      await addRun(sink);
      await addRun(sink);
      const [kept, lost] = (await storage.claimDueRuns(NOW, NOW + LEASE_MS, upTo(2))).map(({ lease }) => lease);
      if (kept === undefined || lost === undefined) throw new Error('two runs were due');
      await storage.cancelRun(lost.runId, NOW);
      expect(await storage.renewLeases([kept, lost], NOW + 2 * LEASE_MS)).toEqual([lost.runId]);
      expect(await claimedIds(NOW + 2 * LEASE_MS - 1)).toEqual([]);
      expect(await storage.advanceRun(kept, runningTurn({}))).toBe(true);
    });

    test('given back makes the run due at once for the next owner', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      await storage.releaseRun(lease, NOW + 5);
      expect((await storage.getRun(lease.runId))?.status).toBe('queued');
      expect(await claimedIds(NOW + 4)).toEqual([]);
      expect(await claimedIds(NOW + 5)).toEqual([lease.runId]);
    });

    test('that is stale gives nothing back', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      const [taken] = await storage.claimDueRuns(NOW + LEASE_MS, NOW + 2 * LEASE_MS, upTo(1));
      await storage.releaseRun(lease, NOW);
      expect(await claimedIds(NOW + LEASE_MS)).toEqual([]);
      expect(await storage.advanceRun(taken?.lease ?? lease, runningTurn({}))).toBe(true);
    });
  });

  describe('claims by what a run weighs', () => {
    const sized = (bytes: number) => ({ body: new Uint8Array(bytes), bodyKind: 'text' as const });

    test('take as many as fit, in the order in which they are due, and none after one that does not', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      for (const [index, bytes] of [10_000, 10_000, 200_000, 10].entries())
        await addRun(sink, { ...sized(bytes), turn: { wakeAt: NOW + index } });
      const claim = async (maxWeight: number) =>
        (await storage.claimDueRuns(NOW + 9, NOW + LEASE_MS, { limit: 10, maxWeight, takesAlone: true })).map(
          ({ body }) => body.byteLength,
        );
      expect(await claim(2 * runWeight(11_000))).toEqual([10_000, 10_000]);
      expect(await claim(runWeight(11_000))).toEqual([]);
      expect(await claim(runWeight(300_000) * 100)).toEqual([200_000, 10]);
    });

    test('take a large run alone, whatever it weighs, and pass it over while none may be taken', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      for (const bytes of [400_000, 500_000, 10]) await addRun(sink, sized(bytes));
      const claim = async (takesAlone: boolean) =>
        (await storage.claimDueRuns(NOW, NOW + LEASE_MS, { limit: 10, maxWeight: 100_000, takesAlone })).map(({ body, isAlone }) => [
          body.byteLength,
          isAlone,
        ]);
      expect(await claim(false)).toEqual([[10, false]]);
      expect(await claim(true)).toEqual([[400_000, true]]);
      expect(await claim(true)).toEqual([[500_000, true]]);
    });

    test('take a run alone at which the process has died twice', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const sink = await addSink();
      await addClaimedRun(sink);
      await addClaimedRun(sink);
      await storage.recoverRuns(NOW);
      expect(await storage.claimDueRuns(NOW, NOW + LEASE_MS, upTo(10))).toMatchObject([{ isAlone: false }, { isAlone: false }]);
      await storage.recoverRuns(NOW);
      expect(await storage.claimDueRuns(NOW, NOW + LEASE_MS, upTo(10))).toMatchObject([{ isAlone: true }]);
      expect(await storage.claimDueRuns(NOW, NOW + LEASE_MS, { ...upTo(10), takesAlone: false })).toEqual([]);
    });
  });

  describe('recoverRuns', () => {
    test('makes every running run due at once, and leaves those that wait or have ended', async () => {
      const { storage, addSink, addRun, addClaimedRun } = workbench();
      const sink = await addSink();
      const one = await addClaimedRun(sink);
      const two = await addClaimedRun(sink);
      const waiting = await addRun(sink, { turn: { wakeAt: NOW + 60_000 } });
      const ended = await addRun(sink, { turn: completedTurn(1) });
      expect(await storage.recoverRuns(NOW + 1)).toEqual({ recovered: 2, poisoned: [] });
      expect((await claimedIds(NOW + 1)).sort()).toEqual([one.lease.runId, two.lease.runId].sort());
      expect((await storage.getRun(waiting.runId))?.status).toBe('waiting');
      expect((await storage.getRun(ended.runId))?.status).toBe('completed');
    });

    test('sets a run aside at the third death, tells of it, and ends its stream; it can no longer be claimed', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      for (const at of [1, 2]) {
        expect(await storage.recoverRuns(NOW + at)).toEqual({ recovered: 1, poisoned: [] });
        expect(await claimedIds(NOW + at)).toEqual([lease.runId]);
      }
      expect(await storage.recoverRuns(NOW + 3)).toEqual({ recovered: 0, poisoned: [lease.runId] });
      expect(await claimedIds(NOW + 3)).toEqual([]);
      expect(await storage.getRun(lease.runId)).toMatchObject({ status: 'failed', error: { code: 'poisoned' }, finishedAt: NOW + 3 });
      expect((await storage.readEvents(lease.runId, 0))?.events.filter(isEnd)).toHaveLength(1);
      expect(await storage.recoverRuns(NOW + 4)).toEqual({ recovered: 0, poisoned: [] });
    });

    test('counts anew for a run that has gone on, and counts none that was given back', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      for (const at of [1, 2, 3, 4]) {
        expect((await storage.recoverRuns(NOW + at)).poisoned).toEqual([]);
        const [claimed] = await storage.claimDueRuns(NOW + at, NOW + LEASE_MS, upTo(1));
        await storage.advanceRun(claimed?.lease ?? lease, runningTurn({ status: 'waiting', lastSeq: at + 1, wakeAt: NOW + at + 1 }));
        const [again] = await storage.claimDueRuns(NOW + at + 1, NOW + LEASE_MS, upTo(1));
        await storage.releaseRun(again?.lease ?? lease, NOW + at + 1);
        await storage.recoverRuns(NOW + at + 1);
        await claimedIds(NOW + at + 1);
      }
    });
  });

  describe('nextWake', () => {
    test('is when the next run is due, leases included, and null when none waits', async () => {
      const { storage, addSink, addRun, addClaimedRun } = workbench();
      const sink = await addSink();
      expect(await storage.nextWake()).toBeNull();
      await addRun(sink, { turn: completedTurn(1) });
      expect(await storage.nextWake()).toBeNull();
      const { lease } = await addClaimedRun(sink);
      expect(await storage.nextWake()).toBe(NOW + LEASE_MS);
      await addRun(sink, { turn: { wakeAt: NOW + 700 } });
      expect(await storage.nextWake()).toBe(NOW + 700);
      await storage.advanceRun(lease, runningTurn({ status: 'waiting', wakeAt: NOW + 300 }));
      expect(await storage.nextWake()).toBe(NOW + 300);
    });
  });

  describe('cancelRun', () => {
    test('ends a waiting run with one error event, and it is never due again', async () => {
      const { storage, addSink, addRun } = workbench();
      const { runId } = await addRun(await addSink());
      const result = await storage.cancelRun(runId, NOW + 3);
      expect(result).toMatchObject({ cancelled: true, events: [{ seq: 2 }] });
      expect(await storage.readEvents(runId, 1)).toMatchObject({ ended: true, events: result?.events });
      expect(await storage.getRun(runId)).toMatchObject({
        status: 'cancelled',
        finishedAt: NOW + 3,
        error: { code: 'cancelled' },
        output: null,
      });
      expect(await storage.nextWake()).toBeNull();
    });

    test('leaves a run that has ended as it is, cancelled ones included', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      const { runId } = await addRun(sink, { turn: completedTurn(2) });
      expect(await storage.cancelRun(runId, NOW)).toEqual({ cancelled: false, events: [] });
      expect((await storage.getRun(runId))?.status).toBe('completed');
      const other = await addRun(sink);
      await storage.cancelRun(other.runId, NOW);
      expect(await storage.cancelRun(other.runId, NOW + 1)).toEqual({ cancelled: false, events: [] });
      expect((await storage.readEvents(other.runId, 0))?.events).toHaveLength(2);
    });

    test.each(['cancelled first', 'completed first'])('racing with the end of the run leaves one ending: %s', async (order) => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      const cancel = () => storage.cancelRun(lease.runId, NOW);
      const complete = () => storage.advanceRun(lease, completedTurn(2));
      const isCancelledFirst = order === 'cancelled first';
      const [first, second] = await Promise.all(isCancelledFirst ? [cancel(), complete()] : [complete(), cancel()]);
      expect(first).toEqual(isCancelledFirst ? expect.objectContaining({ cancelled: true }) : true);
      expect(second).toEqual(isCancelledFirst ? false : { cancelled: false, events: [] });
      const { events = [] } = (await storage.readEvents(lease.runId, 0)) ?? {};
      expect(events.filter(isEnd)).toHaveLength(1);
      expect((await storage.getRun(lease.runId))?.status).toBe(isCancelledFirst ? 'cancelled' : 'completed');
    });
  });
}
