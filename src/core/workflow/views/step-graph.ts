// The steps of a workflow and the edges between them, as a picture shows them: read from the plan by which the engine runs them.

import type { Graph, WorkflowStep } from '../plan.ts';

export interface StepNode {
  name: string;
  type: string;
  /** The steps that a for_each step runs for each item. */
  items?: StepGraph;
}

/** `data`: the outputs that `to` selects. The others are transitions: after any outcome that leads on, a success, or a failure. */
export type EdgeReason = 'data' | 'next' | 'success' | 'failure';

export interface StepEdge {
  from: string;
  to: string;
  why: EdgeReason;
  /** Whether it closes a loop. */
  back: boolean;
}

export interface StepGraph {
  nodes: StepNode[];
  edges: StepEdge[];
}

/** Nodes and the edges to each are in the order of the plan; data that a step of an item selects outside is an edge of its for_each step. */
export function stepGraphOf({ steps, loops }: Graph): StepGraph {
  const known = new Map(steps.map((step) => [step.name, step]));
  const edges = steps.flatMap((step): StepEdge[] => {
    const data = step.needs.filter((name) => known.has(name)).map((from): StepEdge => ({ from, to: step.name, why: 'data', back: false }));
    const forward = [...step.gatedBy, ...step.chosenBy].map((from) => ({ from, back: false }));
    const back = steps.filter(({ name }) => loops?.backEdges.get(name)?.has(step.name)).map(({ name }) => ({ from: name, back: true }));
    const chosen = [...forward, ...back].flatMap(({ from, back: isBack }) =>
      reasonsOf(known.get(from) as WorkflowStep, step.name).map((why): StepEdge => ({ from, to: step.name, why, back: isBack })),
    );
    return [...data, ...chosen];
  });
  return { nodes: steps.map(nodeOf), edges };
}

function nodeOf({ name, type, items }: WorkflowStep): StepNode {
  return { name, type, ...(items === null ? {} : { items: stepGraphOf(items) }) };
}

/** A step without `on_success` and `on_failure` names the steps that it may choose in other properties. */
function reasonsOf({ transitions }: WorkflowStep, to: string): EdgeReason[] {
  if (transitions === null) return ['next'];
  const { onSuccess, onFailure, others } = transitions;
  const reasons: [EdgeReason, readonly string[]][] = [
    ['next', others],
    ['success', onSuccess],
    ['failure', onFailure],
  ];
  return reasons.filter(([, names]) => names.includes(to)).map(([why]) => why);
}
