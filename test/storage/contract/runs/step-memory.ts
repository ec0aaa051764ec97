// Storage contract: what steps remember between runs. A run says which version it read, and one that planned on an
// older one is refused.

import { describe, expect, test } from 'vitest';
import { afterTurns, completedTurn, NOW, runningTurn, step, upTo, type Workbench } from '../workbench.ts';

export function stepMemoryContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);
  describe('memory', () => {
    test('is empty at first, and counts its versions', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      expect(await storage.readMemory(sink.id, ['a', 'b'])).toEqual([]);
      await addRun(sink, { turn: { memory: [{ key: 'a', version: 0, next: 1, value: '{"n":1.0}' }] } });
      expect(await storage.readMemory(sink.id, ['a', 'b'])).toEqual([{ key: 'a', version: 1, value: '{"n":1.0}' }]);
      await addRun(sink, { turn: { memory: [{ key: 'a', version: 1, next: 2, value: '2' }] } });
      expect(await storage.readMemory(sink.id, ['a'])).toEqual([{ key: 'a', version: 2, value: '2' }]);
    });

    test('is of one sink, and of the keys that are asked for', async () => {
      const { storage, addSink, addRun } = workbench();
      const [one, other] = [await addSink(), await addSink()];
      const keys = ['a', "'; DROP TABLE runs", '', '\u0000', 'ä "b"'];
      await addRun(one, { turn: { memory: keys.map((key, index) => ({ key, version: 0, next: 1, value: String(index) })) } });
      expect(await storage.readMemory(other.id, keys)).toEqual([]);
      expect(await storage.readMemory('snk_none', keys)).toEqual([]);
      expect(await storage.readMemory(one.id, [])).toEqual([]);
      expect(await storage.readMemory(one.id, ['ä "b"', 'none'])).toEqual([{ key: 'ä "b"', version: 1, value: '4' }]);
      expect(await storage.readMemory(one.id, keys)).toHaveLength(keys.length);
    });

    test('that was only read is left as it was', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      await addRun(sink, { turn: { memory: [{ key: 'a', version: 0, next: 1, value: null }] } });
      expect(await storage.readMemory(sink.id, ['a'])).toEqual([]);
      await addRun(sink, { turn: { memory: [{ key: 'a', version: 0, next: 1, value: '1' }] } });
      await addRun(sink, { turn: { memory: [{ key: 'a', version: 1, next: 2, value: null }] } });
      expect(await storage.readMemory(sink.id, ['a'])).toEqual([{ key: 'a', version: 1, value: '1' }]);
    });

    test('has a version of its own for each value, so that a run that was planned on a refused one is refused too', async () => {
      const { storage, addSink, addRun, newRun } = workbench();
      const sink = await addSink();
      await addRun(sink, { turn: { memory: [{ key: 'a', version: 0, next: 71, value: '"first"' }] } });
      const second = newRun(sink, { turn: { memory: [{ key: 'a', version: 0, next: 72, value: '"second"' }] } });
      const third = newRun(sink, { turn: { memory: [{ key: 'a', version: 72, next: 73, value: '"third"' }] } });
      expect(await storage.createRun(second)).toEqual({ kind: 'memory_changed' });
      expect(await storage.createRun(third)).toEqual({ kind: 'memory_changed' });
      expect(await storage.readMemory(sink.id, ['a'])).toEqual([{ key: 'a', version: 71, value: '"first"' }]);
    });

    test('that has changed since it was read keeps a new run from being stored, and its idempotency key free', async () => {
      const { storage, addSink, addRun, newRun } = workbench();
      const sink = await addSink();
      await addRun(sink, { turn: { memory: [{ key: 'a', version: 0, next: 1, value: '1' }] } });
      const idempotency = { key: 'k', fingerprint: 'f', keepMs: 1000 };
      const use = (version: number, value: string | null) => [
        { key: 'b', version: 0, next: 1, value: '5' },
        { key: 'a', version, next: version + 1, value },
      ];
      for (const [version, value] of [
        [0, '2'],
        [0, null],
        [2, '2'],
      ] as const) {
        const run = newRun(sink, { idempotency, turn: { memory: use(version, value) } });
        expect(await storage.createRun(run)).toEqual({ kind: 'memory_changed' });
        expect(await storage.getRun(run.runId)).toBeNull();
      }
      expect(await storage.readMemory(sink.id, ['a', 'b'])).toEqual([{ key: 'a', version: 1, value: '1' }]);
      expect(await storage.createRun(newRun(sink, { idempotency, turn: { memory: use(1, '2') } }))).toMatchObject({ kind: 'created' });
    });

    test('that has changed since it was read refuses the turn, and the run is due at once, to be planned anew', async () => {
      const { storage, addSink, addRun, addClaimedRun } = workbench();
      const sink = await addSink();
      const { lease } = await addClaimedRun(sink);
      await addRun(sink, { turn: { ...completedTurn(1), memory: [{ key: 'a', version: 0, next: 1, value: '1' }] } });
      const turn = completedTurn(2, { steps: [step('s')], memory: [{ key: 'a', version: 0, next: 1, value: '2' }], at: NOW + 5 });
      expect(await at(NOW + 5).advanceRun(lease, turn)).toBe(false);
      expect(await storage.readMemory(sink.id, ['a'])).toEqual([{ key: 'a', version: 1, value: '1' }]);
      expect(await storage.getRun(lease.runId)).toMatchObject({ status: 'queued', steps: [] });
      expect(await at(NOW + 4).claimDueRuns(upTo(10))).toEqual([]);
      const [again] = await at(NOW + 5).claimDueRuns(upTo(10));
      expect(again?.lease.runId).toBe(lease.runId);
      expect(await storage.advanceRun(lease, runningTurn({})), 'the old lease is stale').toBe(false);
      const replanned = { ...turn, memory: [{ key: 'a', version: 1, next: 2, value: '2' }] };
      expect(await storage.advanceRun(again?.lease ?? lease, replanned)).toBe(true);
      expect(await storage.readMemory(sink.id, ['a'])).toEqual([{ key: 'a', version: 2, value: '2' }]);
    });

    test('is not changed by a turn that is refused for another reason', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const sink = await addSink();
      const { lease: outdated } = await addClaimedRun(sink);
      await storage.advanceRun(outdated, runningTurn({ steps: [step('done')] }));
      await storage.advanceRun(afterTurns(outdated), runningTurn({}));
      const lease = afterTurns(outdated, 2);
      const memory = [{ key: 'a', version: 0, next: 1, value: '1' }];
      const stale = { ...lease, epoch: lease.epoch + 1 };
      expect(await storage.advanceRun(stale, runningTurn({ memory }))).toBe(false);
      expect(await storage.advanceRun(outdated, runningTurn({ memory }))).toBe(false);
      expect(await storage.advanceRun(lease, runningTurn({ memory, steps: [step('done')] }))).toBe(false);
      expect(await storage.readMemory(sink.id, ['a'])).toEqual([]);
      expect(await storage.advanceRun(lease, runningTurn({ memory })), 'the run is still ours').toBe(true);
    });

    test('is changed by one of those that change it at the same time', async () => {
      const { storage, addSink, newRun } = workbench();
      const sink = await addSink();
      const runs = Array.from({ length: 20 }, (_, index) =>
        newRun(sink, { turn: { ...completedTurn(1), memory: [{ key: 'a', version: 0, next: 1, value: String(index) }] } }),
      );
      const results = await Promise.all(runs.map((run) => storage.createRun(run)));
      expect(results.map(({ kind }) => kind).sort()).toEqual(['created', ...Array.from({ length: 19 }, () => 'memory_changed')]);
      const winner = results.findIndex(({ kind }) => kind === 'created');
      expect(await storage.readMemory(sink.id, ['a'])).toEqual([{ key: 'a', version: 1, value: String(winner) }]);
    });
  });
}
