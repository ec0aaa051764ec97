// Across a stop and a start: due times hold, finished steps stay finished, an interrupted send is repeated.

import { expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { createReceiver } from './receiver.ts';
import { delay, eventsOf, getRun, handClock, output, post, reaches, set, startRun, stepOf } from './run-support.ts';
import { testSteps } from './test-steps.ts';

const HOUR = 3_600_000;

/** An application that can be stopped and started again on the same data, under a clock of ours. */
function restartable(receiver = createReceiver(), settings: Record<string, string> = {}) {
  const dataDir = tempDir();
  const { clock, advance } = handClock();
  const start = (): Promise<TestApp> => startTestApp({ dataDir, clock, stepTypes: testSteps, send: receiver.send, settings });
  return { start, advance, receiver };
}

test('a delay that is over while the server is down is over when it starts', async () => {
  const { start, advance } = restartable();
  const before = await start();
  const steps = [set('a', { value: 1 }), delay('pause', 3600, { next_steps: ['$steps.b'] }), set('b', { value: '$steps.a.value' })];
  const runId = await startRun(before, { steps, outputs: [output('value', '$steps.b.value')] });
  await before.close();
  advance(HOUR);
  const after = await start();
  expect(await reaches(after, runId, 'completed')).toMatchObject({ output: { value: 1 }, progress: 100 });
  expect((await eventsOf(after, runId)).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
});

test('a delay that is not over is waited for, though the clock is set back', async () => {
  const { start, advance } = restartable();
  const first = await start();
  const runId = await startRun(first, { steps: [delay('pause', 3600)] });
  await first.close();
  advance(-2 * HOUR);
  const second = await start();
  expect((await getRun(second, runId)).status).toBe('waiting');
  await second.close();
  advance(3 * HOUR);
  await reaches(await start(), runId, 'completed');
});

test('a retry is due when it was due before the restart, and counts on', async () => {
  const { start, advance, receiver } = restartable();
  const before = await start();
  const runId = await startRun(before, { steps: [post('a', { retry: { max_retries: 1, base_seconds: 60, max_seconds: 60 } })] });
  (await receiver.message(1)).answer(500);
  await reaches(before, runId, 'waiting');
  await before.close();
  advance(60_000);
  const after = await start();
  (await receiver.message(2)).answer(500);
  expect(await reaches(after, runId, 'failed')).toMatchObject({ error: { code: 'not_delivered', step: 'a' } });
  expect(await stepOf(after, runId, 'a')).toMatchObject({ attempt: 2 });
});

test('a send that is interrupted is repeated with the same key and as the same try; finished steps are not', async () => {
  const { start, receiver } = restartable(createReceiver(), { drain_seconds: '0' });
  const before = await start();
  const runId = await startRun(before, {
    steps: [post('a', { body: 'A' }), post('b', { body: '$steps.a.answer' }), post('c', { body: 'C' })],
  });
  await receiver.message(2);
  receiver.received.find(({ body }) => body === 'A')?.answer(200, 'from a');
  const interrupted = await receiver.message(3);
  await before.close();
  expect(interrupted.signal.aborted).toBe(true);

  const after = await start();
  await receiver.message(5);
  const repeated = receiver.received.slice(3).map(({ idempotencyKey, body }) => ({ idempotencyKey, body }));
  expect(repeated).toEqual(
    expect.arrayContaining([
      { idempotencyKey: `${runId}:b`, body: 'from a' },
      { idempotencyKey: `${runId}:c`, body: 'C' },
    ]),
  );
  expect(await stepOf(after, runId, 'b')).toMatchObject({ status: 'running', attempt: 1 });
  for (const message of receiver.received.slice(3)) message.answer(200);
  await reaches(after, runId, 'completed');
  expect(receiver.received.filter(({ idempotencyKey }) => idempotencyKey === `${runId}:a`)).toHaveLength(1);
  const frames = await eventsOf(after, runId);
  expect(frames.map(({ id }) => id)).toEqual(frames.map((_, index) => index + 1));
  expect(frames.filter(({ data }) => data.step === 'a')).toHaveLength(1);
});

test('a stop lets a send finish within the drain time', async () => {
  const { start, receiver } = restartable();
  const before = await start();
  const runId = await startRun(before, { steps: [post('a'), post('b', { body: '$steps.a.status' })] });
  const message = await receiver.message(1);
  const closed = before.close();
  message.answer(200);
  (await receiver.message(2)).answer(200);
  await closed;
  expect(receiver.received).toHaveLength(2);
  const after = await start();
  expect((await getRun(after, runId)).status).toBe('completed');
  expect(receiver.received).toHaveLength(2);
});

test('a stop gives back every run that cannot finish in time, and the next start takes all of them up', async () => {
  const { start, receiver } = restartable(createReceiver(), { drain_seconds: '0' });
  const before = await start();
  const runIds = [await startRun(before, { steps: [post('a')] })];
  for (let count = 0; count < 9; count += 1) runIds.push(await startRun(before, { steps: [post('a')] }));
  await receiver.message(10);
  await before.close();
  expect(receiver.received.every(({ signal }) => signal.aborted)).toBe(true);
  const after = await start();
  await receiver.message(20);
  for (const { answer } of receiver.received.slice(10)) answer(200);
  for (const runId of runIds) await reaches(after, runId, 'completed');
  const keys = receiver.received.map(({ idempotencyKey }) => idempotencyKey).sort();
  expect(keys).toEqual(runIds.flatMap((runId) => [`${runId}:a`, `${runId}:a`]).sort());
});

test('a run keeps the version of the workflow that it started with', async () => {
  const { start, advance } = restartable();
  const before = await start();
  const version = (value: number) => ({
    steps: [delay('pause', 3600, { next_steps: ['$steps.end'] }), set('end', { value })],
    outputs: [output('value', '$steps.end.value')],
  });
  const runId = await startRun(before, version(1));
  await before.workflow('flow', version(2));
  await before.close();
  advance(HOUR);
  expect(await reaches(await start(), runId, 'completed')).toMatchObject({ workflow_version: 1, output: { value: 1 } });
});

test('a step type that is no longer installed fails the run as internal', async () => {
  const dataDir = tempDir();
  const before = await startTestApp({ dataDir, stepTypes: testSteps, send: createReceiver().send, settings: { drain_seconds: '0' } });
  const runId = await startRun(before, { steps: [post('a')] });
  await reaches(before, runId, 'running');
  await before.close();
  const after = await startTestApp({ dataDir });
  expect(await reaches(after, runId, 'failed')).toMatchObject({ error: { code: 'internal' } });
});

test('a machine that slept while a run was sending does not send it again', async () => {
  const { start, advance, receiver } = restartable();
  const app = await start();
  await app.workflow('soon', { steps: [delay('pause', 0.2)] });
  await app.sink({ path: '/soon', workflow_id: 'soon', response: 'accept' });
  const runId = await startRun(app, { steps: [post('a')] });
  const message = await receiver.message(1);
  // What is due next makes the engine look for runs whose lease is over, its own among them.
  const { run_id: soon } = (await (await fetch(`${app.url}/shop/soon`, { method: 'POST' })).json()) as { run_id: string };
  advance(HOUR);
  await reaches(app, soon, 'completed');
  message.answer(200);
  await reaches(app, runId, 'completed');
  expect(receiver.received).toHaveLength(1);
});

test('runs get new ids after the clock was set back, though all ids of that time are taken', async () => {
  const { start } = restartable();
  const before = await start();
  const first = await startRun(before, { steps: [set('a', { value: 1 })] });
  await before.close();
  const after = await start();
  const second = await startRun(after, { steps: [set('a', { value: 1 })] });
  expect(second).not.toBe(first);
  expect((await getRun(after, first)).status).toBe('completed');
  expect((await getRun(after, second)).status).toBe('completed');
});
