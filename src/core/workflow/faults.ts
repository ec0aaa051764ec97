// Validates a workflow when it is saved: Roboflow's compile errors in their words, with the path of each and a correction.
// The caller inspects manifests, so that core knows no step type but those that are inlined.

import { type Fault, nestFaults } from '../fault.ts';
import { documentFaults, type InputDocument, MAX_STEPS, type StepDocument, shapeFaults, type WorkflowDocument } from './document.ts';
import { isForEach, itemSelectorFault, selectsItem } from './for-each/for-each-step.ts';
import { itemGraphFaults } from './for-each/item-faults.ts';
import { type InlinedStep, InliningFault, inlineInnerWorkflows, isInlined } from './inner-workflow.ts';
import {
  bindingFaults,
  hasInnerWorkflow,
  type InnerWorkflow,
  innerWorkflowOf,
  isInnerWorkflow,
  nestingFaults,
  type PinnedWorkflows,
  pinsOf,
} from './inner-workflow-step.ts';
import { gateTargets, referencesIn } from './links.ts';
import { type Graph, planSteps } from './plan.ts';
import { bindableProperties, findSelectors, isSelector, isStepReference, readSelector } from './selector.ts';
import { ANY_REQUEST, requestFault } from './selector-faults.ts';
import { leadingNames } from './selector-path.ts';

/** The result of checking a manifest against its step type. */
export interface ManifestReport {
  faults: Fault[];
  /** Names of its outputs; null: any name. */
  outputs: readonly string[] | null;
  /** Whether a property names steps to run next, as `$steps.b`. */
  acceptsSteps: (property: string) => boolean;
  /** Whether such a step may be an earlier one, which makes a loop. */
  allowsLoop: (property: string) => boolean;
}

export type InspectManifest = (type: string, manifest: Record<string, unknown>) => ManifestReport;

/** Returns an empty list when the document can run. References without a pin are not checked. */
export function workflowFaults(document: unknown, inspect: InspectManifest): Fault[] {
  const shape = shapeFaults(document);
  if (shape.length > 0) return firstFaults(shape);
  const workflow = document as WorkflowDocument;
  const nesting = nestingFaults(workflow);
  return firstFaults(nesting.length > 0 ? nesting : faultsInside({ document: workflow, pins: pinsOf(workflow) }, inspect));
}

/** A hostile definition could have a fault in every other byte. */
const MAX_FAULTS = 100;
const MAX_FAULTS_OF_A_STEP = 20;
const MAX_LISTED_NAMES = 20;
const MAX_QUOTED = 160;

function firstFaults(faults: Fault[]): Fault[] {
  const more = faults.length - MAX_FAULTS;
  return more <= 0 ? faults : [...faults.slice(0, MAX_FAULTS), { path: '', message: `${more} more faults are not shown` }];
}

function faultsInside({ document, pins }: InnerWorkflow, inspect: InspectManifest): Fault[] {
  const scope = scopeOf(document, pins, inspect);
  const stepFaults = document.steps.flatMap((step, index) => {
    const report = scope.reports[index] as ManifestReport;
    const found = report.faults.length > 0 ? report.faults : [...innerFaults(step, pins, inspect), ...gateFaults(step)];
    return nestFaults(`steps[${index}]`, [...found, ...selectorFaults(step, report, scope)]);
  });
  const faults = [...documentFaults(document), ...stepFaults];
  for (const [index, { selector }] of document.outputs.entries()) {
    const isValue = isSelector(selector) && !isStepReference(selector);
    const fault = isValue
      ? selectsItem(selector)
        ? itemSelectorFault(selector, null, '')
        : referenceFault(selector, scope)
      : 'must select a value, as "$steps.name.output"';
    if (fault !== null) faults.push({ path: `outputs[${index}].selector`, message: fault });
  }
  return faults.length > 0 ? faults : inlinedFaults({ ...document, pinned_workflows: { ...pins } }, inspect);
}

interface Scope {
  document: WorkflowDocument;
  /** Of each step, in order. */
  reports: readonly ManifestReport[];
  /** By the name of its step. */
  byName: ReadonlyMap<string, ManifestReport>;
}

function scopeOf(document: WorkflowDocument, pins: PinnedWorkflows, inspect: InspectManifest): Scope {
  const reports = document.steps.map((step) => {
    const report = inspect(step.type, step);
    const inner = isInnerWorkflow(step) ? innerWorkflowOf(step, pins) : null;
    return inner === null ? report : { ...report, outputs: outputNames(inner.document) };
  });
  return { document, reports, byName: new Map(document.steps.map(({ name }, index) => [name, reports[index] as ManifestReport])) };
}

/** Null (any name) while the inner definition has shape faults, which are reported first. */
function outputNames(inner: WorkflowDocument): string[] | null {
  return shapeFaults(inner).length > 0 ? null : inner.outputs.map(({ name }) => name);
}

/** An inner workflow must be able to run by itself, with the bindings of the step as its inputs. */
function innerFaults(step: StepDocument, pins: PinnedWorkflows, inspect: InspectManifest): Fault[] {
  const inner = hasInnerWorkflow(step) ? innerWorkflowOf(step, pins) : null;
  if (inner === null) return [];
  const field = (step['workflow_definition'] ?? null) === null ? 'workflow_id' : 'workflow_definition';
  const shape = shapeFaults(inner.document);
  if (shape.length > 0) return nestFaults(field, shape);
  if (inner.document.steps.length === 0)
    return [
      {
        path: `${field}.steps`,
        message: `${isForEach(step) ? 'for_each' : 'inner_workflow'} step \`${step.name}\` has no steps to inline.`,
      },
    ];
  return [...nestFaults(field, faultsInside(inner, inspect)), ...bindingFaults(step, inner.document)];
}

function selectorFaults(step: StepDocument, { acceptsSteps }: ManifestReport, scope: Scope): Fault[] {
  const faults: Fault[] = [];
  for (const [path, value] of Object.entries(bindableProperties(step))) {
    for (const text of new Set(findSelectors(value))) {
      const fault = selectsItem(text) ? itemSelectorFault(text, step, path) : referenceFault(text, scope);
      const message = fault ?? (isStepReference(text) && !acceptsSteps(path) ? bareStepFault(text, step.name) : null);
      if (message !== null) faults.push({ path, message });
      if (faults.length === MAX_FAULTS_OF_A_STEP) return faults;
    }
  }
  return faults;
}

/** Roboflow's rule: a block names each step that it chooses only once. */
function gateFaults(step: StepDocument): Fault[] {
  const targets = gateTargets(step);
  const repeated = targets.find((name, place) => targets.indexOf(name) !== place);
  if (repeated === undefined) return [];
  const edge = `source \`$steps.${step.name}\` and target \`$steps.${repeated}\``;
  const message = `While establishing flow-control connection between ${edge} it was discovered that source step defines control flow transition into target one more than once, which is not allowed as that situation creates ambiguity in selecting execution branch.`;
  return [{ path: '', message }];
}

function bareStepFault(text: string, name: string): string {
  return `Detected reference to other step in manifest of step ${name}. This is not allowed, as "${text}" names a step and this field takes a value; write ${text}.output`;
}

function referenceFault(text: string, { document, byName }: Scope): string | null {
  const selector = readSelector(text);
  const parts = selector?.parts ?? [];
  const name = parts[0]?.key ?? '';
  const shown = quotable(text);
  switch (selector?.root) {
    case 'request': {
      const fault = requestFault(text, ANY_REQUEST);
      return fault === null ? null : `"${shown}" can never select anything: ${fault}`;
    }
    case 'inputs': {
      const input = document.inputs.find((declared) => declared.name === name);
      if (input !== undefined) return parts.length > 1 && isScalar(input) ? scalarFault(shown, input) : null;
      return `Workflow references '${shown}' which points to a non-existent input parameter; known are ${listed(document.inputs.map((declared) => declared.name))}`;
    }
    case 'steps': {
      const report = byName.get(name);
      if (report === undefined)
        return `Workflow references '${shown}' which points to a non-existent block; known are ${listed(document.steps.map((step) => step.name))}`;
      const outputs = leadingNames(parts, 1);
      const [output] = outputs;
      if (output === undefined || parts[1]?.written === '.*' || report.outputs === null) return null;
      if (outputs.some((leading) => report.outputs?.includes(leading.name))) return null;
      return `Found reference to non-existing property \`${quotable(output.name)}\` of step \`${name}\`; known are ${listed(report.outputs)}`;
    }
    default:
      return `"${shown}" is not a selector; write $inputs.x, $steps.name.output or $request.body, or "$$" for a literal "$"`;
  }
}

/** A value of any of these kinds has no parts to select. */
const SCALAR_KINDS: readonly string[] = ['string', 'integer', 'float', 'float_zero_to_one', 'boolean'];

function isScalar({ kind = [] }: InputDocument): boolean {
  return kind.length > 0 && kind.every((name) => SCALAR_KINDS.includes(name));
}

function scalarFault(shown: string, { name, kind = [] }: InputDocument): string {
  return `"${shown}" can never select anything: input "${name}" is ${kind.join(' or ')}, which has no parts`;
}

function listed(names: readonly string[]): string {
  const more = names.length - MAX_LISTED_NAMES;
  return (more <= 0 ? names : [...names.slice(0, MAX_LISTED_NAMES), `${more} more`]).join(', ') || 'none';
}

function quotable(text: string): string {
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}

/** Faults that appear only after inlining inner workflows: bound literals, the step count, and cycles. */
function inlinedFaults(document: WorkflowDocument, inspect: InspectManifest): Fault[] {
  try {
    const { steps } = inlineInnerWorkflows(document);
    if (steps.length > MAX_STEPS) return [tooManySteps(steps.length)];
    const faults = document.steps.some(isInlined) ? steps.flatMap((inlined) => boundFaults(inlined, document, inspect)) : [];
    return faults.length > 0 ? faults : graphFaults(steps, inspect);
  } catch (error) {
    if (error instanceof InliningFault) return [{ path: 'steps', message: error.message }];
    throw error;
  }
}

function tooManySteps(count: number): Fault {
  return { path: 'steps', message: `must not be more than ${MAX_STEPS} with those of inner workflows and one per URL; they are ${count}` };
}

function graphFaults(inlined: readonly InlinedStep[], inspect: InspectManifest): Fault[] {
  const documents = inlined.map(({ step }) => step);
  const graph = planSteps(documents);
  if (graph.endPlace > MAX_STEPS) return [tooManySteps(graph.endPlace)];
  const originOf = (name: string) => inlined.find(({ step }) => step.name === name)?.origin;
  return [...cycleFaults(graph, documents, inspect), ...itemGraphFaults(graph, ({ name }) => `steps[${originOf(name)}]`)];
}

/** Checks the literals that replaced a step's selectors. */
function boundFaults({ step, origin }: InlinedStep, document: WorkflowDocument, inspect: InspectManifest): Fault[] {
  const { faults } = inspect(step.type, step);
  if (!isInlined(document.steps[origin] as StepDocument)) return nestFaults(`steps[${origin}]`, faults);
  return faults.map(({ path, message }) => ({
    path: `steps[${origin}]`,
    message: `inlined as "${step.name}": ${path === '' ? '' : `${path}: `}${message}`,
  }));
}

/** Steps that wait for one another would never start. Kahn's algorithm: steps that cannot be removed are in a cycle. */
function cycleFaults({ steps, loops }: Graph, documents: readonly StepDocument[], inspect: InspectManifest): Fault[] {
  const waitsFor = new Map(steps.map((step) => [step.name, new Set([...step.needs, ...step.gatedBy, ...step.chosenBy])]));
  for (const [name, targets] of loops?.backEdges ?? []) {
    const step = documents.find((document) => document.name === name) as StepDocument;
    for (const target of forbiddenLoops(step, targets, inspect)) waitsFor.get(target)?.add(name);
  }
  const free = steps.filter((step) => waitsFor.get(step.name)?.size === 0).map((step) => step.name);
  for (let name = free.pop(); name !== undefined; name = free.pop()) {
    waitsFor.delete(name);
    for (const [waiting, others] of waitsFor) if (others.delete(name) && others.size === 0) free.push(waiting);
  }
  const looped = [...waitsFor.keys()];
  if (looped.length === 0) return [];
  const text =
    'Detected cycle in execution graph. This means that there is output from one step that is connected to input of other step creating loop in the graph that would never end if executed';
  return [{ path: 'steps', message: `${text}: steps ${looped.join(', ')} wait for one another` }];
}

/** Returns the back edges of a step that it names in a property which may not loop. */
function forbiddenLoops(step: StepDocument, targets: ReadonlySet<string>, inspect: InspectManifest): string[] {
  const { allowsLoop } = inspect(step.type, step);
  const forward = Object.entries(bindableProperties(step)).filter(([property]) => !allowsLoop(property));
  return [...referencesIn(forward.map(([, value]) => value))].filter((name) => targets.has(name));
}
