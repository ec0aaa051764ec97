// One run in memory: its retry schedule, its due times and what each turn leaves to be written.

import { expect, test } from 'vitest';
import type { Request } from '../../src/core/run/request.ts';
import { planWorkflow } from '../../src/core/workflow/plan.ts';
import { Execution } from '../../src/engine/execution/execution.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';
import { testSteps } from './test-steps.ts';
import { unusedTools } from './unused-tools.ts';

const NOW = 1_767_225_600_000;
const stepTypes = createStepTypes([...builtinStepTypes, ...testSteps]);

function execute(steps: ({ type: string; name: string } & Record<string, unknown>)[], random = 1): Execution {
  const workflow = planWorkflow('w', 1, { version: '1.0', inputs: [], steps, outputs: [] });
  return new Execution(
    { ...unusedTools, stepTypes, random: () => random },
    {
      runId: 'run_1',
      sinkId: 'snk_1',
      workflow,
      request: {} as Request,
      inputs: {},
      bodyKind: 'empty',
      bodySize: 0,
      isDry: false,
      kept: null,
    },
  );
}

const failing = (retry?: Record<string, number>) => ({ type: 'sluice/fail@v1', name: 'f', ...(retry === undefined ? {} : { retry }) });

/** The waits before each further attempt, in ms, until the run has failed. */
function waits(execution: Execution): number[] {
  const found: number[] = [];
  for (let now = NOW; ; ) {
    execution.advance(now);
    const { wakeAt, status } = execution.takeTurn(now);
    if (wakeAt === null) {
      expect(status).toBe('failed');
      return found;
    }
    found.push(wakeAt - now);
    now = wakeAt;
  }
}

test('a step without a retry policy is tried once', () => {
  expect(waits(execute([failing()]))).toEqual([]);
});

test('each wait doubles, up to the longest, and after the last retry the run fails', () => {
  const retry = { max_retries: 6, base_seconds: 2, max_seconds: 20 };
  expect(waits(execute([failing(retry)]))).toEqual([2000, 4000, 8000, 16_000, 20_000, 20_000]);
});

test.each([0.25, 0.5, 0.999])('each wait is a random share of the doubled time: %d', (share) => {
  const retry = { max_retries: 3, base_seconds: 10, max_seconds: 1000 };
  expect(waits(execute([failing(retry)], share))).toEqual([10, 20, 40].map((seconds) => Math.round(seconds * share * 1000)));
});

test('an attempt counts from one, and the record says how the last one failed', () => {
  const execution = execute([failing({ max_retries: 1, base_seconds: 1 })]);
  execution.advance(NOW);
  expect(execution.takeTurn(NOW).steps).toMatchObject([{ status: 'waiting', attempt: 1, error: { code: 'failed' }, dueAt: NOW + 1000 }]);
  execution.advance(NOW + 1000);
  expect(execution.takeTurn(NOW + 1000).steps).toMatchObject([{ status: 'failed', attempt: 2, finishedAt: NOW + 1000, startedAt: NOW }]);
});

test.each([1, 14.999, 15, 15.001, 86_400])('a run that waits %d s is waiting until then, and nothing is sent', (seconds) => {
  const execution = execute([{ type: 'sluice/delay@v1', name: 'd', seconds }]);
  expect(execution.advance(NOW)).toEqual([]);
  expect(execution.takeTurn(NOW)).toMatchObject({ status: 'waiting', wakeAt: NOW + seconds * 1000 });
});

test('a run that waits for a delivery and for a time is waiting until that time', () => {
  const execution = execute([
    { type: 'sluice/delay@v1', name: 'd', seconds: 1 },
    { type: 'test/post@v1', name: 'p' },
  ]);
  execution.advance(NOW);
  const turn = execution.takeTurn(NOW);
  expect(turn).toMatchObject({ status: 'waiting', wakeAt: NOW + 1000 });
  expect(turn.deliveries).toMatchObject([{ id: 'dlv_1_1', step: 'p', isAwaited: true, origin: 'http://receiver.test' }]);
});

test('a run that waits for a delivery alone is woken by its end', () => {
  const execution = execute([{ type: 'test/post@v1', name: 'p' }]);
  execution.advance(NOW);
  expect(execution.takeTurn(NOW)).toMatchObject({ status: 'waiting', wakeAt: null });
});

test('a change is returned once: the next one holds only later changes', () => {
  const execution = execute([{ type: 'sluice/delay@v1', name: 'd', seconds: 1 }]);
  execution.advance(NOW);
  expect(execution.takeTurn(NOW)).toMatchObject({ lastSeq: 1, events: [{ seq: 1 }], steps: [{ step: 'd' }] });
  expect(execution.takeTurn(NOW)).toMatchObject({ lastSeq: 1, events: [], steps: [] });
});

test('a delay of no time, and a retry after no time, need no second turn', () => {
  const execution = execute([
    { type: 'sluice/delay@v1', name: 'd', seconds: 0 },
    { ...failing({ max_retries: 2, base_seconds: 0 }), times: 2 },
  ]);
  execution.advance(NOW);
  expect(execution.takeTurn(NOW)).toMatchObject({ status: 'completed', wakeAt: null });
});
