// What a caller reads of a run: progress that never falls and is 100 only at success, and one ending.

import { expect, test } from 'vitest';
import { allFrames, type Frame } from '../support/event-stream.ts';
import { shareApp } from '../support/shared-app.ts';
import { createReceiver } from './receiver.ts';
import { delay, output, post, set } from './run-support.ts';
import { INTERNAL_SECRET, testSteps } from './test-steps.ts';

const receiver = createReceiver(200);
const app = shareApp({ stepTypes: testSteps, send: receiver.send });

/** Saves the workflow under its own name and reads one run of it to the end. */
async function stream(name: string, definition: Record<string, unknown>, body = '{}'): Promise<Frame[]> {
  await app().workflow(name, definition);
  await app().sink({ path: `/${name}`, workflow_id: name });
  return await allFrames(
    await fetch(`${app().url}/shop/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }),
  );
}

function expectWellFormed(frames: Frame[]): void {
  expect(frames.map(({ id }) => id)).toEqual(frames.map((_, index) => index + 1));
  const progress = frames.slice(0, -1).map(({ data }) => data.progress as number);
  expect(progress[0]).toBe(0);
  expect(progress).toEqual(progress.toSorted((one, other) => one - other));
  expect(frames.slice(0, -1).every(({ data }) => data.type === 'progress')).toBe(true);
  const ending = frames.at(-1)?.data;
  expect(['complete', 'error']).toContain(ending.type);
  if (ending.type === 'complete') expect(progress.indexOf(100)).toBe(progress.length - 1);
  else expect(progress).not.toContain(100);
}

test('progress is steps done over steps planned, in whole per cent', async () => {
  const chain = ['b', 'c', 'd', 'e', 'f'].map((name, index) => set(name, { value: `$steps.${'abcdef'[index]}.value` }));
  const frames = await stream('six', { steps: [set('a', { value: 1 }), ...chain], outputs: [output('value', '$steps.f.value')] });
  expectWellFormed(frames);
  expect(frames.map(({ data }) => data.progress ?? data.output)).toEqual([0, 16, 33, 50, 66, 83, 100, { value: 1 }]);
  expect(frames.map(({ data }) => data.step)).toEqual([undefined, 'a', 'b', 'c', 'd', 'e', undefined, undefined]);
});

test('a run of many steps, some at once, some late and some retried, keeps its stream in order', async () => {
  const steps = [
    post('a'),
    post('b', { body: '$steps.a.status' }),
    delay('pause', 0.02),
    { type: 'sluice/fail@v1', name: 'shaky', times: 2, retry: { max_retries: 3, base_seconds: 0.01 } },
    set('end', { value: '$steps.shaky.attempts' }),
    ...Array.from({ length: 20 }, (_, index) => set(`s${index}`, { value: index })),
  ];
  const frames = await stream('many', { steps });
  expectWellFormed(frames);
  expect(frames.at(-1)?.data.type).toBe('complete');
  expect(frames.filter(({ data }) => data.step === 'shaky').map(({ data }) => data.message)).toEqual([
    expect.stringMatching(/^attempt 1 failed: .*; next in [\d.]+ s$/),
    expect.stringMatching(/^attempt 2 failed: /),
    undefined,
  ]);
  expect(frames.find(({ data }) => data.step === 'a')?.data.message).toBe('answered 200');
});

test('a workflow without steps completes at once', async () => {
  const frames = await stream('nothing', { outputs: [] });
  expectWellFormed(frames);
  expect(frames.map(({ data }) => data.progress ?? data.output)).toEqual([0, 100, {}]);
});

test('numbers come out as they went in', async () => {
  const definition = {
    inputs: [{ type: 'WorkflowParameter', name: 'ids' }],
    steps: [
      set('kept', { ids: '$inputs.ids' }),
      delay('pause', 0.01, { next_steps: ['$steps.again'] }),
      set('again', { ids: '$steps.kept.ids' }),
    ],
    outputs: [output('ids', '$steps.again.ids')],
  };
  const frames = await stream('numbers', definition, '{"ids":[9007199254740993,1.0,1e400,-0]}');
  expect(frames.at(-1)?.text).toContain('"output":{"ids":[9007199254740993,1.0,1e400,-0]}');
});

test('a step that fails ends the run with one error event that names it', async () => {
  const steps = [set('a', { value: 1 }), { type: 'sluice/fail@v1', name: 'broken', code: 'out_of_stock', message: 'nothing left' }];
  const frames = await stream('failing', { steps });
  expectWellFormed(frames);
  expect(frames.at(-1)?.data).toMatchObject({ type: 'error', error: { code: 'out_of_stock', message: 'nothing left', step: 'broken' } });
});

test.each([
  ['while it plans', 'test/throwing@v1'],
  ['while it interprets', 'test/throwing-later@v1'],
])('a step type that throws %s fails the run as internal, and tells the caller nothing of it', async (what, type) => {
  const name = `bug-${what.length}`;
  const frames = await stream(name, { steps: [set('a', { value: 1 }), { type, name: 'b' }] });
  expectWellFormed(frames);
  expect(frames.at(-1)?.data.error).toEqual({ code: 'internal', message: 'an internal error ended the run' });
  const runId = frames[0]?.data.run_id;
  const { body } = await app().admin('GET', `/runs/${runId}`);
  expect(body).toMatchObject({ status: 'failed', error: { code: 'internal' } });
  expect(JSON.stringify([frames, body])).not.toContain(INTERNAL_SECRET);
  expect(app().logs.join('')).toContain(INTERNAL_SECRET);
});
