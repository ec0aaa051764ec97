// The steps that run for each item of a list have places, names and inputs of their own, however workflows are nested.

import { expect, test } from 'vitest';
import type { StepDocument, WorkflowDocument } from '../../src/core/workflow/document.ts';
import { workflowFaults } from '../../src/core/workflow/faults.ts';
import { type Graph, planWorkflow, stepAt, type WorkflowStep } from '../../src/core/workflow/plan.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';

const { inspect } = createStepTypes(builtinStepTypes);

const workflow = (inputs: string[], steps: StepDocument[], outputs: Record<string, string> = {}): WorkflowDocument => ({
  version: '1.0',
  inputs: inputs.map((name) => ({ type: 'WorkflowParameter', name })),
  steps,
  outputs: Object.entries(outputs).map(([name, selector]) => ({ type: 'JsonField', name, selector })),
});
const set = (name: string, values: object, more: object = {}): StepDocument => ({ type: 'sluice/set@v1', name, values, ...more });
const inner = (name: string, definition: WorkflowDocument, bindings: object): StepDocument => ({
  type: 'roboflow_core/inner_workflow@v1',
  name,
  workflow_definition: definition,
  parameter_bindings: bindings,
});
const forEach = (name: string, items: unknown, more: object): StepDocument => ({ type: 'sluice/for_each@v1', name, items, ...more });

const PAIR = workflow(
  ['it', 'with'],
  [set('a', { it: '$inputs.it' }, { on_success: ['$steps.b'] }), set('b', { pair: ['$steps.a.it', '$inputs.with'] })],
  {
    pair: '$steps.b.pair',
  },
);
/** A list within a workflow within a list within a workflow; the innermost workflow is a pinned copy. */
const NESTED: WorkflowDocument = {
  ...workflow(
    ['lists'],
    [
      set('before', { tag: 'tag' }),
      inner(
        'wrapped',
        workflow(
          ['all', 'tag'],
          [
            forEach('outer', '$inputs.all', {
              max_items: 20,
              parameter_bindings: { list: '$item', tag: '$inputs.tag' },
              workflow_definition: workflow(
                ['list', 'tag'],
                [
                  inner(
                    'deep',
                    workflow(
                      ['l', 't'],
                      [forEach('each', '$inputs.l', { workflow_id: 'pair', parameter_bindings: { it: '$item', with: '$inputs.t' } })],
                      {
                        results: '$steps.each.results',
                      },
                    ),
                    { l: '$inputs.list', t: '$inputs.tag' },
                  ),
                ],
                { results: '$steps.deep.results' },
              ),
            }),
          ],
          { results: '$steps.outer.results' },
        ),
        { all: '$inputs.lists', tag: '$steps.before.tag' },
      ),
      set('after', { results: '$steps.wrapped.results' }),
    ],
    { results: '$steps.after.results' },
  ),
  pinned_workflows: { pair: PAIR },
};

function all({ steps }: Graph): WorkflowStep[] {
  return [...steps, ...steps.flatMap(({ items }) => (items === null ? [] : all(items)))];
}

test('nested lists are planned with all their steps, each at a place of its own', () => {
  expect(workflowFaults(NESTED, inspect)).toEqual([]);
  const planned = planWorkflow('w', 1, NESTED);
  const steps = all(planned);
  expect(steps.map(({ name }) => name)).toEqual([
    'before',
    'wrapped__outer',
    'after',
    'wrapped__outer[].deep__each',
    'wrapped__outer[].deep__each[].a',
    'wrapped__outer[].deep__each[].b',
  ]);
  expect(Array.from({ length: planned.endPlace + 1 }, (_, place) => stepAt(planned, place))).toEqual([...steps, undefined]);
  const [a, b] = steps.slice(-2) as [WorkflowStep, WorkflowStep];
  expect(a.transitions?.onSuccess).toEqual([b.name]);
  expect(b.manifest({ inputs: { with: 'tag' }, steps: { [a.name]: { it: 1 } } })).toMatchObject({ values: { pair: [1, 'tag'] } });
});

test('the inputs of an item select from the graph around it, and from the item', () => {
  const outer = all(planWorkflow('w', 1, NESTED))[1] as WorkflowStep;
  const roots = { inputs: {}, steps: { before: { tag: 'x' } }, item: [1, 2], index: 0 };
  expect(outer.items?.inputs.map(({ name, value }) => [name, value(roots)])).toEqual([
    ['list', [1, 2]],
    ['tag', 'x'],
  ]);
  expect(outer.needs).toEqual(['before']);
});

test('what a literal binding makes of a list is checked too', () => {
  const child = workflow(
    ['list'],
    [forEach('each', '$inputs.list', { workflow_definition: PAIR, max_items: 1, parameter_bindings: { it: '$item', with: 1 } })],
  );
  const faults = (list: unknown) => workflowFaults(workflow([], [inner('in', child, { list })]), inspect).map(({ message }) => message);
  expect(faults([1])).toEqual([]);
  expect(faults([1, 2])).toEqual(['inlined as "in__each": items: has 2 items, and max_items allows 1']);
  expect(faults(5)).toEqual([expect.stringContaining('items: must be a list')]);
});
