// Loops of a running server: what is sent in each visit, what callers see of it, and that a restart in the midst of one
// neither loses nor repeats a visit.

import { expect, test } from 'vitest';
import { startTestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { createReceiver } from './receiver.ts';
import { delay, eventsOf, getRun, handClock, output, post, reaches, startRun, trigger } from './run-support.ts';
import { shareEngine } from './shared-engine.ts';
import { testSteps } from './test-steps.ts';

const start = shareEngine();

const visitsOf = (run: any): string[] => run.steps.map(({ step, visit, status }: any) => `${step} ${visit} ${status}`);

const byVisit = (one: string, other: string): number => Number(one.split(' ')[1]) - Number(other.split(' ')[1]) || one.localeCompare(other);

/** Sends until the receiver takes it, with a pause between. */
const asking = {
  steps: [
    post('ask', { body: 'please', on_failure: ['$steps.pause'], on_success: ['$steps.thank'] }),
    delay('pause', 60, { on_success: ['$steps.ask'] }),
    post('thank', { body: '$steps.ask.answer' }),
  ],
  outputs: [output('answer', '$steps.ask.answer')],
};

test('each visit of a step that sends has a delivery of its own, with an id and a key that hold through its retries', async () => {
  const { app, receiver } = start();
  const definition = {
    steps: [post('a', { retry: { max_retries: 1, base_seconds: 0 }, on_failure: ['$steps.a'] })],
    outputs: [output('answer', '$steps.a.answer')],
  };
  const runId = await startRun(app, definition);
  for (const [index, status] of [500, 500, 503, 200].entries()) (await receiver.message(index + 1)).answer(status, 'at last');
  const run = await reaches(app, runId, 'completed');
  expect(run.output).toEqual({ answer: 'at last' });
  expect(receiver.received.map(({ idempotencyKey }) => idempotencyKey)).toEqual([
    `${runId}:a`,
    `${runId}:a`,
    `${runId}:a:2`,
    `${runId}:a:2`,
  ]);
  const id = `dlv_${runId.slice('run_'.length)}_0`;
  expect(run.deliveries).toMatchObject([
    { delivery_id: id, status: 'failed', attempt_count: 2 },
    { delivery_id: `${id}_2`, status: 'delivered', attempt_count: 2 },
  ]);
  expect((await app.admin('GET', `/deliveries/${id}_2`)).body).toMatchObject({
    delivery_id: `${id}_2`,
    attempts: [{ status: 503 }, { status: 200 }],
  });
  expect((await app.admin('POST', '/deliveries/retry', { ids: [`${id}_2`] })).status).toBe(202);
});

test('the stream names the step that the run returns to, and every visit is listed', async () => {
  const { app, receiver } = start();
  const steps = [
    post('a'),
    post('check', { body: '$steps.a.status', on_failure: ['$steps.a'] }),
    post('end', { body: '$steps.check.status' }),
  ];
  const runId = await startRun(app, { steps });
  for (const [index, status] of [200, 400, 200, 200, 200].entries()) (await receiver.message(index + 1)).answer(status);
  const run = await reaches(app, runId, 'completed');
  expect(visitsOf(run)).toEqual(['a 1 completed', 'check 1 failed', 'a 2 completed', 'check 2 completed', 'end 1 completed']);
  const frames = await eventsOf(app, runId);
  expect(frames.map(({ data }) => data).slice(1, 5)).toMatchObject([
    { step: 'a', progress: 33, message: 'answered 200' },
    { step: 'check', progress: 66, message: 'failed: the receiver said 400' },
    { step: 'check', progress: 66, message: 'back to a, visit 2 of 6' },
    { step: 'a', progress: 66 },
  ]);
  expect(frames.at(-1)?.data.type).toBe('complete');
});

test('a run that goes back too often fails, and the caller reads why', async () => {
  const { app } = start(400);
  const runId = await startRun(app, { steps: [post('a', { max_visits: 3, on_failure: ['$steps.a'] })] });
  const run = await reaches(app, runId, 'failed');
  expect(run.error).toMatchObject({ code: 'too_many_visits', step: 'a', message: expect.stringContaining('may be visited 3 times') });
  expect(visitsOf(run)).toEqual(['a 1 failed', 'a 2 failed', 'a 3 failed']);
});

test('what a step sends in the background goes on when it is visited again, and arrives under a key of its visit', async () => {
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const receiver = await startWebhookReceiver({ wait: () => gate });
  const app = await startTestApp({ stepTypes: testSteps, settings: { outbound_allow: '127.0.0.0/8' } });
  const tell = { type: 'roboflow_core/webhook_sink@v1', name: 'tell', url: receiver.url, method: 'POST', fire_and_forget: true };
  const check = {
    type: 'test/visit@v1',
    name: 'check',
    reads: '$steps.tell.message',
    visits: [{}, {}, { chosen: [] }],
    transitions: ['$steps.tell'],
  };
  const runId = await startRun(app, { steps: [{ ...tell, cooldown_seconds: 0 }, check] });
  const run = await reaches(app, runId, 'completed');
  expect(visitsOf(run)).toEqual([1, 2, 3].flatMap((number) => [`tell ${number} completed`, `check ${number} completed`]));
  await until('three messages at once', () => receiver.arrivals.length === 3);
  letGo();
  const id = `dlv_${runId.slice('run_'.length)}_0`;
  expect(receiver.arrivals.map(({ key, headers }) => `${key} ${headers['webhook-id']}`).sort()).toEqual([
    `${runId}:tell ${id}`,
    `${runId}:tell:2 ${id}_2`,
    `${runId}:tell:3 ${id}_3`,
  ]);
  await until('all to be delivered', async () => (await getRun(app, runId)).deliveries.every(({ status }: any) => status === 'delivered'));
});

test('a loop through a pause goes on across restarts in the midst of it, and sends nothing twice', async () => {
  const dataDir = tempDir();
  const { clock, advance } = handClock();
  const receiver = createReceiver();
  const open = () => startTestApp({ dataDir, clock, stepTypes: testSteps, send: receiver.send, settings: { drain_seconds: '0' } });
  let app = await open();
  const runId = await startRun(app, asking);
  const restart = async (): Promise<void> => {
    await app.close();
    app = await open();
  };
  for (const [visit, status] of [
    [1, 400],
    [2, 400],
    [3, 200],
  ] as const) {
    const key = visit === 1 ? `${runId}:ask` : `${runId}:ask:${visit}`;
    const message = await receiver.message(visit);
    expect(message.idempotencyKey).toBe(key);
    message.answer(status, 'yes');
    if (status === 200) break;
    await reaches(app, runId, 'waiting');
    await restart();
    expect((await getRun(app, runId)).status).toBe('waiting');
    advance(60_000);
    await restart();
  }
  const thanks = await receiver.message(4);
  expect(thanks).toMatchObject({ body: 'yes', idempotencyKey: `${runId}:thank:3` });
  thanks.answer(200);
  const run = await reaches(app, runId, 'completed');
  expect(visitsOf(run).sort(byVisit)).toEqual([
    'ask 1 failed',
    'pause 1 completed',
    'thank 1 skipped',
    'ask 2 failed',
    'pause 2 completed',
    'thank 2 skipped',
    'ask 3 completed',
    'pause 3 skipped',
    'thank 3 completed',
  ]);
  expect(receiver.received).toHaveLength(4);
});

test('a send of a later visit that a stop interrupts is repeated under the same key', async () => {
  const dataDir = tempDir();
  const receiver = createReceiver();
  const open = () => startTestApp({ dataDir, stepTypes: testSteps, send: receiver.send, settings: { drain_seconds: '0' } });
  const before = await open();
  const runId = await startRun(before, { steps: [post('a', { on_failure: ['$steps.a'] })] });
  (await receiver.message(1)).answer(400);
  await receiver.message(2);
  await before.close();
  const app = await open();
  (await receiver.message(3)).answer(200);
  const run = await reaches(app, runId, 'completed');
  expect(receiver.received.slice(1).map(({ idempotencyKey }) => idempotencyKey)).toEqual([`${runId}:a:2`, `${runId}:a:2`]);
  expect(visitsOf(run)).toEqual(['a 1 failed', 'a 2 completed']);
});

test('each run of a workflow goes its own rounds', async () => {
  const { app, receiver } = start();
  const definition = { steps: [post('a', { body: '$request.body', on_failure: ['$steps.a'] })] };
  const first = await startRun(app, definition, { n: 0 });
  const others = await Promise.all([1, 2, 3].map((number) => trigger(app, { n: number })));
  await receiver.message(4);
  for (const { answer, idempotencyKey } of [...receiver.received]) answer(idempotencyKey.startsWith(first) ? 400 : 200);
  (await receiver.message(5)).answer(200);
  for (const runId of [first, ...others]) await reaches(app, runId, 'completed');
  expect(visitsOf(await getRun(app, first))).toEqual(['a 1 failed', 'a 2 completed']);
  expect(receiver.received).toHaveLength(5);
});
