// Workflows inside workflows: what their steps become, that a run gives what it gives step by step, and what is refused.

import { describe, expect, test } from 'vitest';
import { workflowFaults } from '../../src/core/workflow/faults.ts';
import { inlineInnerWorkflows } from '../../src/core/workflow/inner-workflow.ts';
import { planWorkflow } from '../../src/core/workflow/plan.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';

const { inspect } = createStepTypes(builtinStepTypes);
const INNER = 'roboflow_core/inner_workflow@v1';

const set = (name: string, values: object): any => ({ type: 'sluice/set@v1', name, values });
const delay = (name: string, next: string[] = []): any => ({ type: 'sluice/delay@v1', name, seconds: 0, next_steps: next });
const input = (name: string, more: object = {}): any => ({ type: 'WorkflowParameter', name, ...more });
const output = (name: string, selector: string): any => ({ type: 'JsonField', name, selector });
const workflow = (parts: object): any => ({ version: '1.0', inputs: [], steps: [], outputs: [], ...parts });
const inner = (name: string, definition: object, bindings: object = {}, more: object = {}): any => ({
  type: INNER,
  name,
  workflow_definition: definition,
  parameter_bindings: bindings,
  ...more,
});

/** Takes `x`, gives `y`. */
const ECHO = workflow({ inputs: [input('x')], steps: [set('s', { y: '$inputs.x' })], outputs: [output('y', '$steps.s.y')] });

const faults = (document: unknown): string[] => workflowFaults(document, inspect).map(({ path, message }) => `${path}: ${message}`);

function inlined(document: any): { steps: any[]; outputs: any[] } {
  expect(faults(document)).toEqual([]);
  const { steps, outputs } = inlineInnerWorkflows(document);
  return { steps: steps.map(({ step }) => step), outputs };
}

/** Runs `sluice/set@v1` steps one after the other, as a run would. */
function outputsOf(document: any, inputs: object = {}): Record<string, unknown> {
  expect(faults(document)).toEqual([]);
  const planned = planWorkflow('w', 1, document);
  const roots = { inputs, request: {}, steps: {} as Record<string, unknown> };
  const left = [...planned.steps];
  while (left.length > 0) {
    const next = left.findIndex(({ needs }) => needs.every((name) => name in roots.steps));
    const [step] = left.splice(next, 1);
    if (step === undefined) throw new Error('the steps wait for one another');
    roots.steps[step.name] = (step.manifest(roots) as any).values;
  }
  return Object.fromEntries(planned.outputs.map(({ name, value }) => [name, value(roots)]));
}

describe('the steps of an inner workflow', () => {
  test('take its place, named after it, with its inputs bound and references to it turned to what is inside', () => {
    const document = workflow({
      inputs: [input('a')],
      steps: [set('before', { v: '$inputs.a' }), inner('in', ECHO, { x: '$steps.before.v' }), set('after', { z: '$steps.in.y' })],
      outputs: [output('o', '$steps.in.y')],
    });
    expect(inlined(document)).toEqual({
      steps: [set('before', { v: '$inputs.a' }), set('in__s', { y: '$steps.before.v' }), set('after', { z: '$steps.in__s.y' })],
      outputs: [{ name: 'o', value: '$steps.in__s.y' }],
    });
    expect(outputsOf(document, { a: 7 })).toEqual({ o: 7 });
  });

  test('are found through keys that hold dots, in brackets and without, outside and inside', () => {
    const child = workflow({
      inputs: [input('labels')],
      steps: [
        set('s', {
          bracket: '$inputs.labels["app.kubernetes.io/name"]',
          dotted: '$inputs.labels.app.kubernetes.io/name',
          exact: '$inputs.labels["app"].kubernetes',
        }),
      ],
      outputs: [output('out.put', '$steps.s.*'), output('plain', '$steps["s"]["bracket"]')],
    });
    const more = [
      output('a', '$steps.in["out.put"].bracket'),
      output('b', '$steps.in.out.put.dotted'),
      output('c', '$steps["in"].plain'),
      output('d', '$steps.in.out.put["exact"]'),
    ];
    const labels = { 'app.kubernetes.io/name': 'web', app: 'text' };
    const wanted = { a: 'web', b: 'web', c: 'web', d: null };
    const bound = (value: unknown): any =>
      workflow({ inputs: [input('all')], steps: [inner('in', child, { labels: value })], outputs: more });
    expect(outputsOf(bound('$inputs.all.la.bels'), { all: { 'la.bels': labels } })).toEqual(wanted);
    expect(outputsOf(bound(labels))).toEqual(wanted);
    const unknown = workflow({ steps: [inner('in', child, { labels })], outputs: [output('x', '$steps.in["out"].put')] });
    expect(faults(unknown).join()).toContain('non-existing property `out` of step `in`; known are out.put, plain');
  });

  test('keep literals as they are, take defaults, and read longer selectors in what is bound', () => {
    const child = workflow({
      inputs: [input('x'), input('d', { default_value: '$5' }), input('e', { default_value: { deep: ['$6'] } })],
      steps: [
        set('s', {
          part: '$inputs.x.a.0',
          none: '$inputs.x.b.c',
          whole: '$inputs.x',
          d: '$inputs.d',
          e: '$inputs.e.deep.0',
          literal: '$$inputs.x',
        }),
      ],
      outputs: [output('all', '$steps.s.*')],
    });
    expect(
      outputsOf(
        workflow({
          inputs: [input('q')],
          steps: [inner('in', child, { x: { a: ['$inputs.q'], price: '$$9' } })],
          outputs: [output('o', '$steps.in.all')],
        }),
        { q: 1 },
      ),
    ).toEqual({
      o: { part: 1, none: null, whole: { a: [1], price: '$9' }, d: '$5', e: '$6', literal: '$inputs.x' },
    });
    expect(
      outputsOf(
        workflow({ inputs: [input('q')], steps: [inner('in', child, { x: '$inputs.q' })], outputs: [output('o', '$steps.in.all.part')] }),
        { q: { a: [4] } },
      ),
    ).toEqual({ o: 4 });
  });

  test('give all outputs as one object, and an output that is a literal', () => {
    const child = workflow({
      inputs: [input('x')],
      steps: [set('s', { y: 1 })],
      outputs: [output('one', '$steps.s.y'), output('two', '$inputs.x')],
    });
    const document = workflow({
      steps: [inner('in', child, { x: 2 }), set('after', { v: '$steps.in.*' })],
      outputs: [output('o', '$steps.after.v'), output('p', '$steps.in.*'), output('q', '$steps.in.two')],
    });
    expect(outputsOf(document)).toEqual({ o: { one: 1, two: 2 }, p: { one: 1, two: 2 }, q: 2 });
  });

  test('get names that nothing else has', () => {
    const document = workflow({
      steps: [set('in__s', { y: 'other' }), inner('in', ECHO, { x: 'inside' })],
      outputs: [output('o', '$steps.in.y'), output('p', '$steps.in__s.y')],
    });
    expect(inlined(document).steps.map(({ name }) => name)).toEqual(['in__s', 'in__s__2']);
    expect(outputsOf(document)).toEqual({ o: 'inside', p: 'other' });
  });

  test('speak of their own steps, also where the parent has some of the same names', () => {
    const document = workflow({
      steps: [set('s', { y: 'of the parent' }), inner('in', ECHO, { x: '$steps.s.y' }), inner('s2', ECHO, { x: '$steps.in.y' })],
      outputs: [output('o', '$steps.s2.y')],
    });
    expect(outputsOf(document)).toEqual({ o: 'of the parent' });
  });

  test('go four levels down', () => {
    let definition = ECHO;
    for (let level = 0; level < 4; level += 1)
      definition = workflow({
        inputs: [input('x')],
        steps: [inner('in', definition, { x: '$inputs.x' })],
        outputs: [output('y', '$steps.in.y')],
      });
    expect(outputsOf(definition, { x: 'deep' })).toEqual({ y: 'deep' });
    expect(inlined(definition).steps.map(({ name }) => name)).toEqual(['in__in__in__in__s']);
  });

  test('that begin it are named where a list names it, and the one where there is one', () => {
    const two = workflow({ steps: [set('a', { v: 1 }), set('b', { v: 2 }), set('c', { v: '$steps.a.v' })] });
    expect(inlined(workflow({ steps: [delay('go', ['$steps.in']), inner('in', two)] })).steps[0].next_steps).toEqual([
      '$steps.in__a',
      '$steps.in__b',
    ]);
    const chain = workflow({ steps: [delay('a', ['$steps.b']), set('b', { v: 1 })] });
    const planned = planWorkflow('w', 1, workflow({ steps: [delay('go', ['$steps.in']), inner('in', chain)] }));
    expect(planned.steps.map(({ name, gatedBy }) => [name, gatedBy])).toEqual([
      ['go', []],
      ['in__a', ['go']],
      ['in__b', ['in__a']],
    ]);
  });

  test('of a pinned workflow are those of its copy, with the copies that it came with', () => {
    const reference = { type: INNER, name: 'in', workflow_workspace_id: 'local', workflow_id: 'child', parameter_bindings: { x: 3 } };
    const grandchild = { ...ECHO, steps: [set('s', { y: ['$inputs.x'] })] };
    const child = workflow({
      inputs: [input('x')],
      steps: [{ ...reference, workflow_id: 'grandchild', workflow_version_id: '2', parameter_bindings: { x: '$inputs.x' } }],
      outputs: [output('y', '$steps.in.y')],
      pinned_workflows: { 'grandchild@2': grandchild },
    });
    const document = workflow({ steps: [reference], outputs: [output('o', '$steps.in.y')], pinned_workflows: { child } });
    expect(outputsOf(document)).toEqual({ o: [3] });
  });
});

test('null for a property is as if it were left out', () => {
  const nulls = { workflow_workspace_id: null, workflow_id: null, workflow_version_id: null };
  const inside = workflow({ steps: [inner('in', ECHO, { x: 3 }, nulls)], outputs: [output('o', '$steps.in.y')] });
  expect(outputsOf(inside)).toEqual({ o: 3 });
  const named = { workflow_definition: null, workflow_workspace_id: 'local', workflow_id: 'child', parameter_bindings: { x: 4 } };
  const steps = [{ type: INNER, name: 'in', ...named }];
  expect(outputsOf(workflow({ steps, outputs: [output('o', '$steps.in.y')], pinned_workflows: { child: ECHO } }))).toEqual({ o: 4 });
});

describe('what a step selects of other steps', () => {
  test('is there selector by selector, in order and at any depth', () => {
    const document = workflow({
      steps: [set('a', { x: null, y: 1 }), set('b', { v: ['$steps.a.y', { w: '$steps.a.x' }, '$inputs.i', '$$steps.a.x'] })],
      inputs: [input('i')],
    });
    const [, step] = planWorkflow('w', 1, document).steps;
    const roots = { inputs: { i: null }, steps: { a: { x: null, y: 1 } }, request: {} };
    expect(step?.stepSelectors.map((select) => select(roots))).toEqual([1, null]);
  });
});

describe('is refused', () => {
  const reference = { workflow_workspace_id: 'local', workflow_id: 'child' };
  const nested = (levels: number): any =>
    levels === 0
      ? ECHO
      : workflow({ inputs: [input('x')], steps: [inner('in', nested(levels - 1), { x: 1 })], outputs: [output('y', '$steps.in.y')] });
  const bad: [string, any, string][] = [
    [
      'a step without a workflow',
      { ...inner('in', ECHO), workflow_definition: undefined },
      'requires a non-empty `workflow_definition` object or reference fields',
    ],
    [
      'a step whose workflow is null',
      { ...inner('in', ECHO), workflow_definition: null, workflow_workspace_id: null, workflow_id: null },
      'requires a non-empty `workflow_definition` object or reference fields',
    ],
    [
      'half a reference',
      { type: INNER, name: 'in', workflow_id: 'child', parameter_bindings: {} },
      'requires a non-empty `workflow_definition` object or reference fields',
    ],
    [
      'a workflow and a reference',
      inner('in', ECHO, { x: 1 }, reference),
      'steps[0].workflow_definition: inner_workflow step `in` must not set both',
    ],
    ['a definition that is none', inner('in', 'text' as any), 'steps[0].workflow_definition: must be an object, or null'],
    ['an empty definition', inner('in', {}), 'steps[0].workflow_definition: field "version" is missing'],
    ['a definition of the wrong shape', inner('in', { ...ECHO, steps: [5] }), 'steps[0].workflow_definition.steps[0]: must be object'],
    [
      'a definition with a fault',
      inner('in', { ...ECHO, outputs: [output('y', '$steps.q.y')] }, { x: 1 }),
      "steps[0].workflow_definition.outputs[0].selector: Workflow references '$steps.q.y' which points to a non-existent block; known are s",
    ],
    [
      'a definition that looks at the parent',
      inner('in', { ...ECHO, steps: [set('s', { y: '$inputs.other' })] }, { x: 1 }),
      "steps[0].workflow_definition.steps[0].values: Workflow references '$inputs.other' which points to a non-existent input parameter",
    ],
    [
      'a definition without steps',
      inner('in', workflow({})),
      'steps[0].workflow_definition.steps: inner_workflow step `in` has no steps to inline.',
    ],
    [
      'a definition with code',
      inner('in', { ...ECHO, dynamic_blocks_definitions: [{}] }, { x: 1 }),
      'steps[0].workflow_definition.dynamic_blocks_definitions: code blocks are not run here',
    ],
    ['no bindings', { type: INNER, name: 'in', workflow_definition: ECHO }, 'steps[0]: field "parameter_bindings" is missing'],
    ['bindings that are a list', inner('in', ECHO, []), 'steps[0].parameter_bindings: must be object'],
    [
      'an input that the child has not',
      inner('in', ECHO, { x: 1, z: 2 }),
      "steps[0].parameter_bindings.z: inner_workflow step `in` parameter_bindings references unknown child workflow input names ['z']. Valid input names: ['x'].",
    ],
    [
      'a prototype as an input',
      inner('in', ECHO, JSON.parse('{"x":1,"__proto__":2,"constructor":3}')),
      "unknown child workflow input names ['__proto__']",
    ],
    [
      'an input that is not bound',
      inner('in', ECHO),
      "steps[0].parameter_bindings: inner_workflow step `in` is missing parameter_bindings for required child workflow inputs ['x'].",
    ],
    [
      'an input with a default of null',
      inner('in', { ...ECHO, inputs: [input('x', { default_value: null })] }),
      "missing parameter_bindings for required child workflow inputs ['x']",
    ],
    [
      'an image that is not bound',
      inner('in', { ...ECHO, inputs: [{ type: 'WorkflowImage', name: 'x' }] }),
      "missing parameter_bindings for required child workflow inputs ['x']",
    ],
    [
      'a bound literal that a step does not take',
      inner('in', workflow({ inputs: [input('x')], steps: [{ type: 'sluice/fail@v1', name: 'f', message: '$inputs.x' }] }), { x: 5 }),
      'steps[0]: inlined as "in__f": message: must be string',
    ],
    [
      'a selector to what is not there',
      inner('in', ECHO, { x: '$inputs.q' }),
      "steps[0].parameter_bindings: Workflow references '$inputs.q' which points to a non-existent input parameter",
    ],
    [
      'a step as a binding',
      inner('in', ECHO, { x: '$steps.in' }),
      'steps[0].parameter_bindings: Detected reference to other step in manifest of step in.',
    ],
    ['its own output as its input', inner('in', ECHO, { x: '$steps.in.y' }), 'Detected cycle in execution graph'],
    ['a retry of the whole', inner('in', ECHO, { x: 1 }, { retry: {} }), 'steps[0].retry: an inner workflow is not retried as a whole'],
    [
      'sending it elsewhere',
      inner('in', ECHO, { x: 1 }, { execution_mode: 'remote_dispatch' }),
      'steps[0].execution_mode: must be one of "embedded"',
    ],
    [
      'a version that is none',
      { type: INNER, name: 'in', ...reference, workflow_version_id: 'newest', parameter_bindings: {} },
      'steps[0].workflow_version_id: must be a whole number',
    ],
    ['a fifth level', inner('in', nested(4), { x: 1 }), 'steps: Inner workflow nesting depth is 5, which exceeds the limit of 4.'],
    ['a hundredth level', inner('in', nested(20), { x: 1 }), 'exceeds the limit of 4.'],
  ];
  for (const [what, step, expected] of bad) {
    test(what, () => {
      const found = faults(workflow({ steps: [JSON.parse(JSON.stringify(step))] }));
      expect(
        found.some((fault) => fault.includes(expected)),
        found.join('\n'),
      ).toBe(true);
    });
  }

  test('an output that it has not, with those that it has', () => {
    expect(faults(workflow({ steps: [inner('in', ECHO, { x: 1 }), set('a', { v: '$steps.in.z' })] }))).toEqual([
      'steps[1].values: Found reference to non-existing property `z` of step `in`; known are y',
    ]);
  });

  test('a step inside it as a step outside', () => {
    expect(faults(workflow({ steps: [inner('in', ECHO, { x: 1 })], outputs: [output('o', '$steps.in__s.y')] }))[0]).toContain(
      'non-existent block',
    );
  });

  test('the thirty-third inner workflow, on one level or several', () => {
    const many = (count: number): any =>
      workflow({ steps: Array.from({ length: count }, (_, index) => inner(`i${index}`, ECHO, { x: 1 })) });
    expect(faults(many(32))).toEqual([]);
    expect(faults(many(33))).toEqual(['steps: Inner workflow step count is 33, which exceeds the limit of 32.']);
    expect(faults(workflow({ steps: [inner('a', many(20)), inner('b', many(20))] }))[0]).toContain('exceeds the limit of 32');
  });

  test('more than 500 steps with those inside', () => {
    const half = workflow({ steps: Array.from({ length: 251 }, (_, index) => set(`s${index}`, {})) });
    expect(faults(workflow({ steps: [inner('a', half), inner('b', half)] }))).toEqual([
      'steps: must not be more than 500 with those of inner workflows and one per URL; they are 502',
    ]);
  });

  test('a loop that goes through two of them', () => {
    const document = workflow({ steps: [inner('a', ECHO, { x: '$steps.b.y' }), inner('b', ECHO, { x: '$steps.a.y' })] });
    expect(faults(document)[0]).toMatch(/^steps: Detected cycle in execution graph.*steps a__s, b__s wait for one another$/);
    const through = workflow({ inputs: [input('x')], steps: [set('s', {})], outputs: [output('y', '$inputs.x')] });
    expect(
      faults(
        workflow({
          steps: [inner('a', through, { x: '$steps.b.y' }), inner('b', through, { x: '$steps.a.y' }), set('c', { v: '$steps.a.y' })],
        }),
      ).join(),
    ).toContain('Detected cycle');
  });

  test('no loop where only the wholes look like one', () => {
    const pair = workflow({
      inputs: [input('x')],
      steps: [set('first', { y: 1 }), set('second', { y: '$inputs.x' })],
      outputs: [output('one', '$steps.first.y'), output('two', '$steps.second.y')],
    });
    const document = workflow({
      steps: [inner('a', pair, { x: '$steps.b.one' }), inner('b', pair, { x: '$steps.a.two' })],
      outputs: [output('o', '$steps.b.two')],
    });
    expect(outputsOf(document)).toEqual({ o: 1 });
  });

  test('bindings that multiply beyond all memory, at once', () => {
    const wide = Array(100).fill('$inputs.x');
    let definition = workflow({ inputs: [input('x')], steps: [set('s', { y: wide })], outputs: [output('y', '$steps.s.y')] });
    for (let level = 0; level < 4; level += 1)
      definition = workflow({ inputs: [input('x')], steps: [inner('in', definition, { x: wide })], outputs: [output('y', '$steps.in.y')] });
    expect(faults(definition)).toEqual([
      expect.stringMatching(/steps: the workflow with its inner workflows holds more than 200000 values$/),
    ]);
  });
});
