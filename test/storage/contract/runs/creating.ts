// Storage contract: a new run with its request and its first turn.

import { describe, expect, test } from 'vitest';
import { completedTurn, NOW, progress, step, type Workbench } from '../workbench.ts';

const HOUR = 3_600_000;

export function creatingRunsContract(workbench: () => Workbench): void {
  describe('createRun', () => {
    test('stores the input of a run as the bytes that came', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      const run = await addRun(sink, {
        bodyKind: 'text',
        bodyCharset: 'iso-8859-1',
        body: everyByte,
        request: '{"method":"POST","id":1.0}',
      });
      const stored = await storage.getRun(run.runId);
      expect(stored && Buffer.from(stored.body).equals(everyByte)).toBe(true);
      expect(stored).toMatchObject({
        id: run.runId,
        appId: sink.appId,
        sinkId: sink.id,
        workflow: null,
        request: '{"method":"POST","id":1.0}',
        bodyKind: 'text',
        bodyCharset: 'iso-8859-1',
        status: 'waiting',
        progress: 0,
        lastSeq: 1,
        createdAt: NOW,
        finishedAt: null,
        output: null,
        error: null,
      });
    });

    test('stores a run that ends within its first turn whole: steps, output, events and all', async () => {
      const { storage, addSink, addRun, newRun } = workbench();
      const sink = await addSink();
      const { runId } = newRun(sink);
      const steps = [
        step('a', { outputs: '{"id":9007199254740993,"price":1.0}' }),
        step('b', { status: 'skipped', outputs: null, attempt: 0 }),
      ];
      const turn = completedTurn(3, {
        events: [progress(1, 0), progress(2, 100)],
        steps,
        output: '{"price":1.0}',
        at: NOW + 7,
      });
      await addRun(sink, { runId, inputs: null, turn });
      expect(await storage.getRun(runId)).toMatchObject({
        status: 'completed',
        progress: 100,
        output: '{"price":1.0}',
        finishedAt: NOW + 7,
        steps,
      });
      expect(await storage.readEvents(runId, 0)).toEqual({
        ended: true,
        sinkId: sink.id,
        events: [progress(1, 0), progress(2, 100), { seq: 3, outcome: { status: 'completed', output: '{"price":1.0}', error: null } }],
      });
    });

    test('stores a run that fails within its first turn with its error as the last event', async () => {
      const { storage, addSink, addRun, newRun } = workbench();
      const sink = await addSink();
      const { runId } = newRun(sink);
      const error = { code: 'failed', message: 'no "stock"\nleft', step: 'a' };
      await addRun(sink, { runId, turn: completedTurn(2, { status: 'failed', events: [progress(1, 0)], output: null, error }) });
      expect(await storage.getRun(runId)).toMatchObject({ status: 'failed', error });
      expect((await storage.readEvents(runId, 1))?.events).toEqual([{ seq: 2, outcome: { status: 'failed', output: null, error } }]);
    });

    test('refuses a run of a sink that is not stored, and stores nothing of it', async () => {
      const { storage, addSink, newRun } = workbench();
      const run = newRun({ ...(await addSink()), id: 'snk_unknown' });
      await expect(storage.createRun(run)).rejects.toThrow(/snk_unknown/);
      expect(await storage.getRun(run.runId)).toBeNull();
    });

    test('says that an id is taken, and leaves the run that has it as it is', async () => {
      const { storage, addSink, addRun, newRun } = workbench();
      const sink = await addSink();
      const first = await addRun(sink);
      const [order, otherNonce] = [first.runId.slice(0, 15), '0'.repeat(20)];
      const idempotency = { key: 'k', fingerprint: 'f', keepMs: HOUR };
      const second = newRun(sink, { runId: `${order}${otherNonce}`, idempotency, body: Buffer.from('other') });
      expect(await storage.createRun(second)).toEqual({ kind: 'id_taken' });
      expect(await storage.getRun(second.runId)).toBeNull();
      expect(await storage.getRun(first.runId)).toMatchObject({ id: first.runId });
      expect(await storage.createRun(newRun(sink, { idempotency }))).toMatchObject({ kind: 'created' });
    });
  });
}
