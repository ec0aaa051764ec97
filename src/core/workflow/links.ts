// The references of a step to other steps: the outputs that it selects, and the steps that it may choose to run next.

import { mapLeaves } from '../json/json-tree.ts';
import type { StepDocument } from './document.ts';
import { bindableProperties, findSelectors, isStepReference, parseSelector, selectedStep } from './selector.ts';

export interface StepLinks {
  step: StepDocument;
  name: string;
  /** Selectors of outputs of other steps, in order. */
  values: readonly string[];
  /** Steps that `values` select from. */
  needs: ReadonlySet<string>;
  /** The steps of `needs` whose error alone is selected. */
  needsErrorOf: readonly string[];
  /** Steps that it names, as `$steps.b`. */
  chooses: ReadonlySet<string>;
  /** The subset of `chooses` that runs only if this step chooses it, whatever other steps choose. */
  gates: ReadonlySet<string>;
}

/** Properties of Roboflow's blocks that name steps. Any other property that names steps contains transitions. */
const GATE_PROPERTIES = ['next_steps', 'cases', 'default_next_steps'];

export function linksOf(step: StepDocument): StepLinks {
  const bindable = bindableProperties(step);
  const values = findSelectors(bindable).filter((text) => selectedStep(text) !== null && !isStepReference(text));
  const needs = namesOf(values);
  const needsMore = namesOf(values.filter((text) => parseSelector(text)?.path[1] !== 'error'));
  const needsErrorOf = [...needs].filter((name) => !needsMore.has(name));
  return { step, name: step.name, values, needs, needsErrorOf, chooses: referencesIn(bindable), gates: new Set(gateTargets(step)) };
}

/** Names of the steps that a step gates, with duplicates. */
export function gateTargets(step: StepDocument): string[] {
  const references = findSelectors(GATE_PROPERTIES.map((property) => step[property])).filter(isStepReference);
  return references.map(selectedStep).filter((name) => name !== null);
}

/** Properties of Roboflow's control flow. */
const NEXT_STEPS = ['next_steps', 'default_next_steps', 'cases'] as const;

/** Roboflow accepts an output selector in control flow; it is replaced by a reference to the step. */
export function withBareReferences(step: StepDocument): StepDocument {
  const named = NEXT_STEPS.filter((property) => findSelectors(step[property]).some((text) => !isStepReference(text)));
  if (named.length === 0) return step;
  return { ...step, ...Object.fromEntries(named.map((property) => [property, mapLeaves(step[property], bareReference)])) };
}

function bareReference(leaf: unknown): unknown {
  const name = typeof leaf === 'string' ? selectedStep(leaf) : null;
  return name === null ? leaf : `$steps.${name}`;
}

/** The steps that run after success or failure of a step, whatever its type. */
export interface OutcomeTransitions {
  onSuccess: readonly string[];
  onFailure: readonly string[];
  /** Steps that its other properties name. */
  others: readonly string[];
}

export function outcomeTransitionsOf(step: StepDocument): OutcomeTransitions | null {
  const { on_success: success, on_failure: failure, ...others } = bindableProperties(step);
  if (success === undefined && failure === undefined) return null;
  return { onSuccess: [...referencesIn(success)], onFailure: [...referencesIn(failure)], others: [...referencesIn(others)] };
}

/** Steps that run after a success: those that its type chose, or all that it names, plus those of `on_success`. */
export function chosenOnSuccess({ onSuccess, others }: OutcomeTransitions, chosen: readonly string[] | undefined): readonly string[] {
  return [...new Set([...(chosen ?? others), ...onSuccess])];
}

/** Names of the referenced steps, at any depth. */
export function referencesIn(value: unknown): ReadonlySet<string> {
  return namesOf(findSelectors(value).filter(isStepReference));
}

function namesOf(selectors: readonly string[]): Set<string> {
  return new Set(selectors.map(selectedStep).filter((name) => name !== null));
}
