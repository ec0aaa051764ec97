// Which steps a definition names: control flow names steps, whatever follows the name.

import { expect, test } from 'vitest';
import { workflowFaults } from '../../src/core/workflow/faults.ts';
import { planWorkflow } from '../../src/core/workflow/plan.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';

const { inspect } = createStepTypes(builtinStepTypes);
const set = (name: string): object => ({ type: 'sluice/set@v1', name, values: { a: 1 } });

function planned(choose: object): {
  faults: string[];
  gatedBy: (name: string) => readonly string[];
  needs: readonly string[];
  cases: unknown;
} {
  const steps = [{ name: 'choose', ...choose }, set('red'), set('blue')];
  const document = { version: '1.0', inputs: [{ type: 'WorkflowParameter', name: 'x' }], steps, outputs: [] } as any;
  const faults = workflowFaults(document, inspect).map(({ path, message }) => `${path}: ${message}`);
  const workflow = planWorkflow('w', 1, document);
  const step = (name: string) => workflow.steps.find((other) => other.name === name);
  const manifest = step('choose')?.manifest({ inputs: {}, steps: {} }) as { cases?: unknown };
  return { faults, gatedBy: (name) => step(name)?.gatedBy ?? [], needs: step('choose')?.needs ?? [], cases: manifest.cases };
}

test.each([
  [
    'cases',
    { type: 'roboflow_core/switch_case@v1', value: '$inputs.x', cases: { a: '$steps.red.a' }, default_next_steps: ['$steps.blue'] },
  ],
  ['default_next_steps', { type: 'SwitchCase', value: '$inputs.x', cases: { a: '$steps.red' }, default_next_steps: ['$steps.blue.a'] }],
  ['next_steps', { type: 'roboflow_core/rate_limiter@v1', depends_on: '$inputs.x', next_steps: ['$steps.red.a', '$steps.blue'] }],
])('an output after the name of a step in %s changes nothing: the step is named, and waits', (_property, choose) => {
  const { faults, gatedBy, needs, cases } = planned(choose);
  expect(faults).toEqual([]);
  expect(gatedBy('red')).toEqual(['choose']);
  expect(gatedBy('blue')).toEqual(['choose']);
  expect(needs).toEqual([]);
  if (cases !== undefined) expect(cases).toEqual({ a: '$steps.red' });
});

test('an output that the step does not have is a fault all the same', () => {
  const choose = { type: 'roboflow_core/switch_case@v1', value: '$inputs.x', cases: { a: '$steps.red.z' } };
  expect(planned(choose).faults).toEqual([expect.stringContaining('Found reference to non-existing property `z` of step `red`')]);
});
