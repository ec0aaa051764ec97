// The order of steps: in parallel where nothing orders them, after what they need, and only if they were chosen.

import { expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { delay, eventsOf, getRun, output, post, reaches, set, startRun, stepOf } from './run-support.ts';
import { shareEngine } from './shared-engine.ts';

const start = shareEngine();

test('steps that need nothing of one another run at the same time', async () => {
  const { app, receiver } = start();
  const runId = await startRun(app, { steps: [post('a', { body: 'a' }), post('b', { body: 'b' }), post('c', { body: 'c' })] });
  await receiver.message(3);
  expect(receiver.received.map(({ body }) => body)).toEqual(['a', 'b', 'c']);
  for (const message of receiver.received.toReversed()) message.answer(200);
  await reaches(app, runId, 'completed');
});

test('a step waits for the steps whose outputs it selects, and reads them', async () => {
  const { app, receiver } = start();
  const steps = [post('last', { body: { a: '$steps.a.answer', b: '$steps.b.answer' } }), post('a', { body: 1 }), post('b', { body: 2 })];
  const runId = await startRun(app, { steps, outputs: [output('answer', '$steps.last.answer')] });
  (await receiver.message(2)).answer(200, 'from b');
  await getRun(app, runId);
  expect(receiver.received).toHaveLength(2);
  (await receiver.message(1)).answer(200, 'from a');
  const last = await receiver.message(3);
  expect(last.body).toEqual({ a: 'from a', b: 'from b' });
  last.answer(200, 'done');
  expect((await reaches(app, runId, 'completed')).output).toEqual({ answer: 'done' });
});

test('only the steps that were chosen run; what hangs on the others is skipped and selects as null', async () => {
  const { app, receiver } = start();
  const steps = [
    { type: 'test/choose@v1', name: 'fork', pick: ['left'], next_steps: ['$steps.left', '$steps.right'] },
    set('left', { value: 'L' }),
    post('right', { body: 'R' }),
    set('after_right', { value: '$steps.right.answer' }),
    set('after_left', { value: '$steps.left.value' }),
  ];
  const outputs = [output('left', '$steps.after_left.value'), output('right', '$steps.after_right.value')];
  const runId = await startRun(app, { steps, outputs });
  const run = await reaches(app, runId, 'completed');
  expect(run.output).toEqual({ left: 'L', right: null });
  expect(run.progress).toBe(100);
  expect(Object.fromEntries(run.steps.map(({ step, status }: { step: string; status: string }) => [step, status]))).toEqual({
    fork: 'completed',
    left: 'completed',
    right: 'skipped',
    after_right: 'skipped',
    after_left: 'completed',
  });
  expect(receiver.received).toEqual([]);
});

test('a step that two others name runs once, when both have chosen it', async () => {
  const { app } = start();
  const steps = [
    delay('one', 0.01, { next_steps: ['$steps.end'] }),
    delay('two', 0.05, { next_steps: ['$steps.end'] }),
    set('end', { value: 1 }),
  ];
  const runId = await startRun(app, { steps });
  const run = await reaches(app, runId, 'completed');
  expect(run.steps.find(({ step }: { step: string }) => step === 'end')).toMatchObject({ status: 'completed', attempt: 1 });
  expect((await eventsOf(app, runId)).flatMap(({ data }) => data.step ?? [])).toEqual(['one', 'two']);
});

test('a step that one of two does not choose is skipped at once, and what joins the branches goes on without the other', async () => {
  const { app, receiver } = start();
  const steps = [
    { type: 'test/choose@v1', name: 'one', pick: [], next_steps: ['$steps.end'] },
    delay('two', 3600, { next_steps: ['$steps.end'] }),
    set('end', { value: 1 }),
    { type: 'roboflow_core/first_non_empty_or_default@v1', name: 'joined', data: ['$steps.end.value'], default: 'none' },
    post('told', { body: '$steps.joined.output' }),
  ];
  await startRun(app, { steps });
  expect((await receiver.message(1)).body).toBe('none');
});

test('a step runs when the first of two transitions leads to it, and no transition bypasses a gate', async () => {
  const { app } = start();
  const gate = (name: string, pick: string[]) => ({ type: 'test/choose@v1', name, pick, next_steps: ['$steps.open', '$steps.closed'] });
  const steps = [
    set('quick', {}, { on_success: ['$steps.either', '$steps.open', '$steps.closed'] }),
    delay('slow', 3600, { on_success: ['$steps.either', '$steps.open', '$steps.closed'] }),
    gate('gate', ['open']),
    set('either', { value: 1 }),
    set('open', { value: 1 }),
    set('closed', { value: 1 }),
  ];
  const runId = await startRun(app, { steps });
  await until('the closed step to be decided', async () => (await stepOf(app, runId, 'closed')) !== undefined);
  const { steps: records } = await getRun(app, runId);
  expect(records.map(({ step, status }: { step: string; status: string }) => `${step} ${status}`).sort()).toEqual([
    'closed skipped',
    'either completed',
    'gate completed',
    'open completed',
    'quick completed',
    'slow waiting',
  ]);
});

test('a delay holds back the steps that it names, and nothing else', async () => {
  const { app, receiver } = start();
  const steps = [delay('pause', 3600, { next_steps: ['$steps.late'] }), post('late', { body: 'late' }), post('at_once', { body: 'now' })];
  const runId = await startRun(app, { steps });
  const message = await receiver.message(1);
  expect(message.body).toBe('now');
  message.answer(200);
  await until('the step to be over', async () => (await stepOf(app, runId, 'at_once')).status === 'completed');
  const run = await getRun(app, runId);
  expect(run.status).toBe('waiting');
  expect(run.steps.map(({ step, status }: { step: string; status: string }) => `${step} ${status}`).sort()).toEqual([
    'at_once completed',
    'pause waiting',
  ]);
  expect(receiver.received).toHaveLength(1);
});

test('a waiting step is woken while another branch still sends', async () => {
  const { app, receiver } = start();
  const steps = [delay('pause', 0.05, { next_steps: ['$steps.after'] }), set('after', { value: 1 }), post('slow')];
  const runId = await startRun(app, { steps });
  const slow = await receiver.message(1);
  await until('the step after the pause', async () => (await stepOf(app, runId, 'after'))?.status === 'completed');
  expect((await getRun(app, runId)).status).toBe('waiting');
  slow.answer(200);
  await reaches(app, runId, 'completed');
});
