// Definitions that nobody means well: of every wrong shape, endless, deep, named like prototypes. Each is told its
// faults, or planned, and none takes the check down.

import { describe, expect, test } from 'vitest';
import { workflowFaults } from '../../src/core/workflow/faults.ts';
import { planWorkflow } from '../../src/core/workflow/plan.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';

const { inspect } = createStepTypes(builtinStepTypes);
const faults = (document: unknown): string[] => workflowFaults(document, inspect).map(({ path, message }) => `${path}: ${message}`);

const set = (name: string, values: unknown): any => ({ type: 'sluice/set@v1', name, values });
const output = (name: string, selector: string): any => ({ type: 'JsonField', name, selector });
const workflow = (parts: object): any => ({ version: '1.0', inputs: [], steps: [], outputs: [], ...parts });

const WRONG = [
  null,
  5,
  true,
  '',
  'x',
  '$steps.a.b',
  [],
  [[]],
  [null],
  [5],
  {},
  { a: 1 },
  [{}],
  [{ name: 'a' }],
  [{ type: 'a' }],
  { length: 1 },
];

describe('a wrong value is told as a fault', () => {
  test('in place of the document', () => {
    for (const document of WRONG) expect(faults(document).length).toBeGreaterThan(0);
  });

  for (const part of ['version', 'inputs', 'steps', 'outputs'])
    test(`in place of its ${part}`, () => {
      const fine = part === 'version' ? [] : [[]];
      for (const value of WRONG) {
        const isFine = fine.some((item) => JSON.stringify(item) === JSON.stringify(value));
        expect(faults(workflow({ [part]: value })).length > 0, JSON.stringify(value)).toBe(!isFine);
      }
    });

  test('in place of each field of an input, an output and a step', () => {
    const input = { type: 'WorkflowParameter', name: 'i', kind: ['string'] };
    for (const field of Object.keys(input))
      for (const value of [null, 5, {}, [5], [[]]])
        expect(faults(workflow({ inputs: [{ ...input, [field]: value }] })), field).not.toEqual([]);
    for (const field of ['type', 'name', 'selector', 'coordinates_system'])
      for (const value of [null, 5, {}, []])
        expect(faults(workflow({ outputs: [{ ...output('o', '$request.body'), [field]: value }] })), field).not.toEqual([]);
    for (const field of ['type', 'name', 'values', 'retry'])
      for (const value of [null, 5, [], true])
        expect(faults(workflow({ steps: [{ ...set('a', {}), [field]: value }] })), field).not.toEqual([]);
  });

  test('in place of each field of an inner workflow', () => {
    const step = {
      type: 'roboflow_core/inner_workflow@v1',
      name: 'in',
      workflow_definition: workflow({ steps: [set('s', {})] }),
      parameter_bindings: {},
    };
    expect(faults(workflow({ steps: [step] }))).toEqual([]);
    for (const field of Object.keys(step))
      for (const value of [null, 5, [], true, [[]]])
        expect(faults(workflow({ steps: [{ ...step, [field]: value }] })), field).not.toEqual([]);
    for (const part of ['version', 'inputs', 'steps', 'outputs'])
      for (const value of [null, 5, {}, [null], [{}]])
        expect(
          faults(workflow({ steps: [{ ...step, workflow_definition: { ...step.workflow_definition, [part]: value } }] })),
          part,
        ).not.toEqual([]);
    for (const field of ['workflow_workspace_id', 'workflow_id', 'workflow_version_id'])
      for (const value of [null, 5, {}, []])
        expect(
          faults(
            workflow({
              steps: [{ ...step, workflow_definition: undefined, workflow_workspace_id: 'local', workflow_id: 'w', [field]: value }],
            }),
          ).length > 0,
          `${field} ${JSON.stringify(value)}`,
        ).toBe(!(field === 'workflow_version_id' && (value === null || value === 5)));
  });
});

describe('a name of a prototype', () => {
  for (const name of ['constructor', 'toString', 'hasOwnProperty', 'valueOf', 'length', 'prototype', 'then']) {
    test(`${name} names a step, an input and an output as any other does, and is there only when it is written`, () => {
      const document = workflow({
        inputs: [{ type: 'WorkflowParameter', name }],
        steps: [set(name, { [name]: `$inputs.${name}` })],
        outputs: [output(name, `$steps.${name}.${name}`)],
      });
      expect(faults(document)).toEqual([]);
      const planned = planWorkflow('w', 1, document);
      const roots = { inputs: { [name]: 7 }, request: {}, steps: { [name]: { [name]: 7 } } };
      expect(planned.outputs.map(({ value }) => value(roots))).toEqual([7]);
      expect(planned.outputs.map(({ value }) => value({ inputs: {}, request: {}, steps: { [name]: {} } }))).toEqual([null]);
      for (const selector of [`$steps.${name}.x`, `$inputs.${name}`])
        expect(faults(workflow({ steps: [set('a', { v: selector })] })).join()).toContain('non-existent');
    });
  }

  test('__proto__ names nothing', () => {
    for (const selector of ['$steps.__proto__.x', '$inputs.__proto__', '$steps.__proto__.constructor', '$steps.constructor.prototype'])
      expect(faults(workflow({ steps: [set('a', {})], outputs: [output('o', selector)] })).join(), selector).toContain('non-existent');
    expect(faults(workflow({ steps: [set('__proto__', {})] })).join()).toContain('steps[0].name');
    expect(faults(JSON.parse('{"version":"1.0","inputs":[],"steps":[],"outputs":[],"__proto__":{"steps":5}}'))).toEqual([]);
  });
});

describe('a text that starts with "$" and is no selector', () => {
  for (const text of [
    '$',
    '$5 off',
    '$ steps.a.b',
    '$steps',
    '$steps.',
    '$steps..b',
    '$inputs',
    '$inputs.',
    '$inputs..i',
    '$STEPS.a.b',
    '$env.HOME',
    '$steps.a b.c',
    '$steps.a.b$',
    '$steps.a\u0000.b',
  ])
    test(`${JSON.stringify(text)} is a fault`, () => {
      expect(faults(workflow({ steps: [set('a', { v: text })] }))).toHaveLength(1);
    });
});

describe('a large definition', () => {
  test('of 500 steps one behind the other is planned, in any order of writing', () => {
    const chain = Array.from({ length: 500 }, (_, index) => set(`s${index}`, { v: index === 0 ? 1 : `$steps.s${index - 1}.v` }));
    for (const steps of [chain, chain.toReversed()]) {
      expect(faults(workflow({ steps }))).toEqual([]);
      expect(planWorkflow('w', 1, workflow({ steps })).steps).toHaveLength(500);
    }
    const loop = chain.with(0, set('s0', { v: '$steps.s499.v' }));
    expect(faults(workflow({ steps: loop }))[0]).toContain('Detected cycle');
  });

  test('in which every step selects of every earlier one is planned', () => {
    const steps = Array.from({ length: 200 }, (_, index) =>
      set(`s${index}`, { v: Array.from({ length: index }, (_unused, other) => `$steps.s${other}.v`) }),
    );
    expect(faults(workflow({ steps }))).toEqual([]);
  });

  test('deeper than a hundred levels is a fault, and so is one of a million', () => {
    for (const depth of [100, 10_000, 1_000_000]) {
      let value: unknown = '$inputs.x';
      for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { v: value };
      for (const document of [value, workflow({ inputs: value }), workflow({ extra: value })])
        expect(faults(document).length > 0, String(depth)).toBe(true);
      expect(faults(workflow({ steps: [set('a', { v: value })] }))).toEqual([': must not be deeper than 100 levels']);
    }
  });

  test('with a fault in every other byte is told the first of them', () => {
    const values = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`k${index}`, `$steps.q${index}.x`]));
    const steps = Array.from({ length: 100 }, (_, index) => set(`s${'x'.repeat(100)}${index}`, values));
    const found = faults(workflow({ steps }));
    expect(found).toHaveLength(101);
    expect(found.at(-1)).toBe(': 1900 more faults are not shown');
    expect(found.join().length).toBeLessThan(500_000);
    expect(faults(workflow({ inputs: Array(500).fill(5) })).at(-1)).toBe(': 400 more faults are not shown');
  });

  test('with a name, a selector or a type of a million letters is a fault that is short', () => {
    const long = 'a'.repeat(1e6);
    expect(faults(workflow({ steps: [set(long, {})] }))).toEqual(['steps[0].name: must be 1 to 128 letters, digits, "_" or "-"']);
    expect(faults(workflow({ steps: [{ type: long, name: 'a' }] })).join().length).toBeLessThan(2000);
    expect(faults(workflow({ version: long })).join().length).toBeLessThan(1000);
    for (const selector of [`$steps.${long}.x`, `$steps.a.${long}`, `$inputs.${long}`, `$${long}`])
      expect(faults(workflow({ steps: [set('a', { v: selector })] })).join().length).toBeLessThan(1000);
  });
});
