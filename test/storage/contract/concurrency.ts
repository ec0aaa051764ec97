// Storage contract: what is asked for at the same time is done, or refused, each on its own.

import { describe, expect, test } from 'vitest';
import { afterTurns, completedTurn, NOW, newSink, runningTurn, step, type Workbench } from './workbench.ts';

export function concurrencyContract(workbench: () => Workbench): void {
  describe('operations at the same time', () => {
    test('do not suffer from one among them that is refused', async () => {
      const { storage, addSink, addClaimedRun, newRun } = workbench();
      const sink = await addSink();
      const { lease } = await addClaimedRun(sink);
      const stale = await addClaimedRun(sink);
      await storage.cancelRun(stale.lease.runId);
      const runs = Array.from({ length: 10 }, () => newRun(sink, { turn: completedTurn(1) }));
      const unknown = newRun({ ...sink, id: 'snk_unknown' });
      const clashing = newSink(sink.appId, { path: sink.path });
      const { version } = await storage.loadDefinitions();
      const [created, refusedRun, advanced, refusedTurn, refusedSink, app] = await Promise.allSettled([
        Promise.all(runs.slice(0, 5).map((run) => storage.createRun(run))),
        storage.createRun(unknown),
        storage.advanceRun(lease, runningTurn({ steps: [step('a')] })),
        storage.advanceRun(stale.lease, runningTurn({ steps: [step('a')] })),
        storage.changeDefinitions({
          id: 'refused',
          version,
          changes: [
            { kind: 'put_app', app: { id: 'conc1', name: null }, managedBy: 'api' },
            { kind: 'put_sink', sink: clashing },
          ],
          at: NOW,
        }),
        storage.changeDefinitions({
          id: 'stored',
          version,
          changes: [{ kind: 'put_app', app: { id: 'conc2', name: null }, managedBy: 'api' }],
          at: NOW,
        }),
        Promise.all(runs.slice(5).map((run) => storage.createRun(run))),
      ]);
      expect(created).toMatchObject({ status: 'fulfilled' });
      expect(refusedRun).toMatchObject({ status: 'rejected' });
      expect(advanced).toEqual({ status: 'fulfilled', value: true });
      expect(refusedTurn).toEqual({ status: 'fulfilled', value: false });
      expect(refusedSink).toMatchObject({ status: 'rejected', reason: { code: 'conflict' } });
      expect(app).toMatchObject({ status: 'fulfilled', value: { kind: 'changed', definitions: { version: version + 1 } } });
      for (const { runId } of runs) expect((await storage.getRun(runId))?.status).toBe('completed');
      expect((await storage.getRun(lease.runId))?.steps).toEqual([step('a')]);
      expect(await storage.getRun(unknown.runId)).toBeNull();
      const { apps } = await storage.loadDefinitions();
      expect(apps.map(({ id }) => id).filter((id) => id.startsWith('conc'))).toEqual(['conc2']);
    });

    test('on one run let one turn through', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      // The storage cannot tell the turns of one lease apart: further ones are the same call again.
      const same = await Promise.all(Array.from({ length: 10 }, () => storage.advanceRun(lease, completedTurn(2))));
      expect(same).toEqual(Array.from({ length: 10 }, () => true));
      expect(await storage.advanceRun(afterTurns(lease), completedTurn(3))).toBe(false);
      expect((await storage.readEvents(lease.runId, 0))?.events.map(({ seq }) => seq)).toEqual([1, 2]);
    });

    test('are seen by whoever reads once they have resolved', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      await Promise.all(
        Array.from({ length: 200 }, async () => {
          const { runId } = await addRun(sink, { turn: completedTurn(1) });
          expect((await storage.getRun(runId))?.status).toBe('completed');
        }),
      );
      expect(await storage.listRuns({ sinkId: sink.id, limit: 500 })).toHaveLength(200);
    });

    test('resolve a ping after all earlier writes', async () => {
      const { storage, addSink, newRun } = workbench();
      const run = newRun(await addSink());
      void storage.createRun(run);
      await storage.ping();
      expect(await storage.getRun(run.runId)).not.toBeNull();
    });
  });
}
