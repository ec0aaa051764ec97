// Storage contract: a step that is visited again has a record and a delivery for each visit, and only the last goes on.

import { describe, expect, test } from 'vitest';
import { deliveryIdOf } from '../../../../src/core/delivery/delivery-id.ts';
import {
  answered,
  attemptOf,
  createDeliveryBench,
  DELIVERED,
  FAILED,
  newDelivery,
  newOrigin,
  waitingFor,
  waitingStep,
} from '../deliveries/delivery-bench.ts';
import { afterTurns, NOW, runningTurn, step, type Workbench } from '../workbench.ts';

const opened = (name: string, visit: number, backTo = ['a']) =>
  step(name, { visit, backTo, status: 'pending', attempt: 0, outputs: null, startedAt: null, finishedAt: null });

export function visitsContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);
  const { claim, claimOne, dueRuns, statusOf } = createDeliveryBench(workbench);

  describe('a step that is visited again', () => {
    test('has a record of each visit, in order, and is handed out as its last one stands', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const first = [step('a'), step('b', { status: 'failed', chosen: ['a'], error: { code: 'x', message: 'y' } })];
      const second = [step('a', { visit: 2, backTo: ['a'], startedAt: NOW + 1, finishedAt: NOW + 1 }), opened('b', 2)];
      const { lease } = await addClaimedRun(await addSink(), { turn: { steps: first } });
      expect(await storage.advanceRun(lease, runningTurn({ steps: second }))).toBe(true);
      const third = [step('b', { visit: 2, backTo: ['a'], startedAt: NOW + 2, finishedAt: NOW + 2 }), opened('a', 3), opened('b', 3)];
      expect(await storage.advanceRun(afterTurns(lease), runningTurn({ steps: third }))).toBe(true);
      const visits = (await storage.getRun(lease.runId))?.steps ?? [];
      expect(visits.slice(0, 4)).toEqual([...first, second[0], third[0]]);
      expect(visits.slice(4)).toHaveLength(2);
      expect(visits.slice(4)).toEqual(expect.arrayContaining(third.slice(1)));
      await at(NOW).releaseRun(afterTurns(lease, 2), 0);
      const [claimed] = await dueRuns();
      expect(claimed?.steps.toSorted((a, b) => a.step.localeCompare(b.step))).toEqual(third.slice(1));
    });

    test('may have several visits in the commit that makes its run', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const steps = [
        step('a'),
        step('a', { visit: 2, backTo: ['a'] }),
        step('b', { visit: 12, backTo: ['a', 'c'], chosen: [] }),
        opened('a', 3),
      ];
      const { lease, steps: claimed } = await addClaimedRun(await addSink(), { turn: { steps } });
      expect((await storage.getRun(lease.runId))?.steps).toEqual(steps);
      expect(claimed.toSorted((a, b) => a.step.localeCompare(b.step))).toEqual([steps[3], steps[2]]);
    });

    test('for each item of a list is handed out with the ends of the items and the visits of those that have not ended', async () => {
      const { addSink, addClaimedRun } = workbench();
      const waiting = step('each', { status: 'waiting', outputs: null, finishedAt: null });
      const needed = [waiting, step('each[]'), step('each[].a', { visit: 2 }), opened('each[].b', 2), step('each[]', { visit: 3 })];
      const others = [step('each[].a'), step('each[].b'), step('each[].a', { visit: 3 })];
      const ofEnded = [step('done'), step('done[]'), step('done[].a'), step('done[]', { visit: 2 }), step('done[].a', { visit: 2 })];
      const { steps } = await addClaimedRun(await addSink(), { turn: { steps: [...needed, ...others, ...ofEnded] } });
      const shown = (records: readonly { step: string; visit: number }[]) =>
        records.map(({ step: name, visit }) => `${name} ${visit}`).sort();
      expect(shown(steps)).toEqual(shown([...needed, step('done')]));
    });

    test('is refused a second result for a visit, and not one for the next', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink(), { turn: { steps: [step('a'), step('a', { visit: 2 })] } });
      const third = step('a', { visit: 3 });
      for (const visit of [1, 2]) expect(await storage.advanceRun(lease, runningTurn({ steps: [step('a', { visit })] }))).toBe(false);
      expect(await storage.advanceRun(lease, runningTurn({ steps: [third] }))).toBe(true);
      expect(await storage.advanceRun(afterTurns(lease), runningTurn({ steps: [third] }))).toBe(false);
      expect(await storage.advanceRun(afterTurns(lease), runningTurn({ steps: [opened('a', 4)] }))).toBe(true);
      expect(await storage.advanceRun(afterTurns(lease, 2), runningTurn({ steps: [step('a', { visit: 4, backTo: ['a'] })] }))).toBe(true);
      expect((await storage.getRun(lease.runId))?.steps.map(({ visit, status, attempt }) => [visit, status, attempt])).toEqual(
        [1, 2, 3, 4].map((visit) => [visit, 'completed', 1]),
      );
    });

    test('has a delivery for each visit, each with an id and attempts of its own', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      const origin = newOrigin();
      const background = [1, 2, 11].map((visit) =>
        newDelivery(lease.runId, 0, { id: deliveryIdOf(lease.runId, 0, visit), origin, isAwaited: false }),
      );
      expect(await storage.advanceRun(lease, runningTurn({ deliveries: background }))).toBe(true);
      const second = background[1]?.id ?? '';
      const claimed = await claim(origin, NOW, 10);
      expect(claimed.map(({ id }) => id)).toEqual(background.map(({ id }) => id));
      const taken = claimed.find(({ id }) => id === second);
      expect(await storage.recordAttempt({ id: second, epoch: taken?.epoch ?? 0 }, attemptOf(1, answered(500)), FAILED, null)).toBe(
        'recorded',
      );
      expect(await Promise.all(background.map(({ id }) => statusOf(id)))).toEqual(['sending', 'failed', 'sending']);
      expect((await storage.getDelivery(second))?.tries).toHaveLength(1);
      expect((await storage.listDeliveries({ runId: lease.runId, limit: 10 })).map(({ id }) => id)).toEqual(
        background.map(({ id }) => id).toReversed(),
      );
      expect(await at(NOW).retryDeliveries([second, deliveryIdOf(lease.runId, 0, 3)])).toEqual([{ id: second, origin }]);
    });

    test('is brought the result of the delivery of its last visit, and of none before', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      const origin = newOrigin();
      const deliveries = [1, 2].map((visit) => newDelivery(lease.runId, 0, { id: deliveryIdOf(lease.runId, 0, visit), origin }));
      const [first, second] = deliveries as [(typeof deliveries)[0], (typeof deliveries)[0]];
      await storage.advanceRun(lease, waitingFor(first));
      const { id, epoch } = await claimOne(origin);
      await storage.recordAttempt({ id, epoch }, attemptOf(1, answered(500)), FAILED, null);
      const [run] = await dueRuns();
      if (run === undefined) throw new Error('the run was not due');
      const ended = step('s0', { status: 'failed', chosen: ['s0'], error: { code: 'x', message: 'y' } });
      const again = { ...waitingStep('s0'), visit: 2, backTo: ['s0'] };
      expect(await storage.advanceRun(run.lease, waitingFor(second, { steps: [ended, again] }))).toBe(true);
      // The first one is tried again by hand: the run has nothing more to do with it.
      expect(await at(NOW).retryDeliveries([first.id])).toHaveLength(1);
      const held = await claim(origin, NOW + 1000);
      const [one, two] = [first, second].map((delivery) => held.find((other) => other.id === delivery.id));
      if (one === undefined || two === undefined) throw new Error('two deliveries were due');
      expect([one.isAwaited, two.isAwaited]).toEqual([false, true]);
      await storage.recordAttempt({ id: one.id, epoch: one.epoch }, attemptOf(2, answered(200)), DELIVERED, null);
      expect(await dueRuns(NOW + 100_000)).toEqual([]);
      await storage.recordAttempt({ id: two.id, epoch: two.epoch }, attemptOf(1, answered(201)), DELIVERED, null);
      const [due] = await dueRuns(NOW + 100_000);
      expect(due?.results).toMatchObject([{ step: 's0', result: { status: 201 } }]);
      expect(due?.steps).toEqual([again]);
    });
  });
}
