// Steps that send: the run is on disk before anything leaves, tries share one key, and the run bears what comes back.

import { expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { createReceiver } from './receiver.ts';
import { delay, eventsOf, getRun, output, post, reaches, set, startRun, stepOf, trigger } from './run-support.ts';
import { shareEngine } from './shared-engine.ts';
import { INTERNAL_SECRET, testSteps } from './test-steps.ts';

const start = shareEngine();

test('the run is on disk before anything is sent', async () => {
  const seen: unknown[] = [];
  const { send } = createReceiver(200);
  const app: TestApp = await startTestApp({
    stepTypes: testSteps,
    async send(request, options) {
      const runId = options.idempotencyKey.split(':')[0] as string;
      seen.push(await stepOf(app, runId, 'first'), await stepOf(app, runId, options.idempotencyKey.split(':')[1] as string));
      return await send(request, options);
    },
  });
  const runId = await startRun(app, { steps: [set('first', { value: 1 }), post('one'), post('two', { body: '$steps.one.status' })] });
  await reaches(app, runId, 'completed');
  const first = expect.objectContaining({ status: 'completed', outputs: { value: 1 } });
  const sending = (step: string) => expect.objectContaining({ step, status: 'waiting', attempt: 1 });
  expect(seen).toEqual([first, sending('one'), first, sending('two')]);
});

test('every try of a step carries the same idempotency key, and each step its own', async () => {
  const { app, receiver } = start();
  const retry = { max_retries: 5, base_seconds: 0.01 };
  const runId = await startRun(app, { steps: [post('a', { retry }), post('b')], outputs: [output('status', '$steps.a.status')] });
  (await receiver.message(2)).answer(200);
  (await receiver.message(1)).answer(500);
  (await receiver.message(3)).answer(503);
  (await receiver.message(4)).answer(201);
  const run = await reaches(app, runId, 'completed');
  expect(receiver.received.map(({ idempotencyKey }) => idempotencyKey)).toEqual([`${runId}:a`, `${runId}:b`, `${runId}:a`, `${runId}:a`]);
  expect(run).toMatchObject({ output: { status: 201 } });
  expect(await stepOf(app, runId, 'a')).toMatchObject({ status: 'completed', attempt: 1 });
});

test('a step that runs out of retries fails its run, and says how the last try ended', async () => {
  const { app, receiver } = start(503);
  const runId = await startRun(app, { steps: [post('a', { retry: { max_retries: 2, base_seconds: 0 } })] });
  const run = await reaches(app, runId, 'failed');
  expect(run.error).toEqual({ code: 'not_delivered', message: 'the receiver said 503', step: 'a' });
  expect(receiver.received).toHaveLength(3);
});

test('a permanent refusal is not tried again', async () => {
  const { app, receiver } = start(400);
  const runId = await startRun(app, { steps: [post('a', { retry: { max_retries: 5, base_seconds: 0 } })] });
  await reaches(app, runId, 'failed');
  expect(receiver.received).toHaveLength(1);
});

test('a send that breaks down is a failed delivery, and only the log says why', async () => {
  const { app, receiver } = start();
  const runId = await startRun(app, { steps: [post('a')] });
  (await receiver.message(1)).breakDown(new Error(INTERNAL_SECRET));
  const run = await reaches(app, runId, 'failed');
  expect(run.error).toMatchObject({ code: 'not_delivered' });
  expect(JSON.stringify([run, await eventsOf(app, runId)])).not.toContain(INTERNAL_SECRET);
  expect(app.logs.join('')).toContain(INTERNAL_SECRET);
});

test('a failed step ends the run, and awaited messages of its other branches are aborted', async () => {
  const { app, receiver } = start();
  const runId = await startRun(app, { steps: [post('a'), post('b')] });
  const slow = await receiver.message(1);
  (await receiver.message(2)).answer(400);
  await reaches(app, runId, 'failed');
  expect(slow.signal.aborted).toBe(true);
  slow.answer(200);
  const frames = await eventsOf(app, runId);
  expect(frames.at(-1)?.data).toMatchObject({ type: 'error', error: { step: 'b' } });
});

test.each([
  ['at once', []],
  ['after a pause', [delay('pause', 0.01, { on_success: ['$steps.a', '$steps.broken'] })]],
])('a run that fails %s in the turn that would send a message does not send it', async (_when, first) => {
  const { app, receiver } = start(200);
  const steps = [...first, post('a'), { type: 'sluice/fail@v1', name: 'broken' }];
  const runId = await startRun(app, { steps });
  await reaches(app, runId, 'failed');
  await startRun(app, { steps: [post('b')] });
  expect((await receiver.message(1)).idempotencyKey).toContain(':b');
});

test('awaited messages are aborted as well if the run paused and resumed since', async () => {
  const { app, receiver } = start();
  const steps = [
    post('slow'),
    delay('pause', 0.01),
    post('quick', { body: '$steps.pause.seconds' }),
    post('bad', { body: '$steps.quick.status' }),
  ];
  const runId = await startRun(app, { steps });
  const slow = await receiver.message(1);
  (await receiver.message(2)).answer(200);
  (await receiver.message(3)).answer(400);
  await reaches(app, runId, 'failed');
  expect(slow.signal.aborted).toBe(true);
});

test.each([{}, { overflow: { policy: 'reject', limit: 9 } }])(
  'cancelling a run aborts its messages and ends the stream once: %o',
  async (fields) => {
    const { app, receiver } = start();
    const runId = await startRun(app, { steps: [post('a', fields), post('b', { body: '$steps.a.status' })] });
    const message = await receiver.message(1);
    const stream = eventsOf(app, runId);
    expect((await app.admin('POST', `/runs/${runId}/cancel`)).status).toBe(200);
    expect(message.signal.aborted).toBe(true);
    message.answer(200);
    const frames = await stream;
    expect(frames.map(({ data }) => data.type)).toEqual(['progress', 'error']);
    expect(frames.at(-1)?.data.error.code).toBe('cancelled');
    expect((await getRun(app, runId)).status).toBe('cancelled');
    expect(receiver.received).toHaveLength(1);
    expect((await app.admin('POST', `/runs/${runId}/cancel`)).status).toBe(409);
  },
);

test('many runs send at the same time, each to its own end', async () => {
  const { app, receiver } = start();
  const first = await startRun(app, { steps: [post('a', { body: 1 }), post('b', { body: '$steps.a.answer' })] });
  const others = await Promise.all(Array.from({ length: 49 }, () => trigger(app)));
  await receiver.message(50);
  for (const { answer, idempotencyKey } of [...receiver.received]) answer(200, idempotencyKey);
  await receiver.message(100);
  for (const { answer } of receiver.received.slice(50)) answer(200);
  for (const runId of [first, ...others]) await reaches(app, runId, 'completed');
  expect(new Set(receiver.received.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(100);
  for (const { body, idempotencyKey } of receiver.received.slice(50)) expect(`${body}`).toBe(idempotencyKey.replace(/:b$/, ':a'));
});

test('a run that ends at once publishes its end once', async () => {
  const { app } = start(200);
  const runId = await startRun(app, { steps: ['a', 'b', 'c', 'd'].map((name) => post(name)) });
  await reaches(app, runId, 'completed');
  const frames = await eventsOf(app, runId);
  expect(frames.filter(({ data }) => data.type === 'complete')).toHaveLength(1);
  expect(frames.map(({ id }) => id)).toEqual(frames.map((_, index) => index + 1));
});
