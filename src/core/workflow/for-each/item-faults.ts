// Checks the steps that run for each item when their workflow is saved. The limit bounds the rows and events of a run.

import type { Fault } from '../../fault.ts';
import type { Graph, WorkflowStep } from '../plan.ts';

/** The most steps that the items of a run may run. */
const MAX_STEPS_OF_ITEMS = 10_000;

/** Checks a planned workflow whose documents have no faults. */
export function itemGraphFaults(graph: Graph, pathOf: (step: WorkflowStep) => string): Fault[] {
  const faults = graph.steps.flatMap((step): Fault[] =>
    step.items !== null && hasLoops(step.items)
      ? [{ path: pathOf(step), message: 'a step that runs for each item must not lead back to an earlier step; "retry" repeats it' }]
      : [],
  );
  const count = stepsOfItems(graph);
  if (count <= MAX_STEPS_OF_ITEMS) return faults;
  const message = `the for_each steps could run ${count} steps in one run (max_items times the steps for each item), and ${MAX_STEPS_OF_ITEMS} is the limit; lower max_items`;
  return [...faults, { path: 'steps', message }];
}

function hasLoops({ steps, loops }: Graph): boolean {
  return loops !== null || steps.some(({ items }) => items !== null && hasLoops(items));
}

/** The most steps that the items of the graph can run. */
function stepsOfItems(graph: Graph): number {
  let count = 0;
  for (const step of graph.steps)
    if (step.items !== null) count += visitsOf(step, graph) * step.items.maxItems * (step.items.steps.length + stepsOfItems(step.items));
  return count;
}

function visitsOf({ name }: WorkflowStep, { steps, loops }: Graph): number {
  let visits = 1;
  for (const [target, body] of loops?.bodies ?? [])
    if (body.has(name)) visits *= steps.find((step) => step.name === target)?.maxVisits ?? 1;
  return visits;
}
