// Storage contract: searches of runs in slices.

import { describe, expect, test } from 'vitest';
import { SEARCHED_PARTS } from '../../../../src/core/run/run-criteria.ts';
import type { RunSearch } from '../../../../src/storage/runs/run-search.ts';
import { newDelivery, waitingFor } from '../deliveries/delivery-bench.ts';
import { completedTurn, NOW, type Workbench } from '../workbench.ts';

const PLENTY_MS = 60_000;

export function searchingRunsContract(workbench: () => Workbench): void {
  async function found(search: Partial<RunSearch>): Promise<string[]> {
    const { runs, last } = await workbench().storage.searchRuns({ limit: 100, maxMs: PLENTY_MS, ...search });
    expect(last).toBeNull();
    return runs.map(({ id }) => id);
  }

  const textIn = (text: string, ...parts: (typeof SEARCHED_PARTS)[number][]) => ({
    text: { text, parts: parts.length === 0 ? SEARCHED_PARTS : parts },
  });

  describe('searchRuns', () => {
    test('finds a text in each part, and only in the parts that it searches', async () => {
      const { addSink, addRun } = workbench();
      const { appId, ...sink } = await addSink();
      const run = async (fields: Parameters<Workbench['addRun']>[1]) => (await addRun({ appId, ...sink }, fields)).runId;
      const inBody = await run({ body: Buffer.from('{"who":"Ada Needle"}') });
      const inOutput = await run({ turn: completedTurn(2, { output: '{"x":"needle"}' }) });
      const error = { code: 'broken', message: 'a NEEDLE is missing' };
      const inError = await run({ turn: completedTurn(2, { status: 'failed', output: null, error }) });
      const inHeaders = await run({ request: '{"headers":{"x-needle":"1"},"client_ip":"::1"}' });
      await run({});
      expect(await found({ appId, ...textIn('needle') })).toEqual([inHeaders, inError, inOutput, inBody]);
      expect(await found({ appId, ...textIn('nEEdle', 'body') })).toEqual([inBody]);
      expect(await found({ appId, ...textIn('needle', 'output', 'error') })).toEqual([inError, inOutput]);
      expect(await found({ appId, ...textIn('x-needle: 1', 'headers') })).toEqual([inHeaders]);
      expect(await found({ appId, status: 'completed', ...textIn('needle') })).toEqual([inOutput]);
      expect(await found({ appId, ...textIn('broken') })).toEqual([inError]);
      expect(await found({ appId, ...textIn('nowhere') })).toEqual([]);
    });

    test('finds runs by workflow, address, replay, idempotency key and delivery, alone and together', async () => {
      const { addSink, addRun } = workbench();
      const sink = await addSink();
      const { appId, id: sinkId } = sink;
      const idempotency = { key: `key-${sinkId}`, fingerprint: 'f', keepMs: 1000 };
      const { runId: keyed } = await addRun(sink, { idempotency, request: '{"client_ip":"203.0.113.9"}' });
      const { runId: replay } = await addRun(sink, { replay: { of: keyed, mode: 'live', jobId: null } });
      const { runId: batch } = await addRun(sink, { request: '{"client_ip":"","batch":[{"client_ip":"203.0.113.9"}]}' });
      const { runId: ofWorkflow } = await addRun(sink, { workflow: { id: `w-${sinkId}`, version: 3 } });
      const bare = workbench().newRun(sink);
      const delivery = newDelivery(bare.runId, 0);
      await workbench().storage.createRun({ ...bare, turn: waitingFor(delivery) });
      expect(await found({ appId, clientIp: '203.0.113.9' })).toEqual([batch, keyed]);
      expect(await found({ replayOf: keyed })).toEqual([replay]);
      expect(await found({ workflowId: `w-${sinkId}` })).toEqual([ofWorkflow]);
      expect(await found({ idempotencyKey: idempotency.key })).toEqual([keyed]);
      expect(await found({ idempotencyKey: idempotency.key, clientIp: '203.0.113.9', sinkId })).toEqual([keyed]);
      expect(await found({ deliveryId: delivery.id })).toEqual([bare.runId]);
      for (const nothing of [
        { idempotencyKey: 'no-such-key' },
        { idempotencyKey: idempotency.key, sinkId: 'snk_none' },
        { idempotencyKey: idempotency.key, status: 'failed' as const },
        { idempotencyKey: idempotency.key, clientIp: '::1' },
        { idempotencyKey: idempotency.key, deliveryId: delivery.id },
        { deliveryId: delivery.id.replace(/.$/, '9') },
        { deliveryId: delivery.id, until: NOW - 1 },
        { deliveryId: delivery.id, after: bare.runId },
      ])
        expect(await found(nothing), JSON.stringify(nothing)).toEqual([]);
    });

    test('an idempotency key finds all runs of its request', async () => {
      const { addSink, newRun, storage } = workbench();
      const sink = await addSink();
      const runs = [newRun(sink), newRun(sink), newRun(sink)];
      const key = { key: `several-${sink.id}`, fingerprint: 'f', keepMs: 1000 };
      await storage.createRuns(runs, key);
      expect(await found({ idempotencyKey: key.key })).toEqual(runs.map(({ runId }) => runId).reverse());
    });

    test('a slice without time looks at one run; slice by slice each run is looked at once, up to the limit', async () => {
      const { addSink, addRun, storage } = workbench();
      const sink = await addSink();
      const bodies = ['needle', 'hay', 'needle', 'hay', 'hay'].map((text) => Buffer.from(text));
      const runs: string[] = [];
      for (const body of bodies) runs.unshift((await addRun(sink, { body })).runId);
      const search = { sinkId: sink.id, ...textIn('needle'), limit: 2 };
      const slices: [string[], string | undefined, number][] = [];
      for (let after: string | undefined; ; ) {
        const slice = await storage.searchRuns({ ...search, maxMs: 0, ...(after === undefined ? {} : { after }) });
        slices.push([slice.runs.map(({ id }) => id), slice.last?.id, slice.scanned]);
        if (slice.last === null) break;
        after = slice.last.id;
      }
      expect(slices).toEqual([...runs.map((id, index) => [index === 2 || index === 4 ? [id] : [], id, 1]), [[], undefined, 0]]);
      const limited = await storage.searchRuns({ ...search, limit: 1, maxMs: PLENTY_MS });
      expect(limited).toMatchObject({ runs: [{ id: runs[2] }], scanned: 3, last: { id: runs[2], createdAt: NOW } });
    });

    test('goes on beyond the runs that it reads at once', async () => {
      const { addSink, addRun } = workbench();
      const sink = await addSink();
      const { runId: oldest } = await addRun(sink, { body: Buffer.from('needle') });
      await Promise.all(Array.from({ length: 450 }, () => addRun(sink)));
      expect(await found({ sinkId: sink.id, ...textIn('needle') })).toEqual([oldest]);
    });
  });
}
