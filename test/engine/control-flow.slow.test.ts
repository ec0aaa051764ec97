// Workflows drawn at random run as a second reading of the rule says, which shares no code with the engine.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Request } from '../../src/core/run/request.ts';
import type { WorkflowDocument } from '../../src/core/workflow/document.ts';
import { workflowFaults } from '../../src/core/workflow/faults.ts';
import { planWorkflow } from '../../src/core/workflow/plan.ts';
import { rehearse } from '../../src/engine/rehearsal.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';
import { bodyOf, gateTargets, readFates, type Step, transitionTargets } from './control-flow-reading.ts';
import { anyControlFlow, type DrawnWorkflow } from './control-flow-workflows.ts';
import { testSteps } from './test-steps.ts';

const stepTypes = createStepTypes([...builtinStepTypes, ...testSteps]);

function documentOf({ steps, inputs }: DrawnWorkflow): WorkflowDocument {
  const selectable = steps.filter(({ type }) => /property|first_non_empty|set@/.test(type));
  return {
    version: '1.0',
    inputs: Object.keys(inputs).map((name) => ({ type: 'WorkflowParameter', name })),
    steps,
    outputs: selectable.map(({ name }) => ({ type: 'JsonField', name, selector: `$steps.${name}.output` })),
  };
}

/** What became of each step in its last visit, and the output. */
async function run(
  document: WorkflowDocument,
  inputs: Record<string, unknown>,
): Promise<{ fates: Record<string, string>; output: unknown }> {
  const { status, steps, output, error } = await rehearse({
    stepTypes,
    workflow: planWorkflow('drawn', 1, document),
    request: {} as Request,
    inputs,
    bodyKind: 'empty',
    bodySize: 0,
    now: 1_767_225_600_000,
    loadImages: () => Promise.reject(new Error('there are no images')),
    readFile: () => Promise.reject(new Error('there are no files')),
    placeholder: () => null,
    mask: (_runId, text) => text,
    answer: () => {
      throw new Error('nothing is sent');
    },
  });
  if (status !== 'completed' || output === null) throw new Error(`the run ended as ${status}: ${JSON.stringify(error)}`);
  const last = steps.toSorted((a, b) => a.visit - b.visit);
  return { fates: Object.fromEntries(last.map((record) => [record.step, record.status])), output: JSON.parse(output) };
}

/** Whether transitions lead to a step of the loop from inside and from outside: then their order decides. */
function mixesWays({ steps, loop }: DrawnWorkflow): boolean {
  if (loop === null) return false;
  const body = bodyOf(steps, loop.target, loop.sender);
  const into = (name: string) =>
    steps.filter((step) => transitionTargets(step).includes(name) && !(step.name === loop.sender && name === loop.target));
  return [...body].some((name) => new Set(into(name).map((step) => body.has(step.name))).size > 1);
}

const namesTwice = (step: Step): boolean => new Set(gateTargets(step)).size < gateTargets(step).length;

test('a thousand workflows run as the second reading of the rule says', { timeout: 120_000 }, async () => {
  const seen = { ran: 0, refused: 0, held: 0, mixed: 0, starved: 0, loops: 0 };
  await fc.assert(
    fc.asyncProperty(anyControlFlow, async (drawn) => {
      fc.pre(!mixesWays(drawn));
      const { steps, inputs, loop } = drawn;
      const document = documentOf(drawn);
      const faults = workflowFaults(document, stepTypes.inspect);
      if (steps.some(namesTwice)) {
        expect(faults.map(({ message }) => message).join('\n')).toMatch(/Duplicated targets|more than once/);
        seen.refused += 1;
        return;
      }
      expect(faults).toEqual([]);
      const expected = readFates(steps, inputs, loop);
      const { fates, output } = await run(document, inputs);
      expect(fates).toEqual(Object.fromEntries([...expected].map(([name, { status }]) => [name, status])));
      expect(output).toEqual(Object.fromEntries(document.outputs.map(({ name }) => [name, expected.get(name)?.outputs['output'] ?? null])));
      seen.ran += 1;
      tally(drawn, expected);
    }),
    { numRuns: 1200 },
  );

  function tally({ steps, loop }: DrawnWorkflow, expected: ReturnType<typeof readFates>): void {
    const choices = (name: string) =>
      steps.filter((step) => gateTargets(step).includes(name)).map((step) => expected.get(step.name)?.selected.includes(name));
    if (steps.some(({ name }) => new Set(choices(name)).size === 2)) seen.held += 1;
    if (steps.some(({ name }) => choices(name).length > 0 && steps.some((step) => transitionTargets(step).includes(name)))) seen.mixed += 1;
    if (steps.some((step) => JSON.stringify(step).match(/\$steps\.s\d\./) !== null && expected.get(step.name)?.status === 'skipped'))
      seen.starved += 1;
    if (loop !== null && expected.get(loop.sender)?.status === 'completed') seen.loops += 1;
  }

  // The drawing must not run dry of what it is for.
  expect(seen.ran).toBeGreaterThanOrEqual(1000);
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(20);
});
