// Flow control across kill -9: a real receiver sees how many runs of a sink overlap, and in which order they come.

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
const KILLS = 4;
const MAX_MS = 400_000;

interface Seen {
  /** By idempotency key, so that a repeated attempt is no second run: the numbers of the requests, in the order of first arrivals. */
  first: Map<string, number>;
  inFlight: Map<string, number>;
  mostUnderWay: number;
}

/** Answers after a moment. Each path is the receiver of one sink. */
async function startReceiver(): Promise<{ url: string; of: (path: string) => Seen; arrivals: () => number }> {
  const paths = new Map<string, Seen>();
  let arrivals = 0;
  const of = (path: string): Seen => {
    const seen = paths.get(path) ?? { first: new Map<string, number>(), inFlight: new Map<string, number>(), mostUnderWay: 0 };
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
      if (!seen.first.has(key)) seen.first.set(key, (JSON.parse(body) as { n: number }).n);
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

  async addSink(path: string, flow: object): Promise<string> {
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
    const sink = { path, method: 'POST', workflow_id: path.slice(1), flow, response: 'accept' };
    return ((await admin(this.server, 'POST', '/apps/demo/sinks', sink)) as { id: string }).id;
  }

  /** As a sender does, tries again under the same key until it is answered. */
  async send(path: string, n: number, fields: object = {}): Promise<void> {
    await until(
      'an acknowledgement',
      async () => {
        try {
          const response = await fetch(`${this.server.url}/demo${path}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', 'idempotency-key': `n${n}` },
            body: JSON.stringify({ n, ...fields }),
          });
          await response.arrayBuffer();
          return response.status === 202;
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

  /** Waits until no run of the sink is left. Returns how many ended how. */
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
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = (await admin(this.server, 'GET', `/runs?sink_id=${sinkId}&limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`)) as {
        runs: { status: string; error?: { code: string } }[];
        next_cursor: string | null;
      };
      for (const { status, error } of page.runs) {
        const how = error?.code ?? status;
        counts[how] = (counts[how] ?? 0) + 1;
      }
      cursor = page.next_cursor;
    }
    return counts;
  }
}

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
  expect([...seenThree.first.values()].sort((a, b) => a - b)).toEqual(numbers(0, RUNS));
  expect(seenThree.mostUnderWay).toBe(3);
  for (const key of numbers(0, KEYS))
    expect([...seenOrdered.first.values()].filter((n) => n % KEYS === key)).toEqual(numbers(key, RUNS / KEYS, KEYS));
  expect(seenOrdered.mostUnderWay).toBeGreaterThan(1);
  expect(seenOrdered.mostUnderWay).toBeLessThanOrEqual(KEYS);
});

test('requests, of which the newest is held, and in bursts: each ends once, and the last one runs', {
  timeout: MAX_MS,
}, async () => {
  const scene = await Scene.open();
  const latest = await scene.addSink('/latest', { max_concurrent: 1, overflow: 'latest_wins' });
  const bursts = await scene.addSink('/bursts', { debounce: { seconds: 0.1, max_seconds: 0.3 } });
  const sendAll = async (path: string): Promise<void> => {
    for (const n of numbers(0, RUNS)) await scene.send(path, n);
  };
  const sending = [sendAll('/latest'), sendAll('/bursts')];
  await scene.killOften(Math.ceil(RUNS / 50));
  await Promise.all(sending);
  for (const [sinkId, path] of [
    [latest, '/latest'],
    [bursts, '/bursts'],
  ] as const) {
    const { completed = 0, superseded = 0, ...others } = await scene.ends(sinkId);
    const seen = scene.receiver.of(path);
    const ran = [...seen.first.values()];
    expect({ sum: completed + superseded, others, ran: ran.length }).toEqual({ sum: RUNS, others: {}, ran: completed });
    expect(superseded).toBeGreaterThan(0);
    expect([isRising(ran), ran.at(-1)]).toEqual([true, RUNS - 1]);
    expect(path === '/latest' ? seen.mostUnderWay : 1).toBe(1);
  }
});
