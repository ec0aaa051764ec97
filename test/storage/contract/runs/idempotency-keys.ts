// Storage contract: idempotency keys of new runs.

import { describe, expect, test } from 'vitest';
import { NOW, type Workbench } from '../workbench.ts';

const HOUR = 3_600_000;

export function idempotencyKeysContract(workbench: () => Workbench): void {
  describe('an idempotency key', () => {
    const key = (fingerprint: string, keepMs = HOUR) => ({ idempotency: { key: 'order-7', fingerprint, keepMs } });

    test('names the run that has it, when the same request comes again', async () => {
      const { storage, addSink, addRun, newRun } = workbench();
      const sink = await addSink();
      const first = await addRun(sink, key('same'));
      const again = newRun(sink, key('same'));
      expect(await storage.createRun(again)).toEqual({ kind: 'duplicate', runId: first.runId, sameRequest: true });
      expect(await storage.getRun(again.runId)).toBeNull();
    });

    test('tells another request under the same key apart', async () => {
      const { storage, addSink, addRun, newRun } = workbench();
      const sink = await addSink();
      const first = await addRun(sink, key('one'));
      expect(await storage.createRun(newRun(sink, key('two')))).toEqual({ kind: 'duplicate', runId: first.runId, sameRequest: false });
    });

    test('of one sink is free for another', async () => {
      const { addSink, addRun } = workbench();
      await addRun(await addSink(), key('same'));
      await addRun(await addSink(), key('same'));
    });

    test('is free again once it has expired', async () => {
      const { at, addSink, addRun, newRun } = workbench();
      const sink = await addSink();
      const first = await addRun(sink, key('one', 1000));
      const second = newRun(sink, { ...key('two'), createdAt: NOW + 1000 });
      expect(await at(NOW + 999).createRun(second)).toEqual({ kind: 'duplicate', runId: first.runId, sameRequest: false });
      expect(await at(NOW + 1000).createRun(second)).toMatchObject({ kind: 'created' });
    });

    test('goes to one of the requests that come at the same time, and names it to all others', async () => {
      const { storage, addSink, newRun } = workbench();
      const sink = await addSink();
      const runs = Array.from({ length: 20 }, () => newRun(sink, key('same')));
      const results = await Promise.all(runs.map((run) => storage.createRun(run)));
      expect(results.filter(({ kind }) => kind === 'created')).toHaveLength(1);
      const winner = runs[results.findIndex(({ kind }) => kind === 'created')]?.runId;
      const others = results.filter((result) => result.kind === 'duplicate');
      expect(others).toHaveLength(19);
      expect(others.every(({ runId }) => runId === winner)).toBe(true);
      expect(await storage.listRuns({ sinkId: sink.id, limit: 100 })).toHaveLength(1);
    });
  });
}
