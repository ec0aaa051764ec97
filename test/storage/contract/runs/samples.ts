// Storage contract: samples are runs that retention leaves, within bounds.

import { describe, expect, test } from 'vitest';
import { MAX_SAMPLE_BYTES, MAX_SAMPLES_OF_SINK } from '../../../../src/core/run/sample-limits.ts';
import { completedTurn, NOW, type Workbench } from '../workbench.ts';

const HOUR = 3_600_000;

export function samplesContract(workbench: () => Workbench): void {
  const addEnded = async (fields: Parameters<Workbench['newRun']>[1] = {}) => {
    const { addSink, addRun } = workbench();
    const sink = await addSink();
    const { runId } = await addRun(sink, { turn: completedTurn(1), ...fields });
    return { sink, runId };
  };

  describe('saveSample', () => {
    test('keeps a run of the sink, with the size of its request and files', async () => {
      const { storage } = workbench();
      const request = JSON.stringify({ files: [{ name: 'a', filename: null, content_type: 'x/y', size: 500, sha256: 'f'.repeat(64) }] });
      const { sink, runId } = await addEnded({ request, body: Buffer.from('12345') });
      const sample = { runId, sinkId: sink.id, name: 'usual', bytes: request.length + 5 + 500, savedAt: NOW };
      expect(await storage.saveSample(sink.id, { runId, name: 'usual' })).toEqual({ kind: 'saved', sample });
      expect(await storage.saveSample(sink.id, { runId, name: 'usual' })).toEqual({ kind: 'saved', sample });
      expect(await storage.listSamples(sink.id)).toEqual([sample]);
    });

    test('gives a sample a new name', async () => {
      const { storage } = workbench();
      const { sink, runId } = await addEnded();
      await storage.saveSample(sink.id, { runId, name: null });
      await storage.saveSample(sink.id, { runId, name: 'new' });
      expect((await storage.listSamples(sink.id)).map(({ name }) => name)).toEqual(['new']);
    });

    test('refuses a run of another sink, and one that does not exist', async () => {
      const { storage, addSink } = workbench();
      const { runId } = await addEnded();
      const other = await addSink();
      expect(await storage.saveSample(other.id, { runId, name: null })).toEqual({ kind: 'no_run' });
      expect(await storage.saveSample(other.id, { runId: 'run_none', name: null })).toEqual({ kind: 'no_run' });
      expect(await storage.listSamples(other.id)).toEqual([]);
    });

    test('refuses a request that is too large', async () => {
      const { storage } = workbench();
      const { sink, runId } = await addEnded({ body: Buffer.alloc(MAX_SAMPLE_BYTES) });
      expect(await storage.saveSample(sink.id, { runId, name: null })).toEqual({ kind: 'too_large' });
    });

    test('refuses more than a sink may have, and still renames those', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      const ids: string[] = [];
      for (let made = 0; made <= MAX_SAMPLES_OF_SINK; made += 1) ids.push((await addRun(sink, { turn: completedTurn(1) })).runId);
      for (const runId of ids.slice(1)) await storage.saveSample(sink.id, { runId, name: null });
      expect(await storage.saveSample(sink.id, { runId: ids[0] as string, name: null })).toEqual({ kind: 'too_many' });
      expect(await storage.saveSample(sink.id, { runId: ids[1] as string, name: 'x' })).toMatchObject({ kind: 'saved' });
      const listed = (await storage.listSamples(sink.id)).map(({ runId }) => runId);
      expect(listed).toEqual([...ids.slice(1)].sort().reverse());
    });
  });

  describe('a sample', () => {
    test('is left by retention, by age and by size, until it is deleted', async () => {
      const { storage, at } = workbench();
      const { sink, runId } = await addEnded({ createdAt: NOW - 48 * HOUR });
      await storage.saveSample(sink.id, { runId, name: null });
      const prune = () => at(NOW).pruneRuns({ before: NOW - HOUR, maxBytes: 0, limit: 1000 });
      await prune();
      expect((await storage.getRun(runId))?.id).toBe(runId);
      expect(await storage.deleteSample(sink.id, runId)).toBe(true);
      expect(await storage.deleteSample(sink.id, runId)).toBe(false);
      await prune();
      expect(await storage.getRun(runId)).toBeNull();
    });

    test('of another sink is not deleted', async () => {
      const { storage, addSink } = workbench();
      const { sink, runId } = await addEnded();
      await storage.saveSample(sink.id, { runId, name: null });
      expect(await storage.deleteSample((await addSink()).id, runId)).toBe(false);
      expect(await storage.listSamples(sink.id)).toHaveLength(1);
    });

    test('ends with its sink', async () => {
      const { storage, edit } = workbench();
      const { sink, runId } = await addEnded();
      await storage.saveSample(sink.id, { runId, name: null });
      await edit({ kind: 'delete_sink', sinkId: sink.id });
      expect(await storage.listSamples(sink.id)).toEqual([]);
      expect(await storage.saveSample(sink.id, { runId, name: null })).toEqual({ kind: 'no_run' });
    });
  });
}
