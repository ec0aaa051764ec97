// Flow control and rates across kill -9: a real receiver sees how many runs of a sink overlap, in which order they come and with
// which requests, and the times of the runs show the rate.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { admin } from '../support/remote-admin.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

/** Of each kind, a multiple of 8. */
const RUNS = Number(process.env['FLOW_RUNS'] ?? 240);
/** More than the burst: the others come at the rate, and so take their time. */
const RATED_RUNS = Number(process.env['FLOW_RUNS'] ?? 200);
const RATE = { per_second: 20, burst: 100 };
const KILLS = 4;
const MAX_MS = 400_000;

interface Seen {
  /** By idempotency key, so that a repeated attempt is no second run: what came first, in this order. Of a batch, its bodies. */
  first: Map<string, number | { n: number }[]>;
  inFlight: Map<string, number>;
  mostUnderWay: number;
}

/** Answers after a moment. Each path is the receiver of one sink. */
async function startReceiver(): Promise<{ url: string; of: (path: string) => Seen; arrivals: () => number }> {
  const paths = new Map<string, Seen>();
  let arrivals = 0;
  const of = (path: string): Seen => {
    const seen = paths.get(path) ?? {
      first: new Map<string, number | { n: number }[]>(),
      inFlight: new Map<string, number>(),
      mostUnderWay: 0,
    };
    paths.set(path, seen);
    return seen;
  };
  const server = createServer((request, response) => {
    const key = String(request.headers['idempotency-key']);
    const seen = of(request.url as string);
    seen.inFlight.set(key, (seen.inFlight.get(key) ?? 0) + 1);
    seen.mostUnderWay = Math.max(seen.mostUnderWay, seen.inFlight.size);
    arrivals += 1;
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', async () => {
      if (!seen.first.has(key)) seen.first.set(key, (JSON.parse(body) as { n: number | { n: number }[] }).n);
      await after(3);
      const left = (seen.inFlight.get(key) ?? 1) - 1;
      if (left === 0) seen.inFlight.delete(key);
      else seen.inFlight.set(key, left);
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, of, arrivals: () => arrivals };
}

interface ShownRun {
  status: string;
  created_at: string;
  error?: { code: string };
}

/** A server that is killed and started again while senders send. */
class Scene {
  readonly #dataDir = tempDir();
  readonly receiver: Awaited<ReturnType<typeof startReceiver>>;
  server: ServerProcess;

  constructor(receiver: Scene['receiver'], server: ServerProcess) {
    this.receiver = receiver;
    this.server = server;
  }

  static async open(): Promise<Scene> {
    const scene = new Scene(await startReceiver(), null as unknown as ServerProcess);
    await scene.start();
    return scene;
  }

  async start(): Promise<void> {
    this.server = await startServerProcess({ dataDir: this.#dataDir, env: { SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8' } });
  }

  async addSink(path: string, flow: object | null, fields: object = {}): Promise<string> {
    const workflow = {
      version: '1.0',
      inputs: [{ type: 'WorkflowParameter', name: 'n' }],
      steps: [
        {
          type: 'roboflow_core/webhook_sink@v1',
          name: 'send',
          url: `${this.receiver.url}${path}`,
          method: 'POST',
          json_payload: { n: '$inputs.n' },
          cooldown_seconds: 0,
          fire_and_forget: false,
          retry: { max_retries: 5, base_seconds: 0.1, max_seconds: 0.3 },
        },
      ],
      outputs: [{ type: 'JsonField', name: 'n', selector: '$inputs.n' }],
    };
    await admin(this.server, 'PUT', `/apps/demo/workflows/${path.slice(1)}`, workflow);
    const sink = { path, method: 'POST', workflow_id: path.slice(1), flow, response: 'accept', ...fields };
    return ((await admin(this.server, 'POST', '/apps/demo/sinks', sink)) as { id: string }).id;
  }

  /** As a sender does, tries again under the same key until it is answered. */
  async send(path: string, n: number, fields: object = {}, onRefused = (_sentAt: number): void => undefined): Promise<void> {
    await until(
      'an acknowledgement',
      async () => {
        const sentAt = Date.now();
        try {
          const response = await fetch(`${this.server.url}/demo${path}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', 'idempotency-key': `n${n}` },
            body: JSON.stringify({ n, ...fields }),
          });
          await response.arrayBuffer();
          if (response.status === 429) onRefused(sentAt);
          // A skipped run is answered as well.
          return response.status === 202 || response.status === 409;
        } catch {
          return false;
        }
      },
      60_000,
    );
  }

  /** Kills the server each time the receiver has got some more. */
  async killOften(everyArrivals: number): Promise<void> {
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const start = this.receiver.arrivals();
      await until('more arrivals', () => Promise.resolve(this.receiver.arrivals() >= start + everyArrivals), 60_000);
      this.server.kill('SIGKILL');
      await this.server.exited;
      await this.start();
    }
  }

  /** Waits until no run of the sink with flow control is left. Returns how many ended how. */
  async ends(sinkId: string): Promise<Record<string, number>> {
    const shown = async () =>
      (await admin(this.server, 'GET', `/apps/demo/sinks/${sinkId}`)) as { flow_state: { in_flight: number; held: number } };
    await until(
      'all runs to end',
      async () => {
        const { in_flight: inFlight, held } = (await shown()).flow_state;
        return inFlight + held === 0;
      },
      240_000,
    );
    const counts: Record<string, number> = {};
    for (const { status, error } of await this.runs(sinkId)) {
      const how = error?.code ?? status;
      counts[how] = (counts[how] ?? 0) + 1;
    }
    return counts;
  }

  async runs(sinkId: string): Promise<ShownRun[]> {
    const runs: ShownRun[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = (await admin(this.server, 'GET', `/runs?sink_id=${sinkId}&limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`)) as {
        runs: ShownRun[];
        next_cursor: string | null;
      };
      runs.push(...page.runs);
      cursor = page.next_cursor;
    }
    return runs;
  }
}

/** Between the decision about a request and the time of its run. */
const SLACK_MS = 100;
const COOLDOWN_MS = 400;
const timesOf = (runs: readonly ShownRun[]): number[] => runs.map((run) => Date.parse(run.created_at)).sort((a, b) => a - b);
const numbers = (from: number, count: number, step = 1): number[] => Array.from({ length: count }, (_, index) => from + index * step);
const isRising = (values: readonly number[]): boolean =>
  values.every((value, index) => index === 0 || value > (values[index - 1] as number));

test('runs one at a time, three at a time, and in the order of their keys: each ends once, and no more overlap', {
  timeout: MAX_MS,
}, async () => {
  const scene = await Scene.open();
  const one = await scene.addSink('/one', { max_concurrent: 1, queue_limit: 2 * RUNS });
  const three = await scene.addSink('/three', { max_concurrent: 3, queue_limit: 2 * RUNS });
  const ordered = await scene.addSink('/ordered', { ordering_key: '$request.body.key', queue_limit: 2 * RUNS });
  const KEYS = 8;
  const sendRow = async (path: string, row: number[], fields: object = {}): Promise<void> => {
    for (const n of row) await scene.send(path, n, fields);
  };
  const sending = [
    sendRow('/one', numbers(0, RUNS)),
    ...numbers(0, 4).map((row) => sendRow('/three', numbers(row, RUNS / 4, 4))),
    ...numbers(0, KEYS).map((key) => sendRow('/ordered', numbers(key, RUNS / KEYS, KEYS), { key })),
  ];
  await scene.killOften(Math.ceil((350 * RUNS) / 1000));
  await Promise.all(sending);
  for (const sinkId of [one, three, ordered]) expect(await scene.ends(sinkId)).toEqual({ completed: RUNS });
  const [seenOne, seenThree, seenOrdered] = ['/one', '/three', '/ordered'].map((path) => scene.receiver.of(path)) as [Seen, Seen, Seen];
  expect([...seenOne.first.values()]).toEqual(numbers(0, RUNS));
  expect(seenOne.mostUnderWay).toBe(1);
  expect(([...seenThree.first.values()] as number[]).sort((a, b) => a - b)).toEqual(numbers(0, RUNS));
  expect(seenThree.mostUnderWay).toBe(3);
  for (const key of numbers(0, KEYS))
    expect(([...seenOrdered.first.values()] as number[]).filter((n) => n % KEYS === key)).toEqual(numbers(key, RUNS / KEYS, KEYS));
  expect(seenOrdered.mostUnderWay).toBeGreaterThan(1);
  expect(seenOrdered.mostUnderWay).toBeLessThanOrEqual(KEYS);
});

test('requests whose newest is held, in bursts, in batches and in cooldowns: each ends as its sink says, and once', {
  timeout: MAX_MS,
}, async () => {
  const scene = await Scene.open();
  const latest = await scene.addSink('/latest', { max_concurrent: 1, overflow: 'latest_wins' });
  const bursts = await scene.addSink('/bursts', { debounce: { seconds: 0.1, max_seconds: 0.3 } });
  const batched = await scene.addSink('/batched', { batch: { size: 7, seconds: 0.2 } }, { inputs: { n: '$request.body' } });
  const cooling = await scene.addSink('/cooling', { cooldown: { seconds: COOLDOWN_MS / 1000 } });
  const sendAll = async (path: string): Promise<void> => {
    for (const n of numbers(0, RUNS)) await scene.send(path, n);
  };
  const sending = [sendAll('/latest'), sendAll('/bursts'), sendAll('/batched'), sendAll('/cooling')];
  await scene.killOften(Math.ceil(RUNS / 25));
  await Promise.all(sending);
  for (const [sinkId, path] of [
    [latest, '/latest'],
    [bursts, '/bursts'],
  ] as const) {
    const { completed = 0, superseded = 0, ...others } = await scene.ends(sinkId);
    const seen = scene.receiver.of(path);
    const ran = [...seen.first.values()] as number[];
    expect({ sum: completed + superseded, others, ran: ran.length }).toEqual({ sum: RUNS, others: {}, ran: completed });
    expect(superseded).toBeGreaterThan(0);
    expect(Math.max(...ran)).toBe(RUNS - 1);
    // Nothing orders the runs of two bursts, which a restart may start together.
    if (path === '/latest') expect([isRising(ran), seen.mostUnderWay]).toEqual([true, 1]);
  }
  await scene.ends(batched);
  const batches = [...scene.receiver.of('/batched').first.values()] as { n: number }[][];
  expect(batches.flatMap((batch) => batch.map(({ n }) => n)).sort((a, b) => a - b)).toEqual(numbers(0, RUNS));
  expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(7);
  await scene.ends(cooling);
  const accepted = timesOf((await scene.runs(cooling)).filter(({ status }) => status === 'completed'));
  expect(accepted.length).toBeGreaterThan(1);
  expect(Math.min(...accepted.slice(1).map((at, index) => at - (accepted[index] as number)))).toBeGreaterThan(COOLDOWN_MS - SLACK_MS);
});

test('at a rate: each request is one run, and no time has more of them than the rate allows, nor refuses what it allows', {
  timeout: MAX_MS,
}, async () => {
  const scene = await Scene.open();
  const sinkId = await scene.addSink('/rated', null, { rate: { sink: RATE }, workflow_id: null });
  const refused: [sentAt: number, answeredAt: number][] = [];
  let sent = 0;
  const sendRow = async (row: number[]): Promise<void> => {
    for (const n of row) {
      await scene.send('/rated', n, {}, (sentAt) => void refused.push([sentAt, Date.now()]));
      sent += 1;
    }
  };
  const SENDERS = 4;
  const sending = numbers(0, SENDERS).map((row) => sendRow(numbers(row, RATED_RUNS / SENDERS, SENDERS)));
  // The bucket is empty then, and would be full again if the server forgot it.
  for (const more of [2, 60]) {
    await until('more requests', () => Promise.resolve(sent >= RATE.burst + more), 120_000);
    scene.server.kill('SIGKILL');
    await scene.server.exited;
    await scene.start();
  }
  await Promise.all(sending);
  const times = timesOf(await scene.runs(sinkId));
  expect(times).toHaveLength(RATED_RUNS);
  const perMs = RATE.per_second / 1000;
  const mostIn = (fromMs: number, toMs: number): number => RATE.burst + perMs * (toMs - fromMs + SLACK_MS);
  for (const [first, from] of times.entries()) expect(times.filter((to, last) => last - first + 1 > mostIn(from, to))).toEqual([]);
  /** At least so many requests could have started a run all the time between two moments. */
  const leftBetween = (from: number, to: number): number => {
    const taken = times.filter((at) => at <= to + SLACK_MS);
    let [left, last] = [RATE.burst, taken[0] ?? from];
    for (const at of taken) {
      left = Math.min(RATE.burst, left + perMs * (at - last)) - 1;
      last = at;
    }
    return left - Math.max(0, perMs * (last - from));
  };
  // The other senders may have taken tokens for runs that are stored later.
  expect(refused.filter(([from, to]) => leftBetween(from, to) >= perMs * SLACK_MS + SENDERS)).toEqual([]);
});
