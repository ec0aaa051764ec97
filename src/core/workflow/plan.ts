// Plans a workflow definition for execution: steps with their dependencies and compiled manifests.

import { NO_RETRY, type RetryPolicy, readRetryPolicy } from '../delivery/retry.ts';
import { type Binding, compileBinding, compileSelector, type Roots } from './bindings.ts';
import { type InputDocument, type InputType, inputTypeOf, type StepDocument, type WorkflowDocument } from './document.ts';
import { isForEach, readMaxItems } from './for-each/for-each-step.ts';
import { inlineInnerWorkflows, inlineItems } from './inner-workflow.ts';
import { linksOf, type OutcomeTransitions, outcomeTransitionsOf } from './links.ts';
import { bindableProperties } from './selector.ts';
import { type Loops, planTransitions, readMaxVisits } from './transitions.ts';

export interface WorkflowInput {
  name: string;
  /** All but a WorkflowParameter are batches in Roboflow's terms; a run is one element of them. */
  type: InputType;
  kinds: readonly string[];
  /** Absent when the input is required. */
  defaultValue?: unknown;
}

export interface WorkflowStep {
  name: string;
  type: string;
  /** The manifest in the definition, with its selectors. */
  written: Readonly<Record<string, unknown>>;
  /** Returns the manifest with its selectors resolved. */
  manifest: Binding;
  retry: RetryPolicy;
  /** Steps whose outputs the manifest selects. */
  needs: readonly string[];
  /** The steps of `needs` whose error alone it selects. */
  needsErrorOf: readonly string[];
  /** The manifest's selectors of these steps, at any depth and in order. */
  stepSelectors: readonly Binding[];
  /** Steps that name this one in `next_steps` or `cases`: it runs only if each of them chooses it. */
  gatedBy: readonly string[];
  /** Other steps that may choose this one by a forward transition; if there are any, at least one must. */
  chosenBy: readonly string[];
  /** Its `on_success` and `on_failure`; null when it has neither. */
  transitions: OutcomeTransitions | null;
  /** Maximum visits per run, including the first. */
  maxVisits: number;
  /** What a for_each step runs for each item; null for any other step. */
  items: ItemGraph | null;
}

export interface WorkflowOutput {
  name: string;
  value: Binding;
}

/** A version of a workflow, whatever carries it out. */
export interface WorkflowVersion {
  id: string;
  version: number;
  inputs: readonly WorkflowInput[];
}

/** Steps that refer to one another. A place is the number of a step among all steps that a run can have. */
export interface Graph {
  steps: readonly WorkflowStep[];
  /** Null when no step can run again. */
  loops: Loops | null;
  /** The place of the first step. */
  firstPlace: number;
  /** The place after those of the steps and of what they run for each item. */
  endPlace: number;
}

/** A workflow that is a graph of steps. */
export interface Workflow extends WorkflowVersion, Graph {
  outputs: readonly WorkflowOutput[];
}

/** The steps that run for each item. Their inputs select from the outer graph, `item` and `index`. */
export interface ItemGraph extends Graph {
  maxItems: number;
  inputs: readonly WorkflowOutput[];
  outputs: readonly WorkflowOutput[];
}

export function outputsOf({ outputs }: Pick<Workflow, 'outputs'>, roots: Roots): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { name, value } of outputs) values[name] = value(roots);
  return values;
}

const WORKFLOW_ID_RULE = 'must be 1 to 64 letters, digits, "_", "-" or "."';
const WORKFLOW_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

export function workflowIdFault(id: unknown): string | null {
  return typeof id === 'string' && WORKFLOW_ID.test(id) ? null : WORKFLOW_ID_RULE;
}

/** Plans a document that has no faults, with its inner workflows inlined. */
export function planWorkflow(id: string, version: number, document: WorkflowDocument): Workflow {
  const { steps, outputs } = inlineInnerWorkflows(document);
  return {
    id,
    version,
    inputs: document.inputs.map(planInput),
    ...planSteps(steps.map(({ step }) => step)),
    outputs: outputs.map(compileValue),
  };
}

export function planSteps(documents: readonly StepDocument[], firstPlace = 0): Graph {
  let endPlace = firstPlace + documents.length;
  const planItemsOf = (step: StepDocument): ItemGraph | null => {
    const items = isForEach(step) ? planItems(step, endPlace) : null;
    endPlace = items?.endPlace ?? endPlace;
    return items;
  };
  const links = documents.map(linksOf);
  const { chosenBy, loops } = planTransitions(links);
  const gates = new Map(links.map((link) => [link.name, link.gates]));
  const steps = links.map(({ step, name, values, needs, needsErrorOf }) => ({
    name,
    type: step.type,
    written: step,
    manifest: compileManifest(step),
    retry: readRetryPolicy(step.retry, NO_RETRY),
    needs: [...needs],
    needsErrorOf,
    stepSelectors: values.map(compileSelector),
    gatedBy: (chosenBy.get(name) ?? []).filter((chooser) => gates.get(chooser)?.has(name)),
    chosenBy: (chosenBy.get(name) ?? []).filter((chooser) => !gates.get(chooser)?.has(name)),
    transitions: outcomeTransitionsOf(step),
    maxVisits: readMaxVisits(step['max_visits']),
    items: planItemsOf(step),
  }));
  return { steps, loops, firstPlace, endPlace };
}

/** Null while the workflow of the step is unresolved. */
function planItems(step: StepDocument, firstPlace: number): ItemGraph | null {
  const inlined = inlineItems(step);
  if (inlined === null) return null;
  const { inputs } = step['workflow_definition'] as WorkflowDocument;
  const given = (step['parameter_bindings'] ?? {}) as Record<string, unknown>;
  return {
    ...planSteps(
      inlined.steps.map((child) => child.step),
      firstPlace,
    ),
    maxItems: readMaxItems(step),
    inputs: inputs.map(({ name, default_value: value = null }) =>
      Object.hasOwn(given, name) ? compileValue({ name, value: given[name] }) : { name, value: () => value },
    ),
    outputs: inlined.outputs.map(compileValue),
  };
}

function compileValue({ name, value }: { name: string; value: unknown }): WorkflowOutput {
  return { name, value: compileBinding(value) };
}

/** Undefined when there is no step at the place. */
export function stepAt({ steps, firstPlace }: Graph, place: number): WorkflowStep | undefined {
  const step = steps[place - firstPlace];
  if (step !== undefined) return step;
  const graph = steps.find(({ items }) => items !== null && place >= items.firstPlace && place < items.endPlace)?.items ?? null;
  return graph === null ? undefined : stepAt(graph, place);
}

function compileManifest(step: StepDocument): Binding {
  const bindable = bindableProperties(step);
  const binding = compileBinding(bindable);
  if (Object.keys(bindable).length === Object.keys(step).length) return binding;
  return (roots) => ({ ...step, ...(binding(roots) as object) });
}

/** The kinds of an input that declares none. */
const IMPLIED_KINDS: Readonly<Record<InputType, readonly string[]>> = {
  WorkflowParameter: ['*'],
  WorkflowImage: ['image'],
  WorkflowVideoMetadata: ['video_metadata'],
  WorkflowBatchInput: ['*'],
};

function planInput(input: InputDocument): WorkflowInput {
  const type = inputTypeOf(input);
  return {
    name: input.name,
    type,
    kinds: input.kind ?? IMPLIED_KINDS[type],
    ...('default_value' in input ? { defaultValue: input.default_value } : {}),
  };
}
