// Several runs in one call: all of them are stored, or none.

import { describe, expect, test } from 'vitest';
import { completedTurn, type Workbench } from '../workbench.ts';

export function creatingSeveralContract(workbench: () => Workbench): void {
  describe('createRuns', () => {
    const HOUR = 3_600_000;
    const key = (name: string, fingerprint = 'f') => ({ idempotency: { key: name, fingerprint, keepMs: HOUR } });

    test('stores every run, as createRun does, and the same call again has the same result', async () => {
      const { storage, addSink, newRun } = workbench();
      const sink = await addSink();
      const runs = Array.from({ length: 20 }, (_, index) => newRun(sink, key(`several-${index}`)));
      for (let time = 0; time < 2; time += 1)
        expect(await storage.createRuns(runs)).toEqual({ isStored: true, results: runs.map(() => ({ kind: 'created' })) });
      for (const { runId } of runs) expect(await storage.getRun(runId)).not.toBeNull();
    });

    test('joins runs that have the same key, in the list and before it', async () => {
      const { storage, addSink, newRun } = workbench();
      const sink = await addSink();
      const earlier = newRun(sink, key('earlier'));
      await storage.createRun(earlier);
      const [first, twin, other] = [newRun(sink, key('twin')), newRun(sink, key('twin')), newRun(sink, key('earlier'))];
      expect(await storage.createRuns([first, twin, other])).toEqual({
        isStored: true,
        results: [
          { kind: 'created' },
          { kind: 'duplicate', runId: first.runId, sameRequest: true },
          { kind: 'duplicate', runId: earlier.runId, sameRequest: true },
        ],
      });
      expect(await storage.getRun(twin.runId)).toBeNull();
    });

    test('stores nothing when one of them cannot be stored', async () => {
      const { storage, addSink, newRun } = workbench();
      const sink = await addSink();
      await storage.createRun(newRun(sink, key('taken')));
      const [first, refused, last] = [newRun(sink, key('a')), newRun(sink, key('taken', 'another')), newRun(sink, key('b'))];
      const { isStored, results } = await storage.createRuns([first, refused, last]);
      expect([isStored, results.at(-1)]).toEqual([false, expect.objectContaining({ kind: 'duplicate', sameRequest: false })]);
      for (const { runId } of [first, refused, last]) expect(await storage.getRun(runId)).toBeNull();
      expect(await storage.createRuns([first, last])).toEqual({ isStored: true, results: [{ kind: 'created' }, { kind: 'created' }] });
    });

    test('stores nothing when a sink is unknown', async () => {
      const { storage, addSink, newRun } = workbench();
      const sink = await addSink();
      const run = newRun(sink);
      await expect(storage.createRuns([run, { ...newRun(sink), sinkId: 'snk_none' }])).rejects.toThrow();
      expect(await storage.getRun(run.runId)).toBeNull();
    });

    test('under one key has one result for each call with the key, whatever the runs of that call are', async () => {
      const { storage, addSink, newRun } = workbench();
      const sink = await addSink();
      const shared = key('request').idempotency;
      const runs = [newRun(sink), newRun(sink), newRun(sink)];
      const created = { isStored: true, results: runs.map(() => ({ kind: 'created' })) };
      for (let time = 0; time < 2; time += 1) expect(await storage.createRuns(runs, shared)).toEqual(created);
      const runIds = runs.map(({ runId }) => runId);
      for (const others of [[newRun(sink)], [newRun(sink), newRun(sink), newRun(sink), newRun(sink)]]) {
        const refused = { isStored: false, results: [], earlier: { runIds, sameRequest: true } };
        expect(await storage.createRuns(others, shared)).toEqual(refused);
        expect(await storage.createRuns(others, { ...shared, fingerprint: 'another' })).toEqual({
          ...refused,
          earlier: { runIds, sameRequest: false },
        });
        for (const { runId } of others) expect(await storage.getRun(runId)).toBeNull();
      }
      expect(await storage.createRun(newRun(sink, { idempotency: shared }))).toMatchObject({ kind: 'duplicate', runId: runIds[0] });
    });

    test('under the key of one earlier run joins that run', async () => {
      const { storage, addSink, newRun } = workbench();
      const sink = await addSink();
      const single = newRun(sink, key('single'));
      await storage.createRun(single);
      expect(await storage.createRuns([newRun(sink), newRun(sink)], key('single').idempotency)).toEqual({
        isStored: false,
        results: [],
        earlier: { runIds: [single.runId], sameRequest: true },
      });
    });

    test('under a key whose first run was removed have nothing to do with the runs beside it', async () => {
      const { storage, addSink, newRun, at } = workbench();
      const sink = await addSink();
      const shared = key('removed').idempotency;
      const [first, second] = [newRun(sink, { turn: completedTurn(1) }), newRun(sink)];
      await storage.createRuns([first, second], shared);
      await at(first.createdAt + 10).pruneRuns({ before: first.createdAt + 5, maxBytes: null, limit: 100_000 });
      expect([await storage.getRun(first.runId), await storage.getRun(second.runId)]).toEqual([null, expect.anything()]);
      const [third, fourth] = [newRun(sink), newRun(sink)];
      expect(await storage.createRuns([third, fourth], shared)).toMatchObject({ isStored: true });
      expect((await storage.createRuns([newRun(sink)], shared)).earlier?.runIds).toEqual([third.runId, fourth.runId]);
    });

    test('leaves the key free when one of the runs cannot be stored', async () => {
      const { storage, addSink, newRun } = workbench();
      const sink = await addSink();
      const shared = key('free').idempotency;
      const earlier = newRun(sink);
      await storage.createRun(earlier);
      const [first, second] = [newRun(sink), newRun(sink)];
      const clash = { ...second, runId: earlier.runId.slice(0, -1) + (earlier.runId.endsWith('a') ? 'b' : 'a') };
      expect((await storage.createRuns([first, clash], shared)).isStored).toBe(false);
      expect(await storage.createRuns([first, second], shared)).toMatchObject({ isStored: true });
    });

    test('stores nothing of an empty list', async () => {
      expect(await workbench().storage.createRuns([])).toEqual({ isStored: true, results: [] });
    });
  });
}
