// Receivers that hang, drip, reset, lie and flood, through a whole server process: each attempt is recorded as it was, the
// step says so, memory stays where it was, and neither callers nor deliveries to others notice.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type HostileReceiver, startReceiver } from '../delivery/hostile-receiver.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { admin, defineFlow, triggerFlow, webhook } from '../support/remote-admin.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { memoryDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { p99, rssMb, timed } from './measures.ts';
import { health } from './server-calls.ts';

interface Attempt {
  attempt: number;
  kind: string;
  status: number | null;
  error: string | null;
  started_at: string;
  duration_ms: number;
  response?: { url: string; headers: Record<string, string>; body: any };
}

/** One server for all tests of the file. */
let server: ServerProcess;

beforeAll(async () => {
  const cleanups: (() => void | Promise<void>)[] = [];
  const onEnd = (cleanup: () => void | Promise<void>): void => void cleanups.push(cleanup);
  server = await startServerProcess({ dataDir: memoryDir(onEnd), env: { SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8' }, onEnd });
  return async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  };
});

/** The delivery of a run, with its attempts. */
async function deliveryOf(runId: string): Promise<{ status: string; attempts: Attempt[] }> {
  const { deliveries } = await admin(server, 'GET', `/deliveries?run_id=${runId}`);
  expect(deliveries).toHaveLength(1);
  return await admin(server, 'GET', `/deliveries/${deliveries[0].delivery_id}`);
}

const AWAITED = { fire_and_forget: false, request_timeout: 10 };
const OUTPUTS = Object.fromEntries(
  ['error_status', 'message', 'status_code', 'response_body'].map((name) => [name, `$steps.hook.${name}`]),
);

/** Sends once to the address, or as often as `retry` says, and waits for the end. */
async function sendTo(flow: string, url: string) {
  const { status, body } = await triggerFlow(server, flow, { url });
  expect(status, JSON.stringify(body)).toBe(200);
  return { output: body.output, delivery: await deliveryOf(body.run_id) };
}

async function defineSending(name: string, properties: Record<string, unknown> = {}): Promise<void> {
  const step = webhook('hook', '$inputs.url', { fire_and_forget: false, request_timeout: 1, ...properties });
  await defineFlow(server, name, { inputs: ['url'], steps: [step], outputs: OUTPUTS, response: 'wait' });
}

const said = (fault: string) => ({
  error_status: true,
  status_code: null,
  response_body: null,
  message: expect.stringContaining(`Failed to send webhook notification. Internal error details: ${fault}`),
});
const connection = (port: number): string => `HTTPConnectionPool(host='127.0.0.1', port=${port}): `;

describe('what a receiver does is recorded, and said by the step', () => {
  const CASES: Record<string, (receiver: HostileReceiver) => { attempt: object; output: object }> = {
    '/hang': ({ port }) => ({
      attempt: { kind: 'timeout', status: null, error: 'no answer in time (headers)' },
      output: said(`${connection(port)}Read timed out. (read timeout=1)`),
    }),
    '/hang-body': ({ port }) => ({
      attempt: { kind: 'timeout', status: null, error: 'no answer in time (body)' },
      output: said(`${connection(port)}Read timed out. (read timeout=1)`),
    }),
    '/interim': ({ port }) => ({
      attempt: { kind: 'timeout', status: null, error: 'no answer in time (headers)' },
      output: said(`${connection(port)}Read timed out. (read timeout=1)`),
    }),
    '/reset': () => ({
      attempt: { kind: 'network', status: null, error: 'read ECONNRESET (ECONNRESET)' },
      output: said(`('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))`),
    }),
    '/cut-body': () => ({
      attempt: { kind: 'network', status: null, error: 'other side closed (UND_ERR_SOCKET)' },
      output: said('other side closed'),
    }),
    '/loop': () => ({
      attempt: { kind: 'network', status: null, error: 'Exceeded 30 redirects. (TOO_MANY_REDIRECTS)' },
      output: said('Exceeded 30 redirects.'),
    }),
    '/not-http': () => ({
      attempt: { kind: 'network', status: null, error: expect.stringContaining('(HPE_INVALID_RESPONSE)') },
      output: said(''),
    }),
    '/endless-headers': () => ({
      attempt: { kind: 'network', status: null, error: expect.stringContaining('(UND_ERR_HEADERS_OVERFLOW)') },
      output: said(''),
    }),
    '/status?code=500': ({ url }) => ({
      attempt: { kind: 'response', status: 500, error: null, response: { headers: { 'x-seen': 'yes' } } },
      output: {
        error_status: true,
        status_code: 500,
        response_body: 'as told',
        message: expect.stringContaining(`500 Server Error: Internal Server Error for url: ${url}/status`),
      },
    }),
    '/status?code=410': ({ url }) => ({
      attempt: { kind: 'response', status: 410, error: null },
      output: { error_status: true, status_code: 410, message: expect.stringContaining(`410 Client Error: Gone for url: ${url}/status`) },
    }),
    '/throttle': ({ url }) => ({
      attempt: { kind: 'response', status: 429, error: null, response: { headers: { 'retry-after': '7' } } },
      output: {
        error_status: true,
        status_code: 429,
        message: expect.stringContaining(`429 Client Error: Too Many Requests for url: ${url}`),
      },
    }),
    '/huge': () => ({
      attempt: { kind: 'response', status: 200, error: null, response: { body: { is_truncated: true } } },
      output: { error_status: false, status_code: 200, response_body: 'x'.repeat(16_384) },
    }),
    '/endless': () => ({
      attempt: { kind: 'response', status: 200, error: null, response: { body: { is_truncated: true } } },
      output: { error_status: false, status_code: 200, response_body: 'x'.repeat(16_384) },
    }),
    '/gzip-bomb': () => ({
      attempt: { kind: 'response', status: 200, error: null, response: { headers: { 'content-encoding': 'gzip' } } },
      output: { error_status: false, status_code: 200 },
    }),
  };

  test('each at its own end, all at once', { timeout: 30_000 }, async () => {
    await defineSending('once');
    const receiver = await startReceiver();
    const ends = Object.entries(CASES).map(async ([path, expected]) => {
      const { attempt, output } = expected(receiver);
      const sent = await sendTo('once', `${receiver.url}${path}`);
      expect(sent.delivery.attempts, path).toHaveLength(1);
      expect(sent.delivery.attempts[0], path).toMatchObject({ attempt: 1, ...attempt });
      expect(sent.output, path).toMatchObject(output);
      expect(sent.delivery.status, path).toBe(sent.output.error_status ? 'failed' : 'delivered');
      if (path.startsWith('/hang')) expect(sent.delivery.attempts[0]?.duration_ms, path).toBeGreaterThanOrEqual(990);
    });
    await Promise.all(ends);
    await until('every connection to be closed', () => receiver.isDeserted(), 10_000);
  });
});

describe('when it is tried again', () => {
  const retry = { max_retries: 2, base_seconds: 0, max_seconds: 0 };
  const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString();

  interface Case {
    title: string;
    status: number;
    retryAfter?: () => string;
    /** Of the delivery, and what each attempt was told. */
    end: string;
    told: number[];
    leastMs?: number;
    mostMs?: number;
  }

  const CASES: Case[] = [
    { title: '429 with seconds', status: 429, retryAfter: () => '1', end: 'delivered', told: [429, 200], leastMs: 1000, mostMs: 3000 },
    {
      title: '503 with a date',
      status: 503,
      retryAfter: () => inSeconds(2),
      end: 'delivered',
      told: [503, 200],
      leastMs: 950,
      mostMs: 4000,
    },
    { title: '429 with a date gone by', status: 429, retryAfter: () => inSeconds(-9), end: 'delivered', told: [429, 200], mostMs: 900 },
    { title: '429 with nonsense', status: 429, retryAfter: () => '-1e9 soon', end: 'delivered', told: [429, 200], mostMs: 900 },
    { title: '500 for ever', status: 500, end: 'failed', told: [500, 500, 500], mostMs: 900 },
    { title: '410', status: 410, retryAfter: () => '0', end: 'failed', told: [410] },
    { title: '404', status: 404, end: 'failed', told: [404] },
  ];

  test('is what the answer says, every attempt is kept, and the run waits for the last one', { timeout: 30_000 }, async () => {
    await defineSending('retrying', { retry });
    const ends = CASES.map(async ({ title, status, retryAfter, end, told, leastMs = 0, mostMs = Number.POSITIVE_INFINITY }) => {
      const headers = (): Record<string, string> => (retryAfter === undefined ? {} : { 'retry-after': retryAfter() });
      let tries = 0;
      const receiver = await startWebhookReceiver({ headers, status: () => told[tries++] ?? 599 });
      const { output, delivery } = await sendTo('retrying', receiver.url);
      expect(delivery.status, title).toBe(end);
      expect(
        delivery.attempts.map((attempt) => [attempt.attempt, attempt.kind, attempt.status]),
        title,
      ).toEqual(told.map((code, index) => [index + 1, 'response', code]));
      expect(told[0], title).toBe(status);
      expect(output, title).toMatchObject({ error_status: end === 'failed', status_code: told.at(-1) });
      expect(new Set(receiver.arrivals.map(({ key, body, headers: sent }) => `${key} ${body} ${sent['webhook-id']}`)).size, title).toBe(1);
      const times = delivery.attempts.map(({ started_at: at }) => Date.parse(at));
      for (const [index, at] of times.entries()) {
        if (index === 0) continue;
        expect(at - (times[index - 1] as number), title).toBeGreaterThanOrEqual(leastMs);
        expect(at - (times[index - 1] as number), title).toBeLessThan(mostMs);
      }
    });
    await Promise.all(ends);
  });
});

describe('while many receivers are hostile at once', () => {
  const MODES = ['hang', 'hang-body', 'interim', 'reset', 'loop', 'status?code=500', 'huge', 'endless', 'gzip-bomb', 'endless-headers'];
  const CALLS = 120;
  const MOST_GROWTH_MB = 60;

  interface Times {
    trigger: number;
    delivery: number;
    health: number;
  }

  interface HostileReport {
    behaviour: string;
    url: string;
    requests: number;
  }

  /** Returns how to ask the receivers how many requests they have had. */
  async function startHostileProcess(behaviours: readonly string[]): Promise<() => Promise<HostileReport[]>> {
    const program = join(import.meta.dirname, 'hostile-process.ts');
    const child = fork(program, behaviours, { execArgv: ['--import', 'tsx'] });
    onTestEnd(() => void child.kill('SIGKILL'));
    await once(child, 'message');
    return async () => {
      child.send('report');
      const [report] = (await once(child, 'message')) as [HostileReport[]];
      return report;
    };
  }

  /** One caller at a time: a trigger that sends nothing, one that waits for a healthy receiver, and /healthz. */
  async function measure(calls = CALLS): Promise<Times> {
    const times = { trigger: [] as number[], delivery: [] as number[], health: [] as number[] };
    const expectOk = async (name: string): Promise<void> => expect((await triggerFlow(server, name)).body.status).toBe('completed');
    for (let count = 0; count < calls; count += 1) {
      times.trigger.push(await timed(() => expectOk('plain')));
      times.delivery.push(await timed(() => expectOk('healthy')));
      times.health.push((await health(server)).ms);
    }
    return { trigger: p99(times.trigger), delivery: p99(times.delivery), health: p99(times.health) };
  }

  test('memory stays flat, and triggers, other deliveries and /healthz are as quick as before', { timeout: 60_000 }, async () => {
    const healthy = await startWebhookReceiver();
    await defineFlow(server, 'plain', { steps: [{ type: 'sluice/set@v1', name: 'a', values: { a: 1 } }], response: 'wait' });
    await defineFlow(server, 'healthy', { steps: [webhook('hook', healthy.url, AWAITED)], response: 'wait' });
    const retry = { max_retries: 20, base_seconds: 0.05, max_seconds: 0.2 };
    const step = webhook('hook', '$inputs.url', { request_timeout: 1, retry });
    await defineFlow(server, 'hostile', { inputs: ['url'], steps: [step] });

    await measure(CALLS / 3);
    const before = await measure();
    const baseline = rssMb(server);

    const hostile = await startHostileProcess(MODES);
    let isOver = false;
    let accepted = 0;
    let most = 0;
    const attack = async (url: string): Promise<void> => {
      while (!isOver) {
        expect((await triggerFlow(server, 'hostile', { url })).status).toBe(202);
        accepted += 1;
        most = Math.max(most, rssMb(server));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const attacks = (await hostile()).map(({ url }) => attack(url));
    await until('every one of them to be met', async () => (await hostile()).every(({ requests }) => requests > 3), 10_000);
    const during = await measure();
    isOver = true;
    await Promise.all(attacks);

    const offered = (await hostile()).find(({ behaviour }) => behaviour === 'huge')?.requests as number;
    const shown = (times: Times): string =>
      Object.entries(times)
        .map(([name, ms]) => `${name} ${ms.toFixed(1)}`)
        .join(', ');
    process.stdout.write(
      `hostile: ${accepted} runs, ${offered} bodies of 1 GB offered; p99 in ms before: ${shown(before)}; during: ${shown(during)}; ` +
        `RSS ${Math.round(baseline)} MB, at most ${Math.round(most)} MB\n`,
    );
    expect(offered).toBeGreaterThan(10);
    expect(most - baseline).toBeLessThan(MOST_GROWTH_MB);
    for (const name of ['trigger', 'delivery', 'health'] as const) expect(during[name], name).toBeLessThan(before[name] * 5 + 150);
  });
});
