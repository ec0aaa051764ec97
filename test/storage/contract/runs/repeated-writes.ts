// Storage contract: the same call again, as after a lost answer, has the same result and stores nothing again.

import { describe, expect, test } from 'vitest';
import type { NewRun, Turn } from '../../../../src/storage/runs/run-records.ts';
import { newDelivery, newOrigin, waitingFor } from '../deliveries/delivery-bench.ts';
import { afterTurns, completedTurn, NOW, progress, runningTurn, step, upTo, type Workbench } from '../workbench.ts';

const HOUR = 3_600_000;

export function repeatedWritesContract(workbench: () => Workbench): void {
  /** Everything that can be seen of a run. */
  async function seen(runId: string): Promise<unknown> {
    const { storage } = workbench();
    const deliveries = await storage.listDeliveries({ runId, limit: 100 });
    return [await storage.getRun(runId), await storage.readEvents(runId, 0), deliveries];
  }

  async function createTwice(run: NewRun): Promise<void> {
    const { storage } = workbench();
    const first = await storage.createRun(run);
    expect(first).toEqual({ kind: 'created' });
    const before = await seen(run.runId);
    expect(await storage.createRun(run)).toEqual(first);
    expect(await seen(run.runId)).toEqual(before);
  }

  describe('createRun, called again,', () => {
    test.each<[string, (runId: string) => Partial<Turn>]>([
      ['is running', () => runningTurn({ events: [progress(1, 0)], steps: [step('a')] })],
      ['waits', () => ({})],
      ['waits for a delivery', (runId) => waitingFor(newDelivery(runId, 0, { origin: newOrigin() }), { events: [progress(1, 0)] })],
      ['has ended', () => completedTurn(2, { events: [progress(1, 0)], steps: [step('a')] })],
    ])('has created a run that %s', async (_how, turnOf) => {
      const { addSink, newRun } = workbench();
      const run = newRun(await addSink());
      await createTwice({ ...run, turn: { ...run.turn, ...turnOf(run.runId) } });
    });

    test('has created a run with an idempotency key, which names this run', async () => {
      const { addSink, newRun } = workbench();
      await createTwice(newRun(await addSink(), { idempotency: { key: 'k', fingerprint: 'f', keepMs: HOUR } }));
    });

    test('has created a run with step memory, and counts its version once', async () => {
      const { storage, addSink, newRun } = workbench();
      const sink = await addSink();
      await createTwice(newRun(sink, { turn: { memory: [{ key: 'a', version: 0, next: 1, value: '1' }] } }));
      expect(await storage.readMemory(sink.id, ['a'])).toEqual([{ key: 'a', version: 1, value: '1' }]);
    });

    test('has created a run with a delivery of a full group, and drops nothing more', async () => {
      const { storage, addSink, newRun } = workbench();
      const run = newRun(await addSink());
      const overflow = { policy: 'reject', group: newOrigin(), limit: 1 } as const;
      const delivery = newDelivery(run.runId, 0, { origin: newOrigin(), overflow, isAwaited: false });
      await createTwice({ ...run, turn: completedTurn(2, { deliveries: [delivery] }) });
      expect(await storage.getDelivery(delivery.id)).toMatchObject({ status: 'queued' });
    });

    test('has created the run as long as it is stored, however far it has come', async () => {
      const { storage, addSink, newRun } = workbench();
      const run = newRun(await addSink(), { idempotency: { key: 'k', fingerprint: 'f', keepMs: 1000 } });
      const first = await storage.createRun(run);
      const [claimed] = await storage.claimDueRuns(upTo(1));
      expect(claimed?.lease.runId).toBe(run.runId);
      expect(await storage.createRun(run)).toEqual(first);
      expect(await storage.createRun(run), 'a third time').toEqual(first);
      await storage.cancelRun(run.runId);
      expect(
        await workbench()
          .at(NOW + HOUR)
          .createRun(run),
        'the key has expired',
      ).toEqual(first);
      expect(await storage.getRun(run.runId)).toMatchObject({ status: 'cancelled' });
    });

    test('of the same moment creates the run once', async () => {
      const { storage, addSink, newRun } = workbench();
      const sink = await addSink();
      const run = newRun(sink, {
        idempotency: { key: 'k', fingerprint: 'f', keepMs: HOUR },
        turn: { memory: [{ key: 'a', version: 0, next: 1, value: '1' }] },
      });
      const [first, ...others] = await Promise.all(Array.from({ length: 10 }, () => storage.createRun(run)));
      expect(first).toMatchObject({ kind: 'created' });
      for (const other of others) expect(other).toEqual(first);
      expect(await storage.listRuns({ sinkId: sink.id, limit: 10 })).toHaveLength(1);
    });
  });

  describe('advanceRun, called again,', () => {
    test.each<[string, Partial<Turn>]>([
      ['leaves it running', {}],
      ['lets it wait', { status: 'waiting', wakeAt: NOW + 500 }],
      ['ends it', { status: 'completed', progress: 100, lastSeq: 3, output: '{}' }],
    ])('has stored the turn that %s, once', async (_how, fields) => {
      const { storage, addSink, addClaimedRun } = workbench();
      const sink = await addSink();
      const { lease } = await addClaimedRun(sink);
      const delivery = newDelivery(lease.runId, 0, { origin: newOrigin(), isAwaited: false });
      const turn = runningTurn({
        events: [progress(2, 50)],
        lastSeq: 2,
        steps: [step('a')],
        deliveries: [delivery],
        memory: [{ key: 'a', version: 0, next: 1, value: '1' }],
        ...fields,
      });
      expect(await storage.advanceRun(lease, turn)).toBe(true);
      const before = await seen(lease.runId);
      for (let time = 0; time < 2; time += 1) expect(await storage.advanceRun(lease, turn)).toBe(true);
      expect(await seen(lease.runId)).toEqual(before);
      expect(await storage.readMemory(sink.id, ['a'])).toEqual([{ key: 'a', version: 1, value: '1' }]);
    });

    test('has stored it still when a step memory has changed since', async () => {
      const { storage, addSink, addRun, addClaimedRun } = workbench();
      const sink = await addSink();
      const { lease } = await addClaimedRun(sink);
      const turn = runningTurn({ memory: [{ key: 'a', version: 0, next: 1, value: '1' }] });
      expect(await storage.advanceRun(lease, turn)).toBe(true);
      await addRun(sink, { turn: { memory: [{ key: 'a', version: 1, next: 2, value: '2' }] } });
      expect(await storage.advanceRun(lease, turn)).toBe(true);
      expect(await storage.readMemory(sink.id, ['a'])).toEqual([{ key: 'a', version: 2, value: '2' }]);
      expect(await storage.advanceRun(afterTurns(lease), runningTurn({})), 'the run is still ours').toBe(true);
    });

    test('is refused again', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      const turn = runningTurn({ memory: [{ key: 'a', version: 7, next: 8, value: null }] });
      for (let time = 0; time < 3; time += 1) expect(await storage.advanceRun(lease, turn)).toBe(false);
      expect(await storage.getRun(lease.runId)).toMatchObject({ status: 'queued' });
    });
  });

  test('releaseRun, called again, does nothing', async () => {
    const { at, addSink, addClaimedRun } = workbench();
    const { lease } = await addClaimedRun(await addSink());
    await at(NOW).releaseRun(lease, 500);
    await at(NOW + 100).releaseRun(lease, 900);
    expect(await at(NOW + 499).claimDueRuns(upTo(1))).toEqual([]);
    expect(await at(NOW + 500).claimDueRuns(upTo(1))).toMatchObject([{ lease: { runId: lease.runId } }]);
    await at(NOW + 500).releaseRun(lease, 0);
    expect(await at(NOW + 500).claimDueRuns(upTo(1))).toEqual([]);
  });
}
