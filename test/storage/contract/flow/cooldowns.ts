// Storage contract: a cooldown of a sink skips the runs that come soon after an accepted one.

import { describe, expect, test } from 'vitest';
import type { FlowSetting } from '../../../../src/core/sink/limits/flow-setting.ts';
import type { NewRun } from '../../../../src/storage/runs/run-records.ts';
import { FlowBench } from '../runs/flow-control.ts';
import { NOW, type Owners } from '../workbench.ts';

const PLAIN: FlowSetting = { maxConcurrent: null, orderingKey: null, overflow: 'queue', queueLimit: 1000, debounce: null };
const COOLDOWN = { seconds: 60, key: '$request.body.camera' };
const KEYED = { ...PLAIN, cooldown: COOLDOWN };
const due = (createdAt = NOW) => ({ kind: 'created', flow: { state: 'due', dueAt: createdAt, superseded: [] } });
const skipped = { kind: 'created', flow: { state: 'skipped', dueAt: null, superseded: [] } };

export function flowCooldownsContract({ one, other }: Owners): void {
  const open = async (flow: FlowSetting): Promise<FlowBench> => new FlowBench(one(), await one().addSink({ flow }));
  const createAt = (bench: FlowBench, ms: number, key = '', fields: Partial<NewRun> = {}) => {
    bench.workbench.at(NOW + ms);
    return bench.workbench.storage.createRun(bench.newRun(key, { createdAt: NOW + ms, ...fields }));
  };

  describe('a cooldown', () => {
    test('skips runs of the key for its time, counted from the accepted run and not from skipped ones', async () => {
      const bench = await open(KEYED);
      expect(await createAt(bench, 0, 'a')).toEqual(due());
      await bench.drain();
      expect(await createAt(bench, 30_000, 'a')).toEqual(skipped);
      expect(await createAt(bench, 59_999, 'a')).toEqual(skipped);
      expect(await createAt(bench, 59_999, 'b')).toEqual(due(NOW + 59_999));
      expect(await createAt(bench, 60_000, 'a')).toEqual(due(NOW + 60_000));
      expect(await createAt(bench, 119_999, 'a')).toEqual(skipped);
    });

    test('holds for all owners, whichever comes first', async () => {
      const bench = await open({ ...PLAIN, cooldown: { seconds: 60, key: null } });
      const theirs = new FlowBench(other(), bench.sink);
      const both = Array.from({ length: 6 }, (_, n) => (n % 2 === 0 ? bench : theirs));
      const results = await Promise.all(both.map((of, n) => of.workbench.storage.createRun(of.newRun(`${n}`))));
      expect(results.filter((result) => 'flow' in result && result.flow?.state === 'due')).toHaveLength(1);
      expect(results.filter((result) => 'flow' in result && result.flow?.state === 'skipped')).toHaveLength(5);
    });

    test('stores a skipped run as ended, gives a repeated call the same result, and leaves the idempotency key free', async () => {
      const bench = await open(KEYED);
      const { storage } = bench.workbench;
      await createAt(bench, 0, 'a');
      const run = bench.newRun('a', { idempotency: { key: 'k', fingerprint: 'f', keepMs: 1e6 } });
      for (let time = 0; time < 2; time += 1) expect(await storage.createRun(run)).toEqual(skipped);
      expect(await bench.outcome(run)).toEqual(['cancelled', 'cooldown']);
      expect((await storage.readEvents(run.runId, 0))?.events.map(({ seq }) => seq)).toEqual([1, 2]);
      expect(await createAt(bench, 60_000, 'a', { idempotency: run.idempotency })).toEqual(due(NOW + 60_000));
    });

    test('is begun by a held run, and by none that is refused or dropped', async () => {
      const held = await open({ ...KEYED, maxConcurrent: 1 });
      expect(await createAt(held, 0, 'a')).toEqual(due());
      expect(await createAt(held, 0, 'b')).toMatchObject({ flow: { state: 'held' } });
      expect(await createAt(held, 1, 'b')).toEqual(skipped);
      const refusing = await open({ ...KEYED, maxConcurrent: 1, overflow: 'reject' });
      await createAt(refusing, 0, 'a');
      expect(await createAt(refusing, 0, 'b')).toMatchObject({ kind: 'refused' });
      await refusing.drain();
      expect(await createAt(refusing, 1, 'b')).toEqual(due(NOW + 1));
    });

    test('of a changed length begins with the next accepted run, and an edit without it ends it', async () => {
      const bench = await open(KEYED);
      await createAt(bench, 0, 'a');
      await bench.edit({ ...KEYED, cooldown: { ...COOLDOWN, seconds: 10 } });
      expect(await createAt(bench, 20_000, 'a')).toEqual(skipped);
      expect(await createAt(bench, 60_000, 'a')).toEqual(due(NOW + 60_000));
      expect(await createAt(bench, 70_000, 'a')).toEqual(due(NOW + 70_000));
      await bench.edit({ ...PLAIN, maxConcurrent: 9 });
      await bench.edit(KEYED);
      expect(await createAt(bench, 70_001, 'a')).toEqual(due(NOW + 70_001));
    });
  });
}
