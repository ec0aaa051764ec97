// Storage contract: flow control decides in the commit of each change which runs of a sink may start.

import { describe, expect, test } from 'vitest';
import type { FlowSetting } from '../../../../src/core/sink/limits/flow-setting.ts';
import type { Sink } from '../../../../src/core/sink/sink.ts';
import type { ClaimedRun, CreateRunResult, NewRun } from '../../../../src/storage/runs/run-records.ts';
import { completedTurn, NOW, type Owners, runningTurn, upTo, type Workbench } from '../workbench.ts';

const PLAIN: FlowSetting = { maxConcurrent: null, orderingKey: null, overflow: 'queue', queueLimit: 1000, debounce: null };
const ORDERED = '$request.body.key';

const due = { kind: 'created', flow: { state: 'due', dueAt: NOW, superseded: [] } };
const held = { kind: 'created', flow: { state: 'held', dueAt: null, superseded: [] } };
const superseding = (...superseded: string[]) => ({ kind: 'created', flow: { state: 'held', dueAt: null, superseded } });
const quietUntil = (dueAt: number, ...superseded: string[]) => ({ kind: 'created', flow: { state: 'held', dueAt, superseded } });

/** Makes runs of a sink with flow control. */
export class FlowBench {
  readonly workbench: Workbench;
  readonly sink: Sink;

  constructor(workbench: Workbench, sink: Sink) {
    this.workbench = workbench;
    this.sink = sink;
  }

  newRun(key = '', fields: Partial<NewRun> = {}): NewRun {
    const turn = { ...runningTurn({ status: 'queued', events: [{ seq: 1, progress: 0, step: null, message: 'queued' }] }) };
    return this.workbench.newRun(this.sink, { flowKey: key, ...fields, turn });
  }

  /** Creates runs with these keys, in order. */
  async add(...keys: string[]): Promise<{ runs: NewRun[]; results: CreateRunResult[] }> {
    const runs = keys.map((key) => this.newRun(key));
    const results = [];
    for (const run of runs) results.push(await this.workbench.storage.createRun(run));
    return { runs, results };
  }

  async claim(): Promise<ClaimedRun[]> {
    return await this.workbench.storage.claimDueRuns(upTo(1000));
  }

  async end({ lease }: ClaimedRun): Promise<void> {
    expect(await this.workbench.storage.advanceRun(lease, completedTurn(2))).toBe(true);
  }

  /** Claims and ends runs until none is due. Returns the ids of each round. */
  async drain(): Promise<string[][]> {
    const rounds: string[][] = [];
    for (let claimed = await this.claim(); claimed.length > 0; claimed = await this.claim()) {
      rounds.push(idsOf(claimed));
      for (const run of claimed) await this.end(run);
    }
    return rounds;
  }

  async edit(flow: FlowSetting | undefined): Promise<void> {
    await this.workbench.edit({ kind: 'put_sink', sink: { ...this.sink, flow } });
  }

  async outcome({ runId }: NewRun) {
    const run = await this.workbench.storage.getOutcome(runId);
    return [run?.status, run?.error?.code ?? null];
  }
}

const idsOf = (claimed: readonly ClaimedRun[]): string[] => claimed.map(({ lease }) => lease.runId);

export function flowControlContract({ one, other }: Owners): void {
  const open = async (flow: Partial<FlowSetting>, workbench = one()): Promise<FlowBench> =>
    new FlowBench(workbench, await workbench.addSink({ flow: { ...PLAIN, ...flow } }));

  describe('flow control', () => {
    test('holds the runs above max_concurrent, and starts the next one in the commit that ends one', async () => {
      const bench = await open({ maxConcurrent: 2 });
      const { runs, results } = await bench.add('', '', '', '');
      expect(results).toEqual([due, due, held, held]);
      const [first, second] = (await bench.claim()) as [ClaimedRun, ClaimedRun];
      expect(await bench.claim()).toEqual([]);
      expect(await bench.workbench.storage.countFlow(bench.sink.id)).toEqual({ inFlight: 2, held: 2 });
      await bench.end(first);
      const [third] = (await bench.claim()) as [ClaimedRun];
      expect(third.lease.runId).toBe(runs[2]?.runId);
      expect(third).toMatchObject({ hasFlow: true, steps: [], lastSeq: 1, progress: 0 });
      await bench.workbench.storage.cancelRun(second.lease.runId);
      expect(idsOf(await bench.claim())).toEqual([runs[3]?.runId]);
    });

    test('counts a run that waits, is released or is recovered as in flight, and a poisoned one no longer', async () => {
      const bench = await open({ maxConcurrent: 1 });
      const { storage } = bench.workbench;
      const { runs } = await bench.add('', '');
      const [first] = (await bench.claim()) as [ClaimedRun];
      await storage.advanceRun(first.lease, runningTurn({ status: 'waiting', wakeAt: NOW }));
      const [again] = (await bench.claim()) as [ClaimedRun];
      await storage.releaseRun(again.lease, 0);
      for (let deaths = 1; deaths <= 3; deaths += 1) {
        expect(idsOf(await bench.claim())).toEqual([runs[0]?.runId]);
        await bench.workbench.recover(NOW);
      }
      expect(await bench.outcome(runs[0] as NewRun)).toEqual(['failed', 'poisoned']);
      expect(idsOf(await bench.claim())).toEqual([runs[1]?.runId]);
    });

    test('runs the runs of one key one after another as they came, and holds up no other key', async () => {
      const bench = await open({ orderingKey: ORDERED });
      const { runs, results } = await bench.add('a', 'a', 'b', 'a', 'c', 'b');
      expect(results).toEqual([due, held, due, held, due, held]);
      const ids = runs.map(({ runId }) => runId);
      const rounds = await bench.drain();
      expect(rounds.map((round) => round.map((id) => ids.indexOf(id)))).toEqual([[0, 2, 4], [1, 5], [3]]);
    });

    test('joins a key and a limit: the first of a key that waits does not hold up others', async () => {
      const bench = await open({ orderingKey: ORDERED, maxConcurrent: 2 });
      const { runs, results } = await bench.add('a', 'a', 'a', 'b', 'c');
      expect(results).toEqual([due, held, held, due, held]);
      const ids = runs.map(({ runId }) => runId);
      const rounds = await bench.drain();
      expect(rounds.flat().filter((id) => ids.slice(0, 3).includes(id))).toEqual(ids.slice(0, 3));
      expect(rounds.flat()).toHaveLength(5);
      expect(Math.max(...rounds.map((round) => round.length))).toBe(2);
    });

    test('refuses what the queue cannot hold, and everything that must wait with reject; nothing is stored', async () => {
      const queue = await open({ maxConcurrent: 1, queueLimit: 2 });
      const full = await queue.add('', '', '', '');
      expect(full.results).toEqual([due, held, held, { kind: 'refused', reason: 'queue_full' }]);
      expect(await queue.workbench.storage.getRun(full.runs[3]?.runId ?? '')).toBeNull();
      const reject = await open({ maxConcurrent: 1, overflow: 'reject' });
      const { results } = await reject.add('', '');
      expect(results).toEqual([due, { kind: 'refused', reason: 'no_place' }]);
    });

    test('stores a dropped run as ended, and leaves its idempotency key free', async () => {
      const bench = await open({ maxConcurrent: 1, overflow: 'drop' });
      await bench.add('');
      const dropped = bench.newRun('', { idempotency: { key: 'k', fingerprint: 'f', keepMs: 1000 } });
      const decision = { kind: 'created', flow: { state: 'dropped', dueAt: null, superseded: [] } };
      expect(await bench.workbench.storage.createRun(dropped)).toEqual(decision);
      expect(await bench.workbench.storage.createRun(dropped)).toEqual(decision);
      expect(await bench.outcome(dropped)).toEqual(['cancelled', 'dropped']);
      expect((await bench.workbench.storage.readEvents(dropped.runId, 0))?.events.map(({ seq }) => seq)).toEqual([1, 2]);
      await bench.drain();
      const again = bench.newRun('', { idempotency: { key: 'k', fingerprint: 'f', keepMs: 1000 } });
      expect(await bench.workbench.storage.createRun(again)).toEqual(due);
    });

    test('latest_wins replaces the held run of the key, which ends as superseded, and keeps its place', async () => {
      const bench = await open({ maxConcurrent: 1, orderingKey: ORDERED, overflow: 'latest_wins', queueLimit: 2 });
      const { runs, results } = await bench.add('a', 'a', 'b', 'a', 'c');
      const [, second, b, third] = runs as [NewRun, NewRun, NewRun, NewRun];
      expect(results).toEqual([due, held, held, superseding(second.runId), { kind: 'refused', reason: 'queue_full' }]);
      expect(await bench.outcome(second)).toEqual(['cancelled', 'superseded']);
      expect((await bench.drain()).flat()).toEqual([runs[0]?.runId, third.runId, b.runId]);
    });

    test('debounce waits for quiet, at most max_seconds in all, and replaces the earlier runs of the key', async () => {
      const bench = await open({ debounce: { seconds: 2, maxSeconds: 5 } });
      const [a, b, c, d, e] = ['', '', '', '', ''].map(() => bench.newRun()) as [NewRun, NewRun, NewRun, NewRun, NewRun];
      const create = (run: NewRun, ms: number) => bench.workbench.at(NOW + ms).createRun(run);
      expect(await create(a, 0)).toEqual(quietUntil(NOW + 2000));
      expect(await create(b, 1500)).toEqual(quietUntil(NOW + 3500, a.runId));
      expect(await create(c, 3400)).toEqual(quietUntil(NOW + 5000, b.runId));
      expect(await bench.claim()).toEqual([]);
      expect(await bench.workbench.storage.nextWake()).toBe(NOW + 5000);
      bench.workbench.at(NOW + 5000);
      expect(await bench.drain()).toEqual([[c.runId]]);
      expect(await create(d, 6000)).toEqual(quietUntil(NOW + 8000));
      expect(await create(e, 7000)).toEqual(quietUntil(NOW + 9000, d.runId));
      bench.workbench.at(NOW + 20_000);
      expect(await bench.drain()).toEqual([[e.runId]]);
      expect(await Promise.all([a, b, d].map((run) => bench.outcome(run)))).toEqual(Array(3).fill(['cancelled', 'superseded']));
    });

    test('a debounced run whose key or sink is busy waits after its quiet, and can still be replaced', async () => {
      const bench = await open({ maxConcurrent: 1, debounce: { seconds: 1, maxSeconds: null } });
      const [a, b, c] = [bench.newRun(), bench.newRun(), bench.newRun()] as [NewRun, NewRun, NewRun];
      await bench.workbench.at(NOW).createRun(a);
      bench.workbench.at(NOW + 1000);
      const [first] = (await bench.claim()) as [ClaimedRun];
      await bench.workbench.at(NOW + 1000).createRun(b);
      bench.workbench.at(NOW + 2000);
      expect(await bench.claim()).toEqual([]);
      expect(await bench.workbench.storage.createRun(c)).toEqual(quietUntil(NOW + 3000, b.runId));
      await bench.end(first);
      expect(await bench.claim()).toEqual([]);
      bench.workbench.at(NOW + 3000);
      expect(await bench.drain()).toEqual([[c.runId]]);
    });

    test('gives a repeated call the same result', async () => {
      const bench = await open({ maxConcurrent: 1, queueLimit: 1 });
      const [first, second] = [bench.newRun(), bench.newRun()];
      for (let time = 0; time < 2; time += 1) {
        expect(await bench.workbench.storage.createRun(first)).toEqual(due);
        expect(await bench.workbench.storage.createRun(second)).toEqual(held);
      }
      expect((await bench.drain()).flat()).toEqual([first.runId, second.runId]);
    });

    test('takes several runs whole or not at all', async () => {
      const bench = await open({ maxConcurrent: 1, queueLimit: 2 });
      const several = [bench.newRun(), bench.newRun(), bench.newRun()];
      const tooMany = [bench.newRun(), bench.newRun(), bench.newRun(), bench.newRun()];
      const { storage } = bench.workbench;
      expect(await storage.createRuns(tooMany)).toEqual({
        isStored: false,
        results: [due, held, held, { kind: 'refused', reason: 'queue_full' }],
      });
      expect(await storage.countFlow(bench.sink.id)).toEqual({ inFlight: 0, held: 0 });
      expect(await storage.createRuns(several)).toEqual({ isStored: true, results: [due, held, held] });
      expect((await bench.drain()).flat()).toEqual(several.map(({ runId }) => runId));
    });

    test('joins the earlier run of an idempotency key, also when the queue is full', async () => {
      const bench = await open({ maxConcurrent: 1, queueLimit: 1 });
      const idempotency = { key: 'k', fingerprint: 'f', keepMs: 1000 };
      await bench.add('');
      const waiting = bench.newRun('', { idempotency });
      await bench.workbench.storage.createRun(waiting);
      expect(await bench.workbench.storage.createRun(bench.newRun('', { idempotency }))).toEqual({
        kind: 'duplicate',
        runId: waiting.runId,
        sameRequest: true,
      });
    });

    test('a held run that is cancelled starts no other, and leaves the line', async () => {
      const bench = await open({ maxConcurrent: 1, orderingKey: ORDERED });
      const { runs } = await bench.add('a', 'a', 'a', 'b');
      const ids = runs.map(({ runId }) => runId);
      expect(await bench.workbench.storage.cancelRun(ids[1] as string)).toMatchObject({ cancelled: true });
      expect(await bench.workbench.storage.countFlow(bench.sink.id)).toEqual({ inFlight: 1, held: 2 });
      expect((await bench.drain()).flat()).toEqual([ids[0], ids[2], ids[3]]);
    });
  });

  describe('an edit of flow control', () => {
    test('that raises the limit starts held runs, and one that lowers it only affects later starts', async () => {
      const bench = await open({ maxConcurrent: 1 });
      await bench.add('', '', '', '', '');
      await bench.edit({ ...PLAIN, maxConcurrent: 3 });
      expect(await bench.workbench.storage.countFlow(bench.sink.id)).toEqual({ inFlight: 3, held: 2 });
      await bench.edit({ ...PLAIN, maxConcurrent: 1 });
      const rounds = await bench.drain();
      expect(rounds.map(({ length }) => length)).toEqual([3, 1, 1]);
    });

    test('that removes it starts all held runs, also more than one commit starts', async () => {
      const bench = await open({ maxConcurrent: 1 });
      const runs = Array.from({ length: 250 }, () => bench.newRun());
      await bench.workbench.storage.createRuns(runs);
      await bench.edit(undefined);
      const rounds = await bench.drain();
      expect(rounds.flat().sort()).toEqual(runs.map(({ runId }) => runId).sort());
      expect(rounds.length).toBeLessThan(5);
      expect(await bench.workbench.storage.countFlow(bench.sink.id)).toBeNull();
    });

    test('that adds or removes the key orders what is held again', async () => {
      const bench = await open({ maxConcurrent: 1, orderingKey: ORDERED });
      const { runs } = await bench.add('a', 'a', 'a', 'b');
      await bench.edit({ ...PLAIN, maxConcurrent: 1 });
      await bench.edit({ ...PLAIN, orderingKey: ORDERED });
      const ids = runs.map(({ runId }) => runId);
      const rounds = await bench.drain();
      expect(rounds.map((round) => round.map((id) => ids.indexOf(id)).sort())).toEqual([[0, 3], [1], [2]]);
    });

    test('that removes a debounce lets a run that waits for quiet start at its time', async () => {
      const bench = await open({ debounce: { seconds: 5, maxSeconds: null } });
      const { runs } = await bench.add('');
      await bench.edit(undefined);
      bench.workbench.at(NOW + 5000);
      expect(await bench.drain()).toEqual([[runs[0]?.runId]]);
    });

    test('that deletes the sink leaves its held runs in their line', async () => {
      const bench = await open({ maxConcurrent: 1 });
      const { runs } = await bench.add('', '', '');
      await bench.workbench.edit({ kind: 'delete_sink', sinkId: bench.sink.id });
      expect(await bench.drain()).toEqual(runs.map(({ runId }) => [runId]));
    });

    test('is exact for runs that another owner has planned before it', async () => {
      const bench = await open({ maxConcurrent: 1 });
      await bench.edit(undefined);
      const { results } = await new FlowBench(other(), bench.sink).add('a', 'a');
      expect(results).toEqual([due, due]);
      expect((await bench.drain()).flat()).toHaveLength(2);
    });
  });

  describe('owners that create and end runs at the same moment', () => {
    test('never have more runs in flight than the limit, nor two of a key, and none is stuck', async () => {
      const benches = [await open({ maxConcurrent: 2, orderingKey: ORDERED })] as [FlowBench, FlowBench?];
      const [bench] = benches;
      const theirs = new FlowBench(other(), bench.sink);
      const ended = new Set<string>();
      const keys = new Map<string, string>();
      const both = [bench, theirs];
      for (let round = 0; round < 12; round += 1) {
        await Promise.all(
          both.map(async (mine) => {
            for (const key of ['a', 'b', 'c']) {
              const run = mine.newRun(key);
              keys.set(run.runId, key);
              await mine.workbench.storage.createRun(run);
            }
          }),
        );
        const [ours, others] = (await Promise.all(both.map((mine) => mine.claim()))) as [ClaimedRun[], ClaimedRun[]];
        const claimed = [...ours, ...others];
        expect(claimed.length).toBeLessThanOrEqual(2);
        expect(new Set(claimed.map(({ lease }) => keys.get(lease.runId))).size).toBe(claimed.length);
        await Promise.all([...ours.map((run) => bench.end(run)), ...others.map((run) => theirs.end(run))]);
        for (const { lease } of claimed) ended.add(lease.runId);
      }
      for (const id of (await bench.drain()).flat()) ended.add(id);
      expect(ended.size).toBe(72);
    });
  });
}
