// Control flow: the steps that run next, and the memory for the sink's next run.

import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../src/core/json/json.ts';
import { continueIf } from '../../../src/steps/roboflow/continue-if.ts';
import { deltaFilter } from '../../../src/steps/roboflow/delta-filter.ts';
import { rateLimiter } from '../../../src/steps/roboflow/rate-limiter.ts';
import { switchCase } from '../../../src/steps/roboflow/switch-case.ts';
import type { StepContext, StepPlan } from '../../../src/steps/step-type.ts';
import { faultsOf, NOW, stepContext } from './step-context.ts';

const ended = { kind: 'completed', outputs: {}, chosen: [] };

function chosen(...names: string[]): object {
  return { kind: 'completed', outputs: {}, chosen: names };
}

describe('roboflow_core/continue_if@v1', () => {
  const condition = {
    type: 'StatementGroup',
    statements: [
      {
        type: 'BinaryStatement',
        left_operand: { type: 'DynamicOperand', operand_name: 'left' },
        comparator: { type: '(Number) ==' },
        right_operand: { type: 'StaticOperand', value: 1 },
      },
    ],
  };
  const manifest = { condition_statement: condition, next_steps: ['$steps.on_true', '$steps.too'] };
  const plan = (left: unknown, given: object = {}, context: Partial<StepContext> = {}): StepPlan =>
    continueIf.plan({ ...manifest, evaluation_parameters: { left }, ...given }, stepContext(context));

  test('continue_if runs the branch if the condition is true, and ends it otherwise', () => {
    expect(plan(1)).toEqual(chosen('on_true', 'too'));
    expect(plan(2)).toEqual(ended);
  });

  test('continue_if without next steps ends the branch without evaluating the condition', () => {
    expect(plan('no number', { next_steps: [], evaluation_parameters: {} })).toEqual(ended);
  });

  test('continue_if remembers when the condition was true, and runs the branch for the delay after it', () => {
    expect(plan(1, { stop_delay: 2 })).toEqual({ ...chosen('on_true', 'too'), remember: { held_at: NOW } });
    expect(plan(2, { stop_delay: 2 }, { memory: { held_at: NOW - 2000 } })).toEqual(chosen('on_true', 'too'));
    expect(plan(2, { stop_delay: '2' }, { memory: { held_at: NOW - 2001 } })).toEqual(ended);
    expect(plan(2, { stop_delay: 2 })).toEqual(ended);
  });

  test('continue_if without a delay keeps no memory', () => {
    expect(continueIf.memoryKey?.(manifest, { step: 'a', written: {} })).toBeNull();
    expect(continueIf.memoryKey?.({ ...manifest, stop_delay: 1 }, { step: 'a', written: {} })).toBe('continue_if:a');
  });

  test('continue_if fails and names the value that is missing or cannot be compared', () => {
    const compare = structuredClone(condition);
    (compare.statements[0] as { comparator: object }).comparator = { type: '(Number) >' };
    expect(plan('x', { condition_statement: compare })).toMatchObject({
      kind: 'failed',
      retryable: false,
      error: { code: 'operation_failed' },
    });
    expect(plan(1, { evaluation_parameters: {} })).toMatchObject({
      kind: 'failed',
      error: { code: 'operation_failed', message: expect.stringContaining('undefined symbol `left`') },
    });
  });

  test('continue_if fails for a selected delay that is not a number', () => {
    expect(plan(1, { stop_delay: 'soon' })).toMatchObject({ error: { message: 'stop_delay must be a number, but is "soon"' } });
  });

  test('continue_if refuses an invalid condition, literals as parameters, and a target that is not a step', () => {
    expect(faultsOf(continueIf, manifest)).toEqual([]);
    expect(faultsOf(continueIf, { ...manifest, evaluation_parameters: { left: '$inputs.x' }, whatever: 1 })).toEqual([]);
    expect(faultsOf(continueIf, { ...manifest, condition_statement: { type: 'StatementGroup', statements: [] } })).toEqual([
      'condition_statement.statements: must be a list of at least one statement',
    ]);
    expect(faultsOf(continueIf, { ...manifest, evaluation_parameters: { left: 'one' } })).toEqual([
      'evaluation_parameters.left: must be a selector of a value, such as "$inputs.x" or "$steps.name.output"',
    ]);
    expect(faultsOf(continueIf, { ...manifest, next_steps: ['$inputs.a'] })).toEqual([
      'next_steps[0]: must name a step, such as "$steps.name"',
    ]);
    for (const delay of [-1, 0, '0', false, '$inputs.s', null])
      expect(faultsOf(continueIf, { ...manifest, stop_delay: delay })).toEqual(['stop_delay: must be a number above 0']);
  });
});

describe('roboflow_core/switch_case@v1', () => {
  const manifest = {
    cases: { red: '$steps.on_red', True: '$steps.on_true', '1.0': '$steps.on_one' },
    default_next_steps: ['$steps.fallback'],
  };
  const plan = (value: unknown, given: object = {}): StepPlan => switchCase.plan({ ...manifest, value, ...given }, stepContext());

  for (const [value, step] of [
    ['red', 'on_red'],
    [true, 'on_true'],
    [parseJson('1.0'), 'on_one'],
    [1, 'fallback'],
    ['RED', 'fallback'],
    [null, 'fallback'],
    [['red'], 'fallback'],
    ['__proto__', 'fallback'],
    ['constructor', 'fallback'],
  ] as const) {
    test(`switch_case runs ${step} for ${JSON.stringify(String(value))}`, () => {
      expect(plan(value)).toEqual(chosen(step));
    });
  }

  test('switch_case matches the text that Python writes: None, 5, lists', () => {
    expect(plan(null, { cases: { None: '$steps.none' } })).toEqual(chosen('none'));
    expect(plan(5, { cases: { '5': '$steps.five' } })).toEqual(chosen('five'));
    expect(plan(['a', 1], { cases: { "['a', 1]": '$steps.list' } })).toEqual(chosen('list'));
  });

  test('switch_case ignores upper and lower case if configured', () => {
    expect(plan('RED', { case_insensitive: true })).toEqual(chosen('on_red'));
    expect(plan(true, { case_insensitive: 'yes' })).toEqual(chosen('on_true'));
  });

  test('switch_case ends the branch if nothing matches and there is no default', () => {
    expect(plan('green', { default_next_steps: [] })).toEqual(ended);
    expect(switchCase.plan({ value: 'x' }, stepContext())).toEqual(ended);
  });

  test('switch_case refuses a repeated step, colliding cases, and a target that is not a step', () => {
    for (const value of ['$inputs.mode', '$steps.classifier.top', 'red', 5, 1.5, true]) expect(faultsOf(switchCase, { value })).toEqual([]);
    expect(faultsOf(switchCase, { value: 'x', cases: { a: '$steps.s', b: '$steps.s' } })).toEqual([
      ": Each step may be targeted at most once across `cases` and `default_next_steps`. Duplicated targets: ['$steps.s']",
    ]);
    expect(faultsOf(switchCase, { value: 'x', cases: { a: '$steps.s' }, default_next_steps: ['$steps.s'] })).toHaveLength(1);
    expect(faultsOf(switchCase, { value: 'x', cases: { a: '$steps.s', A: '$steps.t' }, case_insensitive: true })).toEqual([
      'cases: `cases` contains keys that collide when case_insensitive is enabled',
    ]);
    expect(faultsOf(switchCase, { value: 'x', cases: { a: '$steps.s', A: '$steps.t' } })).toEqual([]);
    expect(faultsOf(switchCase, { value: 'x', cases: { a: 'step' } })).toEqual(['cases.a: must name a step, such as "$steps.name"']);
    expect(faultsOf(switchCase, { cases: {} })).toEqual([': field "value" is missing']);
  });
});

describe('roboflow_core/rate_limiter@v1', () => {
  const manifest = { cooldown_seconds: 10, depends_on: 'anything', next_steps: ['$steps.upload'] };
  const plan = (given: object = {}, memory: unknown = null): StepPlan =>
    rateLimiter.plan({ ...manifest, ...given }, stepContext({ memory }));

  test('rate_limiter lets the first run pass, and remembers it', () => {
    expect(plan()).toEqual({ ...chosen('upload'), remember: { passed_at: NOW } });
  });

  test('rate_limiter ends the branch until the period since the last pass is over; ended branches do not extend it', () => {
    expect(plan({}, { passed_at: NOW - 9999 })).toEqual(ended);
    expect(plan({}, { passed_at: NOW - 10_000 })).toMatchObject(chosen('upload'));
    expect(plan({ cooldown_seconds: undefined }, { passed_at: NOW - 999 })).toEqual(ended);
    expect(plan({ cooldown_seconds: parseJson('1.0') }, { passed_at: NOW - 1000 })).toMatchObject(chosen('upload'));
    expect(plan({ cooldown_seconds: 0 }, { passed_at: NOW })).toMatchObject(chosen('upload'));
  });

  test('rate_limiter uses the time of a video frame if there is one', () => {
    const frame = (number: unknown, fps: unknown = 10): object => ({ video_metadata: { fps, frame_number: number } });
    expect(plan({ video_reference_image: frame(50) })).toMatchObject({ remember: { passed_at: 5000 } });
    expect(plan({ video_reference_image: frame(149) }, { passed_at: 5000 })).toEqual(ended);
    expect(plan({ video_reference_image: frame(150) }, { passed_at: 5000 })).toMatchObject({ remember: { passed_at: 15_000 } });
  });

  test('rate_limiter uses the clock if the frame has no time', () => {
    for (const image of [
      null,
      'x',
      {},
      { video_metadata: null },
      { video_metadata: { fps: 0, frame_number: 1 } },
      { video_metadata: { fps: 'a' } },
    ]) {
      expect(plan({ video_reference_image: image })).toMatchObject({ remember: { passed_at: NOW } });
    }
  });

  test('rate_limiter lets a run pass if the clock was set back or the next video has begun', () => {
    expect(plan({}, { passed_at: NOW + 3_600_000 })).toMatchObject(chosen('upload'));
  });

  test('rate_limiter ignores a memory of another shape', () => {
    for (const memory of [{}, [], 'x', 5, { passed_at: 'now' }]) expect(plan({}, memory)).toMatchObject(chosen('upload'));
  });

  test('rate_limiter accepts any selector of a value as depends_on, and refuses a negative cooldown', () => {
    const saved = (given: object): string[] => faultsOf(rateLimiter, { ...manifest, depends_on: '$steps.model.predictions', ...given });
    for (const selector of ['$steps.model.predictions', '$inputs.x', '$request.body']) expect(saved({ depends_on: selector })).toEqual([]);
    expect(saved({ depends_on: '$steps.model' })).toHaveLength(1);
    expect(saved({ cooldown_seconds: -0.1 })).toEqual(['cooldown_seconds: must be a number of at least 0']);
  });
});

describe('roboflow_core/delta_filter@v1', () => {
  const plan = (value: unknown, memory: unknown = null): StepPlan =>
    deltaFilter.plan({ value, next_steps: ['$steps.write'] }, stepContext({ memory }));

  test('delta_filter lets a changed value pass and remembers it, and ends the branch for the same value', () => {
    expect(plan(3)).toEqual({ ...chosen('write'), remember: { value: 3 } });
    expect(plan(3, { value: 3 })).toEqual(ended);
    expect(plan(4, { value: 3 })).toMatchObject(chosen('write'));
  });

  test('delta_filter compares like Python', () => {
    expect(plan(parseJson('1.0'), { value: true })).toEqual(ended);
    expect(plan({ b: [1], a: 2 }, { value: { a: 2, b: [1] } })).toEqual(ended);
    expect(plan('1', { value: 1 })).toMatchObject(chosen('write'));
  });

  test('delta_filter treats null as unchanged at first, and as a change later', () => {
    expect(plan(null)).toEqual(ended);
    expect(plan(null, { value: 1 })).toEqual({ ...chosen('write'), remember: { value: null } });
    expect(plan(null, { value: null })).toEqual(ended);
  });

  test('delta_filter keeps the values of each video separate', () => {
    const key = (image: unknown): unknown => deltaFilter.memoryKey?.({ image, value: 1, next_steps: [] }, { step: 's', written: {} });
    expect(key({ video_metadata: { video_identifier: 'door' } })).toBe('delta_filter:s:door');
    for (const image of [undefined, null, 'text', {}, { video_metadata: { video_identifier: 5 } }])
      expect(key(image)).toBe('delta_filter:s:default');
  });
});
