// Storage contract: one turn of a run, stored whole under its lease or not at all.

import { describe, expect, test } from 'vitest';
import { LEASE_MS } from '../../../../src/leases/lease.ts';
import type { Lease, Turn } from '../../../../src/storage/runs/run-records.ts';
import type { Storage } from '../../../../src/storage/storage.ts';
import { afterTurns, completedTurn, NOW, progress, runningTurn, step, upTo, type Workbench } from '../workbench.ts';

export function advancingRunsContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);
  const recover: Workbench['recover'] = (ms) => workbench().recover(ms);
  /** Everything that can be seen of a run. */
  async function seen(storage: Storage, runId: string): Promise<unknown> {
    return [await storage.getRun(runId), await storage.readEvents(runId, 0)];
  }

  async function expectRefused(storage: Storage, lease: Lease, turn: Turn): Promise<void> {
    const before = await seen(storage, lease.runId);
    expect(await storage.advanceRun(lease, turn)).toBe(false);
    expect(await seen(storage, lease.runId)).toEqual(before);
  }

  const nextTurn = (): Turn => runningTurn({ progress: 50, events: [progress(2, 50)], lastSeq: 2, steps: [step('a')] });

  describe('advanceRun', () => {
    test('writes status, progress, steps and events of a turn together', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      const events = [progress(2, 40), progress(3, 50)];
      const waiting = step('b', { status: 'waiting', outputs: null, finishedAt: null, dueAt: NOW + 5000 });
      const turn = runningTurn({
        status: 'waiting',
        progress: 50,
        events,
        lastSeq: 3,
        steps: [step('a'), waiting],
        wakeAt: NOW + 5000,
      });
      expect(await storage.advanceRun(lease, turn)).toBe(true);
      expect(await storage.getRun(lease.runId)).toMatchObject({ status: 'waiting', progress: 50, lastSeq: 3, steps: [step('a'), waiting] });
      expect((await storage.readEvents(lease.runId, 1))?.events).toEqual(events);
    });

    test('ends a run with the event that its output makes', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      expect(await storage.advanceRun(lease, completedTurn(3, { events: [progress(2, 100)], at: NOW + 9 }))).toBe(true);
      expect(await storage.getRun(lease.runId)).toMatchObject({
        status: 'completed',
        progress: 100,
        finishedAt: NOW + 9,
        output: '{"ok":true}',
      });
      const stored = await storage.readEvents(lease.runId, 2);
      expect(stored).toMatchObject({ ended: true, events: [{ seq: 3, outcome: { status: 'completed' } }] });
    });

    test('brings a step that waits to its end, wherever it was first written', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const waiting = step('pause', { status: 'waiting', outputs: null, finishedAt: null, dueAt: NOW });
      const { lease, steps } = await addClaimedRun(await addSink(), { turn: { steps: [step('first'), waiting] } });
      expect(steps).toEqual([step('first'), waiting]);
      expect(
        await storage.advanceRun(lease, runningTurn({ steps: [step('pause'), step('later', { status: 'running', outputs: null })] })),
      ).toBe(true);
      expect(await storage.advanceRun(afterTurns(lease), runningTurn({ steps: [step('later', { attempt: 2, startedAt: NOW + 1 })] }))).toBe(
        true,
      );
      expect((await storage.getRun(lease.runId))?.steps).toEqual([
        step('first'),
        step('pause'),
        step('later', { attempt: 2, startedAt: NOW + 1 }),
      ]);
    });

    test.each([
      ['claimed again', () => at(NOW + LEASE_MS).claimDueRuns(upTo(1000))],
      ['cancelled', ({ runId }: Lease) => at(NOW).cancelRun(runId)],
      ['released', (lease: Lease) => at(NOW).releaseRun(lease, 0)],
      ['recovered', () => recover(NOW)],
    ])('changes nothing once the run was %s', async (_what, happen) => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      await happen(lease);
      await expectRefused(storage, lease, nextTurn());
      await expectRefused(storage, lease, completedTurn(2));
    });

    test('changes nothing once the run has ended', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      await storage.advanceRun(lease, completedTurn(2));
      await expectRefused(storage, afterTurns(lease), nextTurn());
      await expectRefused(
        storage,
        afterTurns(lease),
        completedTurn(3, { status: 'failed', output: null, error: { code: 'x', message: 'y' } }),
      );
    });

    test('changes nothing once the run has been removed', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink(), { createdAt: NOW - 1000 });
      await storage.cancelRun(lease.runId);
      await storage.pruneRuns({ before: NOW, maxBytes: null, limit: 1000 });
      expect(await storage.getRun(lease.runId)).toBeNull();
      expect(await storage.advanceRun(lease, nextTurn())).toBe(false);
    });

    test('changes nothing under a lease that nobody was given', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      await expectRefused(storage, { ...lease, epoch: lease.epoch + 1 }, nextTurn());
    });

    test('changes nothing when it was planned on fewer turns, or on more, than are stored', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      await expectRefused(storage, afterTurns(lease), nextTurn());
      await storage.advanceRun(lease, nextTurn());
      await storage.advanceRun(afterTurns(lease), runningTurn({ progress: 60, events: [progress(3, 60)], lastSeq: 3 }));
      const late = runningTurn({ progress: 70, events: [progress(4, 70)], lastSeq: 4, steps: [step('late')] });
      await expectRefused(storage, lease, late);
      await expectRefused(storage, afterTurns(lease, 3), late);
      expect(await storage.advanceRun(afterTurns(lease, 2), late)).toBe(true);
    });

    test('counts the stored turns in the lease of each later claim, and the first turn is one', async () => {
      const { storage, addSink, addRun } = workbench();
      const { runId } = await addRun(await addSink());
      for (const turns of [1, 2, 3]) {
        const [claimed] = await at(NOW).claimDueRuns(upTo(10));
        expect(claimed?.lease).toMatchObject({ runId, turns });
        const lease = claimed?.lease as Lease;
        await storage.advanceRun(lease, runningTurn({ status: 'waiting', wakeAt: NOW }));
      }
    });

    test('begins the lease of a running run anew', async () => {
      const { addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      await at(NOW + 100).advanceRun(lease, nextTurn());
      expect(await at(NOW + 99 + LEASE_MS).claimDueRuns(upTo(10))).toEqual([]);
      expect(await at(NOW + 100 + LEASE_MS).claimDueRuns(upTo(10))).toMatchObject([{ lease: { runId: lease.runId } }]);
    });

    test.each(['completed', 'skipped', 'failed'] as const)(
      'never writes a %s step again, and nothing else of that turn',
      async (status) => {
        const { storage, addSink, addClaimedRun } = workbench();
        const ended = step('a', { status, error: status === 'failed' ? { code: 'x', message: 'y' } : null });
        const { lease } = await addClaimedRun(await addSink(), { turn: { steps: [ended] } });
        await storage.advanceRun(lease, runningTurn({ steps: [{ ...ended, step: 'b' }] }));
        for (const repeated of ['a', 'b']) {
          const steps = [step('c'), step(repeated, { attempt: 2 })];
          await expectRefused(storage, afterTurns(lease), runningTurn({ progress: 90, events: [progress(2, 90)], lastSeq: 2, steps }));
        }
        expect(await storage.advanceRun(afterTurns(lease), runningTurn({ steps: [step('c')] }))).toBe(true);
      },
    );
  });
}
