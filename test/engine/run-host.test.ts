// The thread's side of large runs, without the thread: it answers in order, and survives a bug of a step type.

import { expect, test } from 'vitest';
import type { Ask, PlanLargeTurn } from '../../src/engine/large/messages.ts';
import { RunHost } from '../../src/engine/large/run-host.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';
import { set } from './run-support.ts';
import { INTERNAL_SECRET, testSteps } from './test-steps.ts';

const NOW = 1_767_225_600_000;

const hostRun = (steps: unknown[]) => {
  const host = new RunHost({
    tools: { placeholder: () => null, mask: (_runId, text) => text },
    stepTypes: createStepTypes([...builtinStepTypes, ...testSteps]),
    readReceived: () => {
      throw new Error('the body of this run is stored');
    },
    maxDecodedBytes: 2 ** 20,
  });
  const document = JSON.stringify({ version: '1.0', inputs: [], steps, outputs: [] });
  const run = {
    ...{ runId: 'run_1', sinkId: 'snk_1', workflow: { id: 'w', version: 1, document }, head: '{"files":[]}' },
    body: { stored: { kind: 'json' as const, bytes: Buffer.from('{}'), charset: 'utf-8' } },
    ...{ inputs: { mapping: {} }, isDry: false, kept: null, past: null },
  };
  const plan = (fields: Partial<PlanLargeTurn> = {}): Ask => ({
    id: 1,
    ask: 'plan',
    turn: { given: [], now: NOW, wallNow: NOW, recalled: [], ...fields },
  });
  return { start: () => host.answer({ id: 1, ask: 'start', run }), plan: (fields?: Partial<PlanLargeTurn>) => host.answer(plan(fields)) };
};

test('a bug of a step type is reported, and the run then fails with the steps that it had finished', async () => {
  const { start, plan } = hostRun([set('a', { value: 1 }), { type: 'test/throwing@v1', name: 'b' }]);
  expect(await start()).toMatchObject({ started: { kind: 'json' } });
  const report = await plan();
  expect(report).toMatchObject({ id: 1, broken: expect.stringContaining(INTERNAL_SECRET) });
  const error = { code: 'internal', message: 'an internal error ended the run' };
  const reply = await plan({ given: [{ kind: 'abort', error }] });
  expect(reply).toMatchObject({ planned: { kind: 'planned', effects: [], turn: { status: 'failed', error } } });
  expect(JSON.stringify(reply)).not.toContain(INTERNAL_SECRET);
  expect(reply).toMatchObject({ planned: { turn: { steps: [{ step: 'a', status: 'completed' }, { step: 'b' }] } } });
});

test('requests are answered in their order', async () => {
  const { start, plan } = hostRun([set('a', { value: 1 })]);
  const [started, planned] = await Promise.all([start(), plan()]);
  expect(started).toHaveProperty('started');
  expect(planned).toMatchObject({ planned: { turn: { status: 'completed' } } });
});
