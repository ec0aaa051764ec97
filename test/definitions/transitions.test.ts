// Ways in definitions: what every step may carry, what leads back, and what is wrong with a way, told when it is saved.

import { describe, expect, test } from 'vitest';
import { workflowFaults } from '../../src/core/workflow/faults.ts';
import { linksOf } from '../../src/core/workflow/links.ts';
import { planWorkflow } from '../../src/core/workflow/plan.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';
import type { StepType } from '../../src/steps/step-type.ts';

/** A type with ways of its own. */
const stage: StepType = {
  type: 'test/stage@v1',
  properties: { on_success: { type: 'string', pattern: '^\\$steps\\.[^.]+$' }, rule: { type: 'string' } },
  required: [],
  mayLoop: true,
  outputs: () => ['x'],
  plan: () => ({ kind: 'completed', outputs: {}, chosen: [] }),
};

const { inspect } = createStepTypes([...builtinStepTypes, stage]);
const set = (name: string, values: object = {}, more: object = {}): any => ({ type: 'sluice/set@v1', name, values, ...more });
const workflow = (steps: unknown[], outputs: unknown[] = []): any => ({ version: '1.0', inputs: [], steps, outputs });
const faults = (document: unknown): string[] => workflowFaults(document, inspect).map(({ path, message }) => `${path}: ${message}`);
const limiter = (next: string[], more: object = {}) => ({
  type: 'roboflow_core/rate_limiter@v1',
  name: 'limit',
  cooldown_seconds: 1,
  depends_on: '$steps.a.x',
  next_steps: next,
  ...more,
});

describe('is fine:', () => {
  const good: [string, unknown[]][] = [
    ['a way on and a way back', [set('a', {}, { on_success: ['$steps.b'] }), set('b', {}, { on_failure: ['$steps.a'], max_visits: 100 })]],
    ['a step that tries itself again', [set('a', {}, { on_failure: ['$steps.a'] })]],
    [
      'the error of a step that has a way for its failure',
      [set('a', {}, { on_failure: ['$steps.b'] }), set('b', { x: '$steps.a.error.code' })],
    ],
    [
      'a way back of a block of Roboflow, by its outcome',
      [set('a', { x: 1 }), limiter(['$steps.b'], { on_success: ['$steps.a'] }), set('b')],
    ],
    ['ways that lead nowhere', [set('a', {}, { on_success: [], on_failure: [] })]],
    ['a way back of a type whose ways may lead back', [{ type: 'test/stage@v1', name: 'a', on_success: '$steps.a' }]],
  ];
  for (const [what, steps] of good)
    test(what, () => {
      expect(faults(workflow(steps))).toEqual([]);
    });
});

describe('is told:', () => {
  const bad: [string, unknown[], string][] = [
    [
      'a step that there is not',
      [set('a', {}, { on_failure: ['$steps.b'] })],
      "steps[0].on_failure: Workflow references '$steps.b' which points to a non-existent block; known are a",
    ],
    [
      'a value in place of a step',
      [set('a', {}, { on_success: ['$steps.a.x'] })],
      'steps[0].on_success[0]: must name a step, such as "$steps.name"',
    ],
    [
      'a name that is no selector',
      [set('a', {}, { on_success: ['a'] })],
      'steps[0].on_success[0]: must name a step, such as "$steps.name"',
    ],
    ['one step that is not in a list', [set('a', {}, { on_success: '$steps.a' })], 'steps[0].on_success: must be array'],
    ['no visits', [set('a', {}, { max_visits: 0 })], 'steps[0].max_visits: must be >= 1'],
    ['too many visits', [set('a', {}, { max_visits: 101 })], 'steps[0].max_visits: must be <= 100'],
    ['half a visit', [set('a', {}, { max_visits: 1.5 })], 'steps[0].max_visits: must be integer'],
    [
      'the error of a step whose failure ends the run',
      [set('a', { y: 1 }, { on_failure: [] }), set('b', { x: '$steps.a.error' })],
      'steps[1].values: Found reference to non-existing property `error` of step `a`; known are y',
    ],
    [
      'next_steps that lead back',
      [set('a', { x: 1 }), limiter(['$steps.a'])],
      'steps: Detected cycle in execution graph. This means that there is output from one step that is connected to input of other step creating loop in the graph that would never end if executed: steps a, limit wait for one another',
    ],
    [
      'next_steps that lead back where an outcome may',
      [set('a', { x: 1 }), limiter(['$steps.a'], { on_failure: ['$steps.a'] })],
      'steps a, limit wait for one another',
    ],
    [
      'a step that one block names twice',
      [set('a', { x: 1 }), limiter(['$steps.b', '$steps.c', '$steps.b']), set('b'), set('c')],
      'steps[1]: While establishing flow-control connection between source `$steps.limit` and target `$steps.b` it was discovered that source step defines control flow transition into target one more than once',
    ],
    [
      'steps that select from one another',
      [set('a', { x: '$steps.b.y' }, { on_failure: ['$steps.b'] }), set('b', { y: '$steps.a.x' }, { on_failure: ['$steps.a'] })],
      'steps a, b wait for one another',
    ],
    [
      'the other outcome of a type with ways of its own',
      [{ type: 'test/stage@v1', name: 'a', on_failure: ['x'] }],
      'steps[0].on_failure[0]: must name a step',
    ],
    [
      'a way of a whole inner workflow',
      [
        {
          type: 'roboflow_core/inner_workflow@v1',
          name: 'in',
          workflow_definition: workflow([set('s')]),
          parameter_bindings: {},
          on_failure: [],
        },
      ],
      'steps[0].on_failure: an inner workflow does not fail as a whole; set "on_failure" on its steps',
    ],
  ];
  for (const [what, steps, expected] of bad)
    test(what, () => {
      expect(
        faults(workflow(steps)).some((fault) => fault.includes(expected)),
        faults(workflow(steps)).join('\n'),
      ).toBe(true);
    });
});

test('of all step types, what may lead back is a way, and what may not is a gate', () => {
  for (const type of builtinStepTypes.map((stepType) => stepType.type)) {
    const { acceptsSteps, allowsLoop } = inspect(type, {});
    const properties = Object.keys(builtinStepTypes.find((stepType) => stepType.type === type)?.properties ?? {});
    for (const property of [...properties, 'on_success', 'on_failure'].filter(acceptsSteps)) {
      const { gates } = linksOf({ type, name: 'a', [property]: ['$steps.b'] });
      expect(gates.has('b'), `${type} ${property}`).toBe(!allowsLoop(property));
    }
  }
});

test('the run can be sent back into an inner workflow, to the steps that begin it, whatever leads back there', () => {
  const inner = workflow(
    [set('first', { x: 1 }, { max_visits: 2 }), set('second', { x: '$steps.first.x' }, { on_failure: ['$steps.first'] })],
    [{ type: 'JsonField', name: 'x', selector: '$steps.second.x' }],
  );
  const document = workflow([
    { type: 'roboflow_core/inner_workflow@v1', name: 'in', workflow_definition: inner, parameter_bindings: {} },
    set('check', { x: '$steps.in.x' }, { on_failure: ['$steps.in'] }),
  ]);
  expect(faults(document)).toEqual([]);
  const { loops, steps } = planWorkflow('w', 1, document);
  expect([...(loops?.backEdges ?? [])]).toEqual([
    ['in__second', new Set(['in__first'])],
    ['check', new Set(['in__first'])],
  ]);
  expect(steps.map(({ name, maxVisits }) => [name, maxVisits])).toEqual([
    ['in__first', 2],
    ['in__second', 6],
    ['check', 6],
  ]);
});
