// Inlines inner workflows and fan-outs, so that a run has only plain steps, and prepares the workflows that run for each item. A child step is named `{step}__{childstep}`, its inputs
// are bound, and references to the outer step are redirected to the inlined steps.

import { countValues, mapLeaves } from '../json/json-tree.ts';
import { isOfItem, nameInItem } from '../run/item-visits.ts';
import { MAX_STEPS, type StepDocument, type WorkflowDocument } from './document.ts';
import { FORWARD_OUTPUTS, isFanOut, stepsPerUrl } from './fan-out-step.ts';
import { isForEach } from './for-each/for-each-step.ts';
import { type InnerWorkflow, innerWorkflowOf, isInnerWorkflow, type PinnedWorkflows, pinsOf } from './inner-workflow-step.ts';
import { linksOf, withBareReferences } from './links.ts';
import { bindableProperties, isStepReference, readSelector, type SelectorPart, selectedStep } from './selector.ts';
import { leadingNames } from './selector-path.ts';
import { planTransitions } from './transitions.ts';

export interface InlinedStep {
  step: StepDocument;
  /** Index of the original step in the document. */
  origin: number;
}

export interface InlinedWorkflow {
  steps: InlinedStep[];
  /** `value` is a selector, an escaped literal, or an object of these. */
  outputs: { name: string; value: unknown }[];
}

/** Thrown when a workflow cannot be inlined. */
export class InliningFault extends Error {}

/** Repeated bindings multiply: a small document could otherwise exhaust the memory. */
const MAX_VALUES = 200_000;

/** `document` has no faults. A step with an unresolved reference stays. Throws InliningFault. */
export function inlineInnerWorkflows(document: WorkflowDocument): InlinedWorkflow {
  if (!document.steps.some((step) => isInlined(step) || isForEach(step))) return plain(document);
  const budget = new ValueBudget();
  budget.spend(document);
  return inline({ document, pins: pinsOf(document) }, budget);
}

/** Returns the workflow of a for_each step that is inlined itself, its steps as `{step}[].{childstep}`. Null while unresolved. */
export function inlineItems({ name, workflow_definition: definition = null }: StepDocument): InlinedWorkflow | null {
  if (definition === null) return null;
  const { steps, outputs } = inlineInnerWorkflows(definition as WorkflowDocument);
  const names = new Map(steps.map(({ step }) => [step.name, nameInItem(name, step.name)]));
  const adopt = (value: unknown): unknown => mapLeaves(value, (leaf) => (typeof leaf === 'string' ? renamed(leaf, names, null) : leaf));
  return {
    steps: steps.map(({ step, origin }) => ({ step: adopted(step, names, adopt), origin })),
    outputs: outputs.map((output) => ({ name: output.name, value: adopt(output.value) })),
  };
}

/** True for a step that stands for other steps. */
export function isInlined(step: StepDocument): boolean {
  return isInnerWorkflow(step) || isFanOut(step);
}

class ValueBudget {
  #left = MAX_VALUES;

  spend(value: unknown): void {
    this.#left -= countValues(value, this.#left);
    if (this.#left < 0) throw new InliningFault(`the workflow with its inner workflows holds more than ${MAX_VALUES} values`);
  }
}

function plain({ steps, outputs }: WorkflowDocument): InlinedWorkflow {
  return {
    steps: steps.map((step, origin) => ({ step: withBareReferences(step), origin })),
    outputs: outputs.map(({ name, selector }) => ({ name, value: selector })),
  };
}

function inline({ document, pins }: InnerWorkflow, budget: ValueBudget): InlinedWorkflow {
  const { steps, outputs } = plain(document);
  let workflow = { steps: steps.map(({ step, origin }) => ({ step: withItems(step, pins), origin })), outputs };
  for (const step of document.steps.filter(isInnerWorkflow)) workflow = expand(workflow, step.name, pins, budget);
  for (const step of document.steps.filter(isFanOut)) workflow = fanOut(workflow, step.name, budget);
  return workflow;
}

/** Gives a for_each step the workflow that it refers to, with the pins that this workflow needs. */
function withItems(step: StepDocument, pins: PinnedWorkflows): StepDocument {
  const inner = isForEach(step) ? innerWorkflowOf(step, pins) : null;
  if (inner === null) return step;
  const { workflow_id: _id, workflow_version_id: _version, ...others } = step;
  return { ...others, workflow_definition: { ...inner.document, pinned_workflows: inner.pins } } as StepDocument;
}

function fanOut(parent: InlinedWorkflow, name: string, budget: ValueBudget): InlinedWorkflow {
  const index = indexOf(parent, name);
  const { step, origin } = parent.steps[index] as InlinedStep;
  const children = stepsPerUrl(step);
  const names = [...newNames(name, children, parent).values()];
  for (const child of children) budget.spend(child);
  const inside: Inside = {
    name,
    outputs: new Map(FORWARD_OUTPUTS.map((output) => [output, names.map((child) => `$steps.${child}.${output}`)])),
    first: names.map((child) => `$steps.${child}`),
  };
  const steps = children.map((child, position) => ({ step: { ...child, name: names[position] as string }, origin }));
  return replaceStep(parent, index, steps, inside, budget);
}

function expand(parent: InlinedWorkflow, name: string, pins: PinnedWorkflows, budget: ValueBudget): InlinedWorkflow {
  const index = indexOf(parent, name);
  const { step, origin } = parent.steps[index] as InlinedStep;
  const inner = innerWorkflowOf(step, pins);
  if (inner === null) return parent;
  const child = inline(inner, budget);
  const names = newNames(
    name,
    child.steps.map((inlined) => inlined.step),
    parent,
  );
  const inputs = boundInputs(step, inner.document);
  const adopt = (value: unknown): unknown => replaceTexts(value, budget, (text) => renamed(text, names, inputs));
  const inside: Inside = {
    name,
    outputs: new Map(child.outputs.map((output) => [output.name, adopt(output.value)])),
    first: firstSteps(child).map((childStep) => `$steps.${names.get(childStep)}`),
  };
  const steps = child.steps.map((inlined) => ({ step: adopted(inlined.step, names, adopt), origin }));
  return replaceStep(parent, index, steps, inside, budget);
}

function adopted(step: StepDocument, names: ReadonlyMap<string, string>, adopt: (value: unknown) => unknown): StepDocument {
  return { ...step, ...(adopt(bindableProperties(step)) as object), name: names.get(step.name) as string };
}

function indexOf({ steps }: InlinedWorkflow, name: string): number {
  return steps.findIndex(({ step }) => step.name === name);
}

function replaceStep(
  parent: InlinedWorkflow,
  index: number,
  steps: readonly InlinedStep[],
  inside: Inside,
  budget: ValueBudget,
): InlinedWorkflow {
  return {
    steps: parent.steps.toSpliced(index, 1, ...steps).map((other) => ({ ...other, step: pointInside(other.step, inside, budget) })),
    outputs: parent.outputs.map((output) => ({ ...output, value: replaceReferences(output.value, inside, budget) })),
  };
}

/** Returns the names of the steps that replace step `name`, by their own names. */
function newNames(name: string, steps: readonly StepDocument[], parent: InlinedWorkflow): Map<string, string> {
  const taken = new Set(parent.steps.map(({ step }) => step.name));
  return new Map(
    steps.map((step) => {
      const wanted = `${name}__${step.name}`;
      let free = wanted;
      for (let count = 2; taken.has(free); count += 1) free = `${wanted}__${count}`;
      taken.add(free);
      return [step.name, free];
    }),
  );
}

/** Returns the binding of each child input, else its default, which is escaped so that it is never a selector. */
function boundInputs({ parameter_bindings: given }: StepDocument, child: WorkflowDocument): Map<string, unknown> {
  const bindings = new Map(Object.entries((given ?? {}) as object) as [string, unknown][]);
  for (const { name, default_value: value = null } of child.inputs) if (!bindings.has(name)) bindings.set(name, asLiteral(value));
  return bindings;
}

function asLiteral(value: unknown): unknown {
  return mapLeaves(value, (leaf) => (typeof leaf === 'string' && leaf.startsWith('$') ? `$${leaf}` : leaf));
}

/** Rewrites a selector of the child for the parent. Without `inputs` those of the child stay. */
function renamed(text: string, names: ReadonlyMap<string, string>, inputs: ReadonlyMap<string, unknown> | null): unknown {
  const { root, parts } = readSelector(text) ?? { root: '', parts: [] };
  const name = parts[0]?.key ?? '';
  if (root === 'steps') return `$steps${writtenName(names.get(name) ?? name)}${writtenFrom(parts, 1)}`;
  return root === 'inputs' && inputs !== null ? follow(inputs.get(name), parts, 1) : text;
}

function writtenName(name: string): string {
  return isOfItem(name) ? `["${name}"]` : `.${name}`;
}

function writtenFrom(parts: readonly SelectorPart[], from: number): string {
  return parts
    .slice(from)
    .map(({ written }) => written)
    .join('');
}

/** Selects a part of a bound value: directly from a literal, by appending to a selector. */
function follow(value: unknown, parts: readonly SelectorPart[], from: number): unknown {
  if (from >= parts.length) return value;
  if (typeof value === 'string' && readSelector(value) !== null) return value + writtenFrom(parts, from);
  if (typeof value !== 'object' || value === null) return null;
  for (const { name, next } of leadingNames(parts, from)) {
    const found = Object.hasOwn(value, name) ? follow((value as Record<string, unknown>)[name], parts, next) : null;
    if (found !== null) return found;
  }
  return null;
}

/** The targets of references to an inlined step. */
interface Inside {
  name: string;
  outputs: ReadonlyMap<string, unknown>;
  /** References to its first steps. */
  first: readonly string[];
}

/** Steps that wait for no other step of their workflow. Empty above MAX_STEPS, which is reported as a fault elsewhere. */
function firstSteps({ steps }: InlinedWorkflow): string[] {
  if (steps.length > MAX_STEPS) return [];
  const links = steps.map(({ step }) => linksOf(step));
  const { chosenBy } = planTransitions(links);
  return links.filter(({ name, needs }) => needs.size === 0 && !chosenBy.has(name)).map(({ name }) => name);
}

function pointInside(step: StepDocument, inside: Inside, budget: ValueBudget): StepDocument {
  return { ...step, ...(replaceReferences(bindableProperties(step), inside, budget) as object) };
}

function replaceReferences(value: unknown, { name, outputs, first }: Inside, budget: ValueBudget): unknown {
  const isWhole = (item: unknown): boolean => typeof item === 'string' && isStepReference(item) && selectedStep(item) === name;
  const replace = (text: string): unknown => {
    if (isWhole(text) && first.length > 1)
      throw new InliningFault(`"${text}" begins with ${first.length} steps (${first.join(', ')}): name it in a list`);
    if (isWhole(text)) return first[0];
    const { root, parts } = readSelector(text) ?? { root: '', parts: [] };
    if (root !== 'steps' || parts[0]?.key !== name) return text;
    if (parts[1]?.written === '.*') return follow(Object.fromEntries(outputs), parts, 2);
    const output = leadingNames(parts, 1).find((leading) => outputs.has(leading.name));
    return output === undefined ? null : follow(outputs.get(output.name), parts, output.next);
  };
  return replaceTexts(value, budget, replace, (items) => items.flatMap((item): readonly unknown[] => (isWhole(item) ? first : [item])));
}

function replaceTexts(
  value: unknown,
  budget: ValueBudget,
  replace: (text: string) => unknown,
  replaceItems?: (items: readonly unknown[]) => readonly unknown[],
): unknown {
  return mapLeaves(
    value,
    (leaf) => {
      const replaced = typeof leaf === 'string' ? replace(leaf) : leaf;
      if (replaced !== leaf) budget.spend(replaced);
      return replaced;
    },
    replaceItems,
  );
}
