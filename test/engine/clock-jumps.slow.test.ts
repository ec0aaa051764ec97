// The wall clock is set while the server runs, or while it is down, and the machine sleeps: what waits takes as long as it
// would have, and what is shown is what the wall clock shows.

import { expect, test } from 'vitest';
import type { SendOptions } from '../../src/delivery/sender.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { settableClocks } from '../support/settable-clocks.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { createReceiver } from './receiver.ts';
import { delay, getRun, output, post, reaches, set, startRun } from './run-support.ts';
import { testSteps } from './test-steps.ts';

const HOUR = 3_600_000;
const MONTH = 31 * 24 * HOUR;

function prepare() {
  const clocks = settableClocks();
  const dataDir = tempDir(onTestEnd);
  const receiver = createReceiver();
  const sent: Pick<SendOptions, 'now'>[] = [];
  const start = (): Promise<TestApp> =>
    startTestApp({
      dataDir,
      clocks,
      stepTypes: testSteps,
      send(message, options) {
        sent.push(options);
        return receiver.send(message, options);
      },
      settings: { drain_seconds: '0' },
    });
  return { clocks, receiver, sent, start };
}

const near = (iso: string, ms: number): boolean => Math.abs(Date.parse(iso) - ms) < 60_000;

test.each([
  ['back an hour', -HOUR],
  ['forward an hour', HOUR],
])('set %s: a wait and a retry that have begun take no longer', async (_name, byMs) => {
  const { clocks, receiver, start } = prepare();
  const app = await start();
  const waiting = await startRun(app, { steps: [delay('pause', 0.5)] });
  const retried = await startRun(app, { steps: [post('a', { retry: { max_retries: 1, base_seconds: 0.5 } })] });
  (await receiver.message(1)).answer(500);
  clocks.set(byMs);
  (await receiver.message(2)).answer(200);
  await reaches(app, retried, 'completed');
  await reaches(app, waiting, 'completed');
});

test('set forward an hour: what waits is not over early', async () => {
  const { clocks, start } = prepare();
  const app = await start();
  const long = await startRun(app, { steps: [delay('pause', 1800)] });
  clocks.set(HOUR);
  const short = await startRun(app, { steps: [delay('pause', 0.05)] });
  await reaches(app, short, 'completed');
  expect((await getRun(app, long)).status).toBe('waiting');
});

test('once it is noticed, the log says so, and what happens is shown by the new time', async () => {
  const { clocks, receiver, sent, start } = prepare();
  const app = await start();
  const before = await startRun(app, { steps: [set('a', { value: 1 })] });
  clocks.set(MONTH);
  await until('the jump to be noticed', () => app.logs.find((line) => line.includes('the wall clock was set forward')));
  const now = clocks.wall();
  const steps = [{ type: 'roboflow_core/current_time@v1', name: 'time' }, post('b')];
  const after = await startRun(app, { steps, outputs: [output('iso', '$steps.time.iso_string')] });
  (await receiver.message(1)).answer(200);
  const run = await reaches(app, after, 'completed');
  for (const shown of [run.created_at, run.finished_at, run.steps[0].started_at, `${run.output.iso}`])
    expect(shown).toSatisfy((iso: string) => near(iso, now));
  expect(Math.abs((sent[0]?.now ?? 0) - now), 'the time that a message is signed with').toBeLessThan(60_000);
  expect(Math.abs(run.request.received_at - now)).toBeLessThan(60_000);
  const [delivery] = (await app.admin('GET', '/deliveries')).body.deliveries;
  expect(delivery.created_at).toSatisfy((iso: string) => near(iso, now));
  const { attempts } = (await app.admin('GET', `/deliveries/${delivery.delivery_id}`)).body;
  expect(attempts[0].started_at).toSatisfy((iso: string) => near(iso, now));
  expect((await getRun(app, before)).created_at, 'what was before keeps its time').toSatisfy((iso: string) => near(iso, now - MONTH));
  const since = (ms: number) => app.admin('GET', `/runs?since=${new Date(ms).toISOString()}`);
  const idsSince = async (ms: number): Promise<string[]> => (await since(ms)).body.runs.map(({ run_id }: { run_id: string }) => run_id);
  expect(await idsSince(now - MONTH / 2)).toEqual([after]);
  expect(await idsSince(now - MONTH - HOUR)).toEqual([after, before]);
});

test('a date in Retry-After is read by the new time', async () => {
  const { clocks, receiver, start } = prepare();
  const app = await start();
  clocks.set(-HOUR);
  await until('the jump to be noticed', () => app.logs.find((line) => line.includes('the wall clock was set back')));
  const run = await startRun(app, { steps: [post('a', { retry: { max_retries: 1, base_seconds: 0 } })] });
  (await receiver.message(1)).answer(503, '', { 'retry-after': new Date(clocks.wall() + 600_000).toUTCString() });
  const delivery = await until('the next attempt to be known', async () => {
    const [found] = (await app.admin('GET', `/deliveries?run_id=${run}`)).body.deliveries;
    return found?.next_attempt_at === null ? null : found;
  });
  expect(delivery.next_attempt_at).toSatisfy((iso: string) => near(iso, clocks.wall() + 600_000));
});

test.each([
  ['while the server ran', true],
  ['while it was down', false],
])('set back an hour %s: after a restart nothing waits for the hour', async (_name, isRunning) => {
  const { clocks, start } = prepare();
  const first = await start();
  const run = await startRun(first, { steps: [delay('pause', 1)] });
  if (isRunning) {
    clocks.set(-HOUR);
    await until('the jump to be noticed', () => first.logs.find((line) => line.includes('the wall clock was set back')));
  }
  await first.close();
  if (!isRunning) clocks.set(-HOUR);
  const second = await start();
  await reaches(second, run, 'completed');
  const { created_at: shown } = await getRun(second, await startRun(second, { steps: [set('a', { value: 1 })] }));
  expect(shown).toSatisfy((iso: string) => near(iso, clocks.wall()));
});

test('set forward a month: a cooldown, an idempotency key and a history that have begun hold across a restart', async () => {
  const { clocks, start } = prepare();
  const hook = { type: 'roboflow_core/webhook_sink@v1', name: 'hook', url: 'http://receiver.test/', method: 'POST', cooldown_seconds: 900 };
  const steps = [hook];
  const definition = { steps, outputs: [output('throttled', '$steps.hook.throttling_status')] };
  const first = await start();
  const before = await startRun(first, definition);
  const keyed = async (app: TestApp): Promise<string> => {
    const response = await fetch(`${app.url}/shop/flow`, { method: 'POST', headers: { 'idempotency-key': 'k' } });
    return ((await response.json()) as { run_id: string }).run_id;
  };
  const original = await keyed(first);
  clocks.set(MONTH);
  await until('the jump to be noticed', () => first.logs.find((line) => line.includes('the wall clock was set forward')));
  expect(await keyed(first)).toBe(original);
  await first.close();
  const second = await start();
  expect(await keyed(second)).toBe(original);
  const after = await startRun(second, definition);
  expect(await reaches(second, after, 'completed')).toMatchObject({ output: { throttled: true } });
  expect((await second.admin('GET', '/runs')).body.runs.map(({ run_id }: { run_id: string }) => run_id)).toEqual([after, original, before]);
});

test('a sleep of the machine counts: what fell due meanwhile is done', async () => {
  const { clocks, start } = prepare();
  const app = await start();
  const overdue = await startRun(app, { steps: [delay('pause', 1800)] });
  clocks.sleep(HOUR);
  await until('the sleep to be noticed', () => app.logs.find((line) => line.includes('the machine slept')));
  await reaches(app, await startRun(app, { steps: [delay('pause', 0.05)] }), 'completed');
  await reaches(app, overdue, 'completed');
  expect(app.logs.join('')).not.toContain('the wall clock was set');
});
