// Across a stop and a start: due times hold, finished steps stay finished, an interrupted send is repeated.

import { beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { createReceiver, type Received, type Receiver } from './receiver.ts';
import { delay, eventsOf, getRun, handClock, output, post, reaches, set, startRun, stepOf } from './run-support.ts';
import { testSteps } from './test-steps.ts';

const HOUR = 3_600_000;
const INTERRUPTED = 10;

const workflows = {
  overdue: {
    steps: [set('a', { value: 1 }), delay('pause', 3600, { next_steps: ['$steps.b'] }), set('b', { value: '$steps.a.value' })],
    outputs: [output('value', '$steps.b.value')],
  },
  early: { steps: [delay('pause', 7200)] },
  retried: { steps: [post('a', { retry: { max_retries: 1, base_seconds: 60, max_seconds: 60 } })] },
  sending: { steps: [post('a', { body: 'A' }), post('b', { body: '$steps.a.answer' }), post('c', { body: 'C' })] },
  interrupted: { steps: [post('a')] },
};

let receiver: Receiver;
let app: TestApp;
/** Run ids by workflow. */
const runs: Record<string, string> = {};
let interrupted: string[] = [];

const messagesOf = (key: string): Received[] => receiver.received.filter(({ idempotencyKey }) => idempotencyKey === key);
const message = (key: string, count = 1): Promise<Received> => until(`message ${count} of ${key}`, () => messagesOf(key)[count - 1]);

/** Starts a run of each workflow, stops the server in the midst of them, and starts it again an hour later. */
beforeAll(async () => {
  const cleanups: (() => void | Promise<void>)[] = [];
  const onEnd = (cleanup: () => void | Promise<void>): void => void cleanups.push(cleanup);
  const dataDir = tempDir(onEnd);
  const { clock, advance } = handClock();
  receiver = createReceiver();
  const start = () => startTestApp({ dataDir, clock, stepTypes: testSteps, send: receiver.send, settings: { drain_seconds: '0' }, onEnd });

  const before = await start();
  for (const [name, definition] of Object.entries(workflows)) runs[name] = await startRun(before, definition);
  interrupted = [runs['interrupted'] as string];
  while (interrupted.length < INTERRUPTED) interrupted.push(await startRun(before, workflows.interrupted));
  await before.workflow('flow', { steps: [delay('pause', 3600), set('b', { value: 'of another version' })] });
  (await message(`${runs['retried']}:a`)).answer(500);
  (await message(`${runs['sending']}:a`)).answer(200, 'from a');
  await message(`${runs['sending']}:b`);
  await reaches(before, runs['retried'] as string, 'waiting');
  for (const runId of interrupted) await message(`${runId}:a`);
  await before.close();

  advance(HOUR);
  app = await start();
  return async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  };
}, 20_000);

test('a delay that is over while the server is down is over when it starts, in the version that the run began with', async () => {
  const runId = runs['overdue'] as string;
  expect(await reaches(app, runId, 'completed')).toMatchObject({ output: { value: 1 }, progress: 100, workflow_version: 1 });
  expect((await eventsOf(app, runId)).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
});

test('a delay that is not over is waited for', async () => {
  await reaches(app, runs['overdue'] as string, 'completed');
  expect((await getRun(app, runs['early'] as string)).status).toBe('waiting');
});

test('a retry is due when it was due before the restart, and counts on', async () => {
  const runId = runs['retried'] as string;
  (await message(`${runId}:a`, 2)).answer(500);
  expect(await reaches(app, runId, 'failed')).toMatchObject({ error: { code: 'not_delivered', step: 'a' } });
  expect(await stepOf(app, runId, 'a')).toMatchObject({ status: 'failed', attempt: 1 });
  expect(messagesOf(`${runId}:a`)).toHaveLength(2);
});

test('a send that is interrupted is repeated with the same key and as the same try; finished steps are not', async () => {
  const runId = runs['sending'] as string;
  const [b, c] = [await message(`${runId}:b`, 2), await message(`${runId}:c`, 2)];
  expect([b.body, c.body]).toEqual(['from a', 'C']);
  expect(await stepOf(app, runId, 'b')).toMatchObject({ status: 'waiting', attempt: 1 });
  for (const { answer } of [b, c]) answer(200);
  await reaches(app, runId, 'completed');
  expect(messagesOf(`${runId}:a`)).toHaveLength(1);
  const frames = await eventsOf(app, runId);
  expect(frames.map(({ id }) => id)).toEqual(frames.map((_, index) => index + 1));
  expect(frames.filter(({ data }) => data.step === 'a')).toHaveLength(1);
});

test('a stop gives every run back that cannot finish in time, and the next start takes all of them up', async () => {
  for (const runId of interrupted) expect(messagesOf(`${runId}:a`)[0]?.signal.aborted).toBe(true);
  for (const runId of interrupted) {
    (await message(`${runId}:a`, 2)).answer(200);
    await reaches(app, runId, 'completed');
    expect(messagesOf(`${runId}:a`)).toHaveLength(2);
  }
});

test('a stop lets a send finish within the drain time; a type that is gone then fails its run as internal', async () => {
  const dataDir = tempDir();
  const other = createReceiver();
  const before = await startTestApp({ dataDir, stepTypes: testSteps, send: other.send, settings: { drain_seconds: '1' } });
  const finished = await startRun(before, { steps: [post('a'), post('b', { body: '$steps.a.status' })] });
  const first = await other.message(1);
  const abandoned = await startRun(before, { steps: [post('a')] });
  await other.message(2);
  const closed = before.close();
  first.answer(200);
  (await other.message(3)).answer(200);
  await closed;
  const after = await startTestApp({ dataDir, send: createReceiver(200).send });
  expect((await getRun(after, finished)).status).toBe('completed');
  expect(await reaches(after, abandoned, 'failed')).toMatchObject({ error: { code: 'internal' } });
});

test('a machine that slept while a run was sending does not send it again', async () => {
  const { clock, advance } = handClock();
  const other = createReceiver();
  const awake = await startTestApp({ clock, stepTypes: testSteps, send: other.send });
  await awake.workflow('soon', { steps: [delay('pause', 0.2)] });
  await awake.sink({ path: '/soon', workflow_id: 'soon', response: 'accept' });
  const runId = await startRun(awake, { steps: [post('a')] });
  const sent = await other.message(1);
  // What is due next makes the engine look for runs whose lease is over, its own among them.
  const { run_id: soon } = (await (await fetch(`${awake.url}/shop/soon`, { method: 'POST' })).json()) as { run_id: string };
  advance(HOUR);
  await reaches(awake, soon, 'completed');
  sent.answer(200);
  await reaches(awake, runId, 'completed');
  expect(other.received).toHaveLength(1);
});
