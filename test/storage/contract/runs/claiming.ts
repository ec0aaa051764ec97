// Storage contract: claims of due runs, in order and within their limits.

import { describe, expect, test } from 'vitest';
import { RESPOND } from '../../../../src/core/run/run-answer.ts';
import { runWeight } from '../../../../src/core/run/run-weight.ts';
import { LEASE_MS } from '../../../../src/leases/lease.ts';
import { completedTurn, NOW, progress, runningTurn, step, upTo, type Workbench } from '../workbench.ts';

export function claimingRunsContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);
  const recover: Workbench['recover'] = (ms) => workbench().recover(ms);
  const claimedIds = async (ms: number, limit = 1000): Promise<string[]> =>
    (await at(ms).claimDueRuns(upTo(limit))).map(({ lease }) => lease.runId);

  describe('claimDueRuns', () => {
    test('hands out a run with all that its worker needs', async () => {
      const { storage, addSink, addRun, newRun, edit } = workbench();
      const sink = await addSink();
      await edit({ kind: 'put_workflow', appId: sink.appId, workflowId: 'w', document: '{}', managedBy: 'api' });
      const { runId } = newRun(sink);
      const waiting = step('b', { status: 'waiting', outputs: null, finishedAt: null, dueAt: NOW });
      const turn = { progress: 33, events: [progress(1, 0), progress(2, 33)], lastSeq: 2, steps: [step('a'), waiting] };
      await addRun(sink, { runId, workflow: { id: 'w', version: 1 }, inputs: '{"id":1.0}', body: Buffer.from('[1.0]'), turn });
      const [claimed, ...others] = await at(NOW).claimDueRuns(upTo(10));
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

    test('tells whether a step has answered, also in an earlier visit than its last', async () => {
      const { addSink, addRun } = workbench();
      const sink = await addSink();
      const answer = (fields: object) => step('answer', { type: RESPOND, ...fields });
      const open = { status: 'pending' as const, outputs: null, startedAt: null, finishedAt: null };
      const answered = await addRun(sink, { turn: { steps: [answer({}), answer({ ...open, visit: 2, backTo: ['answer'] })] } });
      const silent = await addRun(sink, { turn: { steps: [step('other'), answer({ ...open, startedAt: null })] } });
      const claimed = await at(NOW).claimDueRuns(upTo(10));
      expect(new Map(claimed.map(({ lease, isAnswered }) => [lease.runId, isAnswered]))).toEqual(
        new Map([
          [answered.runId, true],
          [silent.runId, false],
        ]),
      );
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

    test('leaves a new run to its creator until the first lease is over', async () => {
      const { storage, addSink, newRun } = workbench();
      const run = newRun(await addSink(), { turn: { status: 'running', wakeAt: null } });
      expect(await storage.createRun(run)).toEqual({ kind: 'created' });
      expect(await storage.nextWake()).toBe(NOW + LEASE_MS);
      expect(await claimedIds(NOW + LEASE_MS - 1)).toEqual([]);
      expect(await claimedIds(NOW + LEASE_MS)).toEqual([run.runId]);
    });

    test('leaves a run to its owner until the lease is over, then takes it under a new lease', async () => {
      const { addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      expect(await claimedIds(NOW + LEASE_MS - 1)).toEqual([]);
      const [taken] = await at(NOW + LEASE_MS).claimDueRuns(upTo(10));
      expect(taken?.lease.runId).toBe(lease.runId);
      expect(taken?.lease.epoch).toBeGreaterThan(lease.epoch);
    });

    test('never takes a run that has ended', async () => {
      const { storage, addSink, addRun, addClaimedRun } = workbench();
      const sink = await addSink();
      await addRun(sink, { turn: completedTurn(1) });
      const { runId } = await addRun(sink);
      await at(NOW).cancelRun(runId);
      const { lease } = await addClaimedRun(sink);
      await storage.advanceRun(lease, completedTurn(2));
      expect(await claimedIds(NOW + 365 * 86_400_000)).toEqual([]);
    });
  });

  describe('claims by what a run weighs', () => {
    const sized = (bytes: number) => ({ body: new Uint8Array(bytes), bodyKind: 'text' as const });

    test('take as many as fit, in the order in which they are due, and none after one that does not', async () => {
      const { addSink, addRun } = workbench();
      const sink = await addSink();
      for (const [index, bytes] of [10_000, 10_000, 200_000, 10].entries())
        await addRun(sink, { ...sized(bytes), turn: { wakeAt: NOW + index } });
      const claim = async (maxWeight: number) =>
        (await at(NOW + 9).claimDueRuns({ limit: 10, maxWeight, takesAlone: true })).map(({ body }) => body.byteLength);
      expect(await claim(2 * runWeight(11_000))).toEqual([10_000, 10_000]);
      expect(await claim(runWeight(11_000))).toEqual([]);
      expect(await claim(runWeight(300_000) * 100)).toEqual([200_000, 10]);
    });

    test('take a large run alone, whatever it weighs, and pass it over while none may be taken', async () => {
      const { addSink, addRun } = workbench();
      const sink = await addSink();
      for (const bytes of [400_000, 500_000, 10]) await addRun(sink, sized(bytes));
      const claim = async (takesAlone: boolean) =>
        (await at(NOW).claimDueRuns({ limit: 10, maxWeight: 100_000, takesAlone })).map(({ body, isAlone }) => [body.byteLength, isAlone]);
      expect(await claim(false)).toEqual([[10, false]]);
      expect(await claim(true)).toEqual([[400_000, true]]);
      expect(await claim(true)).toEqual([[500_000, true]]);
    });

    test('take a run alone at which the process has died twice', async () => {
      const { addSink, addClaimedRun } = workbench();
      const sink = await addSink();
      await addClaimedRun(sink);
      await addClaimedRun(sink);
      await recover(NOW);
      expect(await at(NOW).claimDueRuns(upTo(10))).toMatchObject([{ isAlone: false }, { isAlone: false }]);
      await recover(NOW);
      expect(await at(NOW).claimDueRuns(upTo(10))).toMatchObject([{ isAlone: true }]);
      expect(await at(NOW).claimDueRuns({ ...upTo(10), takesAlone: false })).toEqual([]);
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
}
