// Workflow definitions: each fault is named with its place and what would be right, before anything is saved.

import { describe, expect, test } from 'vitest';
import type { WorkflowDocument } from '../../src/core/workflow/document.ts';
import { workflowFaults } from '../../src/core/workflow/faults.ts';
import { planWorkflow, workflowIdFault } from '../../src/core/workflow/plan.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';

const { inspect } = createStepTypes(builtinStepTypes);

const set = (name: string, values: object = {}): any => ({ type: 'sluice/set@v1', name, values });
const delay = (name: string, next: string[] = [], more: object = {}): any => ({
  type: 'sluice/delay@v1',
  name,
  seconds: 1,
  next_steps: next,
  ...more,
});
const input = (name: string, more: object = {}): any => ({ type: 'WorkflowParameter', name, ...more });
const output = (name: string, selector: string): any => ({ type: 'JsonField', name, selector });

function workflow(parts: object): any {
  return { version: '1.0', inputs: [], steps: [], outputs: [], ...parts };
}

function faults(document: unknown): string[] {
  return workflowFaults(document, inspect).map(({ path, message }) => `${path}: ${message}`);
}

describe('a workflow without faults', () => {
  const good: [string, object][] = [
    ['is empty', {}],
    ['has a version of two or three parts', { version: '1.12.3' }],
    ['has top-level fields that nobody knows', { name: 'x', dynamic_blocks_definitions: [] }],
    [
      'passes values from step to step',
      { steps: [set('a', { x: 1 }), set('b', { y: '$steps.a.x' })], outputs: [output('o', '$steps.b.y')] },
    ],
    ['names its steps in any order', { steps: [set('b', { y: '$steps.a.x' }), set('a', { x: 1 })] }],
    ['takes inputs and the request', { inputs: [input('i')], steps: [set('a', { x: '$inputs.i', y: '$request.body.z' })] }],
    ['takes all outputs of a step', { steps: [set('a')], outputs: [output('o', '$steps.a.*')] }],
    ['holds literal dollars', { steps: [set('a', { x: '$$inputs.i', y: 'costs $5' })] }],
    ['chooses steps', { steps: [delay('a', ['$steps.b']), set('b')] }],
    [
      'declares kinds, a default and Roboflow’s other name for inputs',
      {
        inputs: [input('i', { kind: ['string', 'integer'], default_value: null }), { type: 'InferenceParameter', name: 'j' }],
      },
    ],
    [
      'takes images, video metadata and batches, under all their names',
      {
        inputs: [
          { type: 'WorkflowImage', name: 'a' },
          { type: 'InferenceImage', name: 'b' },
          { type: 'WorkflowVideoMetadata', name: 'c' },
          { type: 'WorkflowBatchInput', name: 'd', kind: ['float'], dimensionality: 1 },
        ],
        outputs: [{ ...output('o', '$inputs.a'), coordinates_system: 'own' }],
      },
    ],
    ['retries', { steps: [{ type: 'sluice/fail@v1', name: 'f', retry: { max_retries: 5, base_seconds: 0.1, max_seconds: 2 } }] }],
  ];
  for (const [what, parts] of good) {
    test(what, () => {
      expect(faults(workflow(parts))).toEqual([]);
    });
  }
});

describe('a fault is named with its place and what would be right', () => {
  const bad: [string, unknown, string][] = [
    ['no object', 'x', ': must be object'],
    ['a part that is missing', { version: '1.0', inputs: [], steps: [] }, ': field "outputs" is missing'],
    ['a version that is a number', workflow({ version: 1 }), 'version: must be string'],
    [
      'a version to come',
      workflow({ version: '2.0' }),
      'version: Workflow definition requested Execution Engine in version: `>=2.0,<3.0.0`',
    ],
    [
      'a version that is none',
      workflow({ version: 'one' }),
      'version: Workflow definition contains `version` defined as `one` which cannot',
    ],
    [
      'code that is to be run',
      workflow({ dynamic_blocks_definitions: [{ type: 'DynamicBlockDefinition' }] }),
      'dynamic_blocks_definitions: code blocks are not run here',
    ],
    ['an input without a name', workflow({ inputs: [{ type: 'WorkflowParameter' }] }), 'inputs[0]: field "name" is missing'],
    [
      'an input with an unknown field',
      workflow({ inputs: [input('i', { defaultValue: 1 })] }),
      'inputs[0]: unknown field "defaultValue"; did you mean "default_value"? Known are type, name, kind, default_value, dimensionality',
    ],
    [
      'an input of an unknown type',
      workflow({ inputs: [{ type: 'Parameter', name: 'i' }] }),
      'inputs[0].type: must be one of "WorkflowParameter", "InferenceParameter", "WorkflowImage", "InferenceImage", "WorkflowVideoMetadata", "WorkflowBatchInput"',
    ],
    ['a name with a dot', workflow({ steps: [set('a.b')] }), 'steps[0].name: must be 1 to 128 letters, digits, "_" or "-"'],
    ['a name that is a prototype', workflow({ steps: [set('__proto__')] }), 'steps[0].name'],
    [
      'two inputs of one name',
      workflow({ inputs: [input('i'), input('i')] }),
      'inputs[1].name: Found duplicated input parameter names: the name "i" is taken by an earlier entry',
    ],
    [
      'two steps of one name',
      workflow({ steps: [set('a'), set('b'), set('a')] }),
      'steps[2].name: Found duplicated input steps names: the name "a" is taken by an earlier entry',
    ],
    [
      'two outputs of one name',
      workflow({ steps: [set('a')], outputs: [output('o', '$steps.a.*'), output('o', '$steps.a.*')] }),
      'outputs[1].name: Found duplicated input outputs names: the name "o"',
    ],
    [
      'an unknown step type',
      workflow({ steps: [{ type: 'sluice/sett@v1', name: 'a' }] }),
      'steps[0].type: "sluice/sett@v1" is not a step type; did you mean "sluice/set@v1"? Known are sluice/set@v1',
    ],
    ['a step without a type', workflow({ steps: [{ name: 'a' }] }), 'steps[0]: field "type" is missing'],
    [
      'an unknown field of a step',
      workflow({ steps: [{ ...set('a'), value: 1 }] }),
      'steps[0]: unknown field "value"; did you mean "values"? Known are',
    ],
    [
      'a field of a step that is missing',
      workflow({ steps: [{ type: 'sluice/set@v1', name: 'a' }] }),
      'steps[0]: field "values" is missing',
    ],
    [
      'a field of a step of the wrong type',
      workflow({ steps: [delay('a', [], { seconds: true })] }),
      'steps[0].seconds: must be a number of seconds from 0 to 31622400, or a selector of one',
    ],
    [
      'a retry with an unknown field',
      workflow({ steps: [{ ...set('a'), retry: { times: 3 } }] }),
      'steps[0].retry: unknown field "times"; known are max_retries, base_seconds, max_seconds',
    ],
    [
      'a retry beyond its bounds',
      workflow({ steps: [{ ...set('a'), retry: { max_retries: 101 } }] }),
      'steps[0].retry.max_retries: must be <= 100',
    ],
    [
      'an input that there is not',
      workflow({ inputs: [input('i')], steps: [set('a', { x: '$inputs.j' })] }),
      "steps[0].values: Workflow references '$inputs.j' which points to a non-existent input parameter; known are i",
    ],
    [
      'a step that there is not',
      workflow({ steps: [set('a', { x: '$steps.b.y' })] }),
      "steps[0].values: Workflow references '$steps.b.y' which points to a non-existent block; known are a",
    ],
    [
      'an output that a step has not',
      workflow({ steps: [set('a', { x: 1 }), set('b', { y: '$steps.a.z' })] }),
      'steps[1].values: Found reference to non-existing property `z` of step `a`; known are x',
    ],
    [
      'an unknown root',
      workflow({ steps: [set('a', { x: '$input.i' })] }),
      '"$input.i" is not a selector; write $inputs.x, $steps.name.output or $request.body, or "$$" for a literal "$"',
    ],
    [
      'a selector deep inside',
      workflow({ steps: [set('a', { x: [{ y: '$steps.nope.z' }] })] }),
      "steps[0].values: Workflow references '$steps.nope.z' which points to a non-existent block",
    ],
    [
      'a step to run next that there is not',
      workflow({ steps: [delay('a', ['$steps.b'])] }),
      "steps[0].next_steps: Workflow references '$steps.b' which points to a non-existent block",
    ],
    [
      'a step to run next that is no selector',
      workflow({ steps: [delay('a', ['b']), set('b')] }),
      'steps[0].next_steps[0]: must name a step, such as "$steps.name"',
    ],
    [
      'an output that is a literal',
      workflow({ outputs: [output('o', 'x')] }),
      'outputs[0].selector: must select a value, as "$steps.name.output"',
    ],
    [
      'an output that is a whole step',
      workflow({ steps: [set('a')], outputs: [output('o', '$steps.a')] }),
      'outputs[0].selector: must select a value',
    ],
    [
      'an output of a step that there is not',
      workflow({ outputs: [output('o', '$steps.a.x')] }),
      "outputs[0].selector: Workflow references '$steps.a.x' which points to a non-existent block; known are none",
    ],
    [
      'a whole step where a value is meant',
      workflow({ steps: [set('a'), set('b', { x: ['$steps.a'] })] }),
      'steps[1].values: Detected reference to other step in manifest of step b. This is not allowed, as "$steps.a" names a step and this field takes a value; write $steps.a.output',
    ],
    [
      'a default of an image',
      workflow({ inputs: [{ type: 'WorkflowImage', name: 'i', default_value: 'x' }] }),
      'inputs[0].default_value: only a WorkflowParameter has a default; a WorkflowImage is always required',
    ],
    [
      'a batch of batches',
      workflow({ inputs: [{ type: 'WorkflowBatchInput', name: 'i', dimensionality: 2 }] }),
      'inputs[0].dimensionality: must be 1, for a run is one element',
    ],
    [
      'the dimensions of a parameter',
      workflow({ inputs: [input('i', { dimensionality: 1 })] }),
      'inputs[0].dimensionality: only a WorkflowBatchInput has a dimensionality',
    ],
    [
      'coordinates of another kind',
      workflow({ outputs: [{ ...output('o', '$request.body'), coordinates_system: 'world' }] }),
      'outputs[0].coordinates_system: must be one of "parent", "own"',
    ],
    [
      'an output of another type',
      workflow({ outputs: [{ type: 'Field', name: 'o', selector: '$request.body' }] }),
      'outputs[0].type: must be "JsonField"',
    ],
    [
      'a step that needs itself',
      workflow({ steps: [set('a', { x: '$steps.a.x' })] }),
      'steps: Detected cycle in execution graph. This means that there is output from one step',
    ],
    [
      'steps that need one another',
      workflow({ steps: [set('a', { x: '$steps.c.z' }), set('b', { y: '$steps.a.x' }), set('c', { z: '$steps.b.y' }), set('d')] }),
      'would never end if executed: steps a, b, c wait for one another',
    ],
    [
      'a step chosen by one that needs it',
      workflow({ steps: [delay('a', ['$steps.b'], { seconds: '$steps.b.x' }), set('b', { x: 1 })] }),
      'steps a, b wait for one another',
    ],
    [
      'more steps than there may be',
      workflow({ steps: Array.from({ length: 501 }, (_, index) => set(`s${index}`)) }),
      'steps: must NOT have more than 500 items',
    ],
  ];
  for (const [what, document, expected] of bad) {
    test(what, () => {
      expect(
        faults(document).some((fault) => fault.includes(expected)),
        faults(document).join('\n'),
      ).toBe(true);
    });
  }

  test('all faults are told at once', () => {
    const found = faults(
      workflow({ inputs: [input('i'), input('i')], steps: [set('a', { x: '$inputs.q' })], outputs: [output('o', '$steps.z.y')] }),
    );
    expect(found).toHaveLength(3);
  });

  test('no document makes the check fail', () => {
    for (const document of [
      null,
      5,
      [],
      { version: {} },
      workflow({ steps: [null] }),
      workflow({ steps: [5], inputs: ['x'], outputs: [[]] }),
    ])
      expect(faults(document).length).toBeGreaterThan(0);
  });
});

describe('planning', () => {
  const document: WorkflowDocument = workflow({
    inputs: [input('i', { default_value: null }), input('j', { kind: ['string'] })],
    steps: [
      { ...set('a', { x: '$inputs.i' }), on_success: ['$steps.d'] },
      { ...delay('b', ['$steps.c', '$steps.d']), on_failure: ['$steps.d'] },
      set('c', { y: ['$steps.a.x', '$steps.b.seconds', '$steps.a.x'] }),
      set('d'),
    ],
    outputs: [output('o', '$steps.c.y')],
  });

  test('steps need whom they select, once, have the gates that name them, and are chosen by the ways that lead to them', () => {
    const { steps } = planWorkflow('w', 3, document);
    expect(steps.map(({ name, needs, gatedBy, chosenBy }) => ({ name, needs, gatedBy, chosenBy }))).toEqual([
      { name: 'a', needs: [], gatedBy: [], chosenBy: [] },
      { name: 'b', needs: [], gatedBy: [], chosenBy: [] },
      { name: 'c', needs: ['a', 'b'], gatedBy: ['b'], chosenBy: [] },
      { name: 'd', needs: [], gatedBy: ['b'], chosenBy: ['a'] },
    ]);
  });

  test('an input without a default is required, and one with a default of null is not', () => {
    const { inputs, id, version } = planWorkflow('w', 3, document);
    expect({ id, version, inputs }).toEqual({
      id: 'w',
      version: 3,
      inputs: [
        { name: 'i', type: 'WorkflowParameter', kinds: ['*'], defaultValue: null },
        { name: 'j', type: 'WorkflowParameter', kinds: ['string'] },
      ],
    });
  });
});

describe('ids', () => {
  for (const id of ['a', 'review-event', 'v1.2_x', 'A'.repeat(64)])
    test(`"${id}" may name a workflow`, () => {
      expect(workflowIdFault(id)).toBeNull();
    });
  for (const id of ['', '.', '-a', 'a/b', 'a b', 'A'.repeat(65), '..', 5, null])
    test(`${JSON.stringify(id)} may not name a workflow`, () => {
      expect(workflowIdFault(id)).toContain('must be 1 to 64');
    });
});

describe('operations and statements are taken as written', () => {
  const steps = [
    {
      type: 'roboflow_core/property_definition@v1',
      name: 'p',
      data: '$inputs.text',
      operations: [
        { type: 'StringMatches', regex: '$' },
        { type: 'LookupTable', lookup_table: { True: '$5', False: '$steps.p.output' } },
      ],
    },
  ];

  test('text in them that begins with "$" is no selector', () => {
    const workflow = planWorkflow('w', 1, { version: '1.0', inputs: [], steps, outputs: [] });
    expect(workflow.steps[0]).toMatchObject({ needs: [], stepSelectors: [], chosenBy: [] });
    expect(workflow.steps[0]?.manifest({ inputs: { text: 'a' } })).toEqual({ ...steps[0], data: 'a' });
  });
});
