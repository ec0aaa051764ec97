// Storage contract: one turn of a run, written whole under its lease or not at all.

import { describe, expect, test } from 'vitest';
import type { ProgressEvent } from '../../../src/core/run/run-event.ts';
import type { Lease, Turn } from '../../../src/storage/run-records.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { completedTurn, LEASE_MS, NOW, progress, runningTurn, step, upTo, type Workbench } from './workbench.ts';

export function advancingRunsContract(workbench: () => Workbench): void {
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
      expect(await storage.advanceRun(lease, runningTurn({ steps: [step('later', { attempt: 2, startedAt: NOW + 1 })] }))).toBe(true);
      expect((await storage.getRun(lease.runId))?.steps).toEqual([
        step('first'),
        step('pause'),
        step('later', { attempt: 2, startedAt: NOW + 1 }),
      ]);
    });

    test.each([
      ['claimed by somebody else', (storage: Storage) => storage.claimDueRuns(NOW + LEASE_MS, NOW + 2 * LEASE_MS, upTo(1000))],
      ['cancelled', (storage: Storage, { runId }: Lease) => storage.cancelRun(runId, NOW)],
      ['given back', (storage: Storage, lease: Lease) => storage.releaseRun(lease, NOW)],
      ['recovered', (storage: Storage) => storage.recoverRuns(NOW)],
    ])('changes nothing once the run was %s', async (_what, happen) => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      await happen(storage, lease);
      await expectRefused(storage, lease, nextTurn());
      await expectRefused(storage, lease, completedTurn(2));
    });

    test('changes nothing once the run has ended', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      await storage.advanceRun(lease, completedTurn(2));
      await expectRefused(storage, lease, nextTurn());
      await expectRefused(storage, lease, completedTurn(3, { status: 'failed', output: null, error: { code: 'x', message: 'y' } }));
    });

    test('changes nothing under a lease that nobody was given', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      await expectRefused(storage, { ...lease, epoch: lease.epoch + 1 }, nextTurn());
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
          await expectRefused(storage, lease, runningTurn({ progress: 90, events: [progress(2, 90)], lastSeq: 2, steps }));
        }
        expect(await storage.advanceRun(lease, runningTurn({ steps: [step('c')] }))).toBe(true);
      },
    );
  });

  describe('readEvents', () => {
    test('gives exactly the events after each position, however the commits were cut', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const sink = await addSink();
      const told = (seq: number): ProgressEvent =>
        progress(seq, seq * 10, [{}, { step: 'a' }, { message: 'line\n"2"' }, { step: 'b-2', message: '' }][seq % 4]);
      const { lease } = await addClaimedRun(sink, { turn: { events: [1, 2, 3].map(told), lastSeq: 3 } });
      const turn = (...seqs: number[]) =>
        storage.advanceRun(lease, runningTurn({ events: seqs.map(told), lastSeq: seqs.at(-1) as number }));
      await turn(4);
      await turn(5, 6, 7);
      expect(await storage.readEvents(lease.runId, 7)).toEqual({ events: [], ended: false, sinkId: sink.id });
      expect(await storage.findStream(lease.runId)).toMatchObject({ lastSeq: 7, ended: false, sinkId: sink.id });
      await turn(8, 9);
      await storage.advanceRun(lease, completedTurn(10));
      expect(await storage.findStream(lease.runId)).toMatchObject({ lastSeq: 10, ended: true, sinkId: sink.id });
      for (let after = 0; after <= 11; after += 1) {
        const stored = await storage.readEvents(lease.runId, after);
        expect(stored?.ended).toBe(true);
        const expected = [
          ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map(told),
          { seq: 10, outcome: { status: 'completed', output: '{"ok":true}', error: null } },
        ];
        expect(stored?.events).toEqual(expected.filter(({ seq }) => seq > after));
      }
    });

    test.each([
      ['is not stored', 'run_01kyaa00000aaaaaaaaaaaaaaaaaaaa'],
      ['cannot be one', 'run_x'],
      ['is another run but for its random part', null],
    ])('knows no run by an id that %s', async (_what, id) => {
      const { storage, addSink, addRun } = workbench();
      const { runId } = await addRun(await addSink());
      const asked = id ?? `${runId.slice(0, -1)}${runId.endsWith('0') ? '1' : '0'}`;
      expect(await storage.readEvents(asked, 0)).toBeNull();
      expect(await storage.findStream(asked)).toBeNull();
      expect(await storage.getRun(asked)).toBeNull();
      expect(await storage.cancelRun(asked, NOW)).toBeNull();
    });
  });
}
