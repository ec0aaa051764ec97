// Storage contract: a sink collects requests, and one run has them all.

import { describe, expect, test } from 'vitest';
import { batchOf } from '../../../../src/core/run/batch.ts';
import type { FlowSetting } from '../../../../src/core/sink/limits/flow-setting.ts';
import type { CreateRunResult, NewRun } from '../../../../src/storage/runs/run-records.ts';
import { FlowBench } from '../runs/flow-control.ts';
import { NOW, type Owners } from '../workbench.ts';

const SECONDS = 5;
const DUE = NOW + SECONDS * 1000;
const FLOW: FlowSetting = {
  maxConcurrent: null,
  orderingKey: null,
  overflow: 'queue',
  queueLimit: 1000,
  debounce: null,
  batch: { size: 3, seconds: SECONDS, key: '$request.body.key' },
};

const opens = (dueAt = DUE) => ({ kind: 'created', flow: { state: 'held', dueAt, superseded: [] } });
const joins = ({ runId }: NewRun, dueAt: number | null = DUE) => ({
  kind: 'collected',
  runId,
  flow: { state: 'held', dueAt, superseded: [] },
});
const fills = ({ runId }: NewRun) => ({ kind: 'collected', runId, flow: { state: 'due', dueAt: NOW, superseded: [] } });

class BatchBench extends FlowBench {
  request(n: number, key = '', fields: Partial<NewRun> & { text?: string } = {}): NewRun {
    const { text = '', ...rest } = fields;
    const head = {
      method: 'POST',
      path: '/in',
      params: {},
      query: {},
      headers: { n: `${n}` },
      content_type: null,
      client_ip: `10.0.0.${n}`,
    };
    const { head: batchHead, body } = batchOf({ ...head, files: [], received_at: NOW, body: { n, text } });
    const stored = { request: JSON.stringify(batchHead), bodyKind: body.kind, body: body.bytes };
    return this.newRun(key, { ...stored, inputs: null, ...rest });
  }

  create(run: NewRun): Promise<CreateRunResult> {
    return this.workbench.storage.createRun(run);
  }

  async createAll(...runs: NewRun[]): Promise<CreateRunResult[]> {
    const results = [];
    for (const run of runs) results.push(await this.create(run));
    return results;
  }

  /** The requests of a run, by their bodies and their heads. */
  async requestsOf({ runId }: NewRun): Promise<[bodies: number[], heads: number[]]> {
    const run = await this.workbench.storage.getRun(runId);
    const { batch } = JSON.parse(run?.request ?? '{}') as { batch: { headers: { n: string } }[] };
    const bodies = JSON.parse(Buffer.from(run?.body ?? []).toString()) as { n: number }[];
    return [bodies.map(({ n }) => n), batch.map(({ headers }) => Number(headers.n))];
  }
}

export function batchesContract({ one, other }: Owners): void {
  const open = async (flow: Partial<FlowSetting> = {}): Promise<BatchBench> =>
    new BatchBench(one(), await one().addSink({ flow: { ...FLOW, ...flow } }));

  describe('a batch', () => {
    test('starts as one run with all requests in order when it is full, and the next request begins another one', async () => {
      const bench = await open();
      const [a, b, c, d] = [bench.request(1), bench.request(2), bench.request(3), bench.request(4)];
      expect(await bench.createAll(a, b)).toEqual([opens(), joins(a)]);
      expect(await bench.claim()).toEqual([]);
      expect(await bench.workbench.storage.countFlow(bench.sink.id)).toEqual({ inFlight: 0, held: 1 });
      expect(await bench.createAll(c, d)).toEqual([fills(a), opens()]);
      const [claimed] = await bench.claim();
      expect(claimed).toMatchObject({ lease: { runId: a.runId, turns: 1 }, bodyKind: 'batch', hasFlow: true, lastSeq: 1 });
      expect(Buffer.from(claimed?.body ?? []).toString()).toBe('[{"n":1,"text":""},{"n":2,"text":""},{"n":3,"text":""}]');
      expect(await bench.requestsOf(a)).toEqual([
        [1, 2, 3],
        [1, 2, 3],
      ]);
      expect(await bench.workbench.storage.getRun(b.runId)).toBeNull();
      expect(await bench.workbench.storage.findStream(a.runId)).toMatchObject({ isBatch: true });
    });

    test('starts so many seconds after its first request, however many come', async () => {
      const bench = await open();
      const [a, b] = [bench.request(1), bench.request(2)];
      expect(await bench.create(a)).toEqual(opens());
      bench.workbench.at(DUE - 1);
      expect(await bench.create(b)).toEqual(joins(a));
      expect(await bench.claim()).toEqual([]);
      expect(await bench.workbench.storage.nextWake()).toBe(DUE);
      bench.workbench.at(DUE);
      // Its size is known to the claim after the one that closes it.
      expect(await bench.claim()).toEqual([]);
      expect(await bench.workbench.storage.nextWake()).toBe(NOW);
      expect(await bench.drain()).toEqual([[a.runId]]);
      expect((await bench.requestsOf(a))[0]).toEqual([1, 2]);
    });

    test('has the requests of one key', async () => {
      const bench = await open();
      const [a, b, c] = [bench.request(1, 'x'), bench.request(2, 'y'), bench.request(3, 'x')];
      expect(await bench.createAll(a, b, c)).toEqual([opens(), opens(), joins(a)]);
      const unkeyed = await open({ batch: { size: 3, seconds: SECONDS, key: null } });
      const [d, e] = [unkeyed.request(4, 'x'), unkeyed.request(5, 'y')];
      expect(await unkeyed.createAll(d, e)).toEqual([opens(), joins(d)]);
    });

    test('gives a repeated call the same result, and has no request twice, also once it has started', async () => {
      const bench = await open();
      const [a, b, c] = [bench.request(1), bench.request(2), bench.request(3)];
      const idempotency = { key: 'k', fingerprint: 'f', keepMs: 1000 };
      const keyed = { ...b, idempotency };
      expect(await bench.createAll(a, a, keyed, keyed)).toEqual([opens(), opens(), joins(a), joins(a)]);
      expect(await bench.create({ ...c, idempotency })).toEqual({ kind: 'duplicate', runId: a.runId, sameRequest: true });
      expect(await bench.createAll(c, c)).toEqual([fills(a), fills(a)]);
      await bench.drain();
      expect(await bench.create(keyed)).toMatchObject({ kind: 'collected', runId: a.runId });
      expect((await bench.requestsOf(a))[0]).toEqual([1, 2, 3]);
      expect(await bench.drain()).toEqual([]);
    });

    test('starts with fewer requests if another one would make it larger than 1 MiB', async () => {
      const bench = await open();
      const text = 'x'.repeat(400_000);
      const [a, b, c] = [1, 2, 3].map((n) => bench.request(n, '', { text })) as [NewRun, NewRun, NewRun];
      expect(await bench.createAll(a, b, c)).toEqual([opens(), joins(a), opens()]);
      expect(await bench.drain()).toEqual([[a.runId]]);
      expect((await bench.requestsOf(a))[0]).toEqual([1, 2]);
    });

    test('waits for a place once it is full, and then takes no more requests', async () => {
      const bench = await open({ maxConcurrent: 1, queueLimit: 2 });
      const runs = Array.from({ length: 8 }, (_, n) => bench.request(n));
      const [first, , , second, , , third] = runs as [NewRun, NewRun, NewRun, NewRun, NewRun, NewRun, NewRun];
      const results = await bench.createAll(...runs);
      expect(results.map(({ kind }) => kind)).toEqual([
        'created',
        'collected',
        'collected',
        'created',
        'collected',
        'collected',
        'created',
        'collected',
      ]);
      expect(results[5]).toEqual(joins(second, null));
      expect(await bench.create(bench.request(9, 'other'))).toEqual({ kind: 'refused', reason: 'queue_full' });
      expect(await bench.create(bench.request(8))).toEqual(joins(third, null));
      expect((await bench.drain()).flat()).toEqual([first.runId, second.runId, third.runId]);
      expect((await bench.requestsOf(third))[0]).toEqual([6, 7, 8]);
    });

    test('that is cancelled while it collects keeps its requests, and the next one begins another', async () => {
      const bench = await open();
      const [a, b, c] = [bench.request(1), bench.request(2), bench.request(3)];
      await bench.createAll(a, b);
      expect(await bench.workbench.storage.cancelRun(a.runId)).toMatchObject({ cancelled: true });
      expect(await bench.outcome(a)).toEqual(['cancelled', 'cancelled']);
      expect((await bench.requestsOf(a))[0]).toEqual([1, 2]);
      expect(await bench.create(c)).toEqual(opens());
    });

    test('takes neither replays nor runs of their own', async () => {
      const bench = await open();
      const a = bench.request(1);
      const due = { kind: 'created', flow: { state: 'due', dueAt: NOW, superseded: [] } };
      await bench.create(a);
      expect(await bench.create(bench.request(2, '', { replay: { of: a.runId, mode: 'live', jobId: null } }))).toEqual(due);
      expect(await bench.create(bench.newRun())).toEqual(due);
      expect((await bench.requestsOf(a))[0]).toEqual([1]);
    });

    test('is one run for several owners, and each of them may start it', async () => {
      const bench = await open();
      const theirs = new BatchBench(other(), bench.sink);
      const runs = Array.from({ length: 12 }, (_, n) => (n % 2 === 0 ? bench : theirs).request(n));
      const results = await Promise.all(runs.map((run, n) => (n % 2 === 0 ? bench : theirs).create(run)));
      expect(results.filter(({ kind }) => kind === 'created')).toHaveLength(4);
      expect((await theirs.drain()).flat()).toHaveLength(4);
      const batches = await Promise.all(runs.filter((_, n) => results[n]?.kind === 'created').map((run) => bench.requestsOf(run)));
      expect(batches.flatMap(([bodies]) => bodies).sort((x, y) => x - y)).toEqual(runs.map((_, n) => n));
      expect(batches.every(([bodies, heads]) => bodies.length === 3 && bodies.join() === heads.join())).toBe(true);
    });

    test('of several requests takes all or none', async () => {
      const bench = await open({ queueLimit: 1 });
      const [a, b, c] = [bench.request(1), bench.request(2), bench.request(3, 'other')];
      const { storage } = bench.workbench;
      expect(await storage.createRuns([a, b, c])).toEqual({
        isStored: false,
        results: [opens(), joins(a), { kind: 'refused', reason: 'queue_full' }],
      });
      expect(await storage.countFlow(bench.sink.id)).toEqual({ inFlight: 0, held: 0 });
      expect(await storage.createRuns([a, b])).toEqual({ isStored: true, results: [opens(), joins(a)] });
    });

    test('still starts at its time after an edit without batches, and an edit to latest_wins replaces none', async () => {
      const bench = await open();
      const a = bench.request(1);
      await bench.create(a);
      await bench.edit({ ...FLOW, batch: undefined, maxConcurrent: 1, overflow: 'latest_wins' } as unknown as FlowSetting);
      const b = bench.request(2);
      expect(await bench.create(b)).toMatchObject({ flow: { state: 'due' } });
      bench.workbench.at(DUE);
      expect((await bench.drain()).flat()).toEqual([b.runId, a.runId]);
      expect(await bench.outcome(a)).toEqual(['completed', null]);
    });

    test('is forgotten with its run', async () => {
      const bench = await open({ batch: { size: 2, seconds: SECONDS, key: null } });
      const [a, b] = [bench.request(1), bench.request(2)];
      await bench.createAll(a, b);
      await bench.drain();
      await bench.workbench.storage.pruneRuns({ before: NOW + 1000, maxBytes: null, limit: 1000 });
      expect(await bench.create(b)).toEqual(opens());
    });
  });

  describe('listRequestTimes', () => {
    test('has every request of runs and batches, the newest first, without replays and scheduled runs', async () => {
      const bench = await open();
      const head = (n: number, more: object = {}) => JSON.stringify({ client_ip: `10.0.0.${n}`, received_at: n, ...more });
      const add = (ms: number, fields: Partial<NewRun>) => bench.create(bench.newRun('', { createdAt: NOW + ms, ...fields }));
      await add(1000, { request: head(1) });
      await add(2000, { request: head(2), replay: { of: 'run_0', mode: 'live', jobId: null } });
      await add(3000, { request: head(3, { schedule: { name: 'a', at: '' } }) });
      await bench.create(bench.request(4, '', { createdAt: NOW + 4000 }));
      await bench.create(bench.request(5, '', { createdAt: NOW + 5000 }));
      const times = (since: number, limit = 10) => bench.workbench.storage.listRequestTimes(bench.sink.id, NOW + since, limit);
      const seen = async (since: number, limit?: number) => (await times(since, limit)).map(({ at, clientIp }) => [at - NOW, clientIp]);
      expect(await seen(0)).toEqual([
        [5000, '10.0.0.5'],
        [4000, '10.0.0.4'],
        [1000, '10.0.0.1'],
      ]);
      expect(await seen(4000)).toHaveLength(2);
      expect(await seen(0, 1)).toEqual([[5000, '10.0.0.5']]);
      expect((await times(0)).at(-1)?.receivedAt).toBe(1);
      expect(await bench.workbench.storage.listRequestTimes('snk_none', 0, 10)).toEqual([]);
    });
  });
}
