// The step type `roboflow_core/inner_workflow@v1`: it contains a workflow definition or references a workflow of the
// same app, as a step that runs a workflow for each item does. Also Roboflow's limits on such steps.

import type { Fault } from '../fault.ts';
import type { StepDocument, WorkflowDocument } from './document.ts';
import { isForEach } from './for-each/for-each-step.ts';

export const INNER_WORKFLOW = 'roboflow_core/inner_workflow@v1';

const MAX_NESTING = 4;
export const MAX_INNER_WORKFLOWS = 32;

export type PinnedWorkflows = Readonly<Record<string, WorkflowDocument>>;

export interface InnerWorkflowReference {
  workspace: string;
  id: string;
  /** Null: the current version at the time the referring workflow is saved. */
  version: string | null;
}

/** A definition with the pinned copies that resolve its references. */
export interface InnerWorkflow {
  document: WorkflowDocument;
  pins: PinnedWorkflows;
}

export function isInnerWorkflow({ type }: { type?: unknown }): boolean {
  return type === INNER_WORKFLOW;
}

/** Whether the step has a workflow of its own, written inside it or by reference. */
export function hasInnerWorkflow(step: { type?: unknown }): boolean {
  return isInnerWorkflow(step) || isForEach(step);
}

/** Null when the step contains its definition. */
export function readReference(step: object): InnerWorkflowReference | null {
  const { workflow_id: id, workflow_version_id: version, ...others } = step as Record<string, unknown>;
  const workspace = isForEach(others) ? 'local' : others['workflow_workspace_id'];
  if (typeof workspace !== 'string' || typeof id !== 'string') return null;
  return { workspace, id, version: version === undefined || version === null ? null : String(version) };
}

/** The key of a workflow's pinned copy. */
export function pinKey({ id, version }: InnerWorkflowReference): string {
  return version === null ? id : `${id}@${version}`;
}

export function pinsOf(document: WorkflowDocument): PinnedWorkflows {
  return document.pinned_workflows ?? {};
}

/** Returns the inner workflow, or null while its reference is unresolved. A pinned copy has its own pins. */
export function innerWorkflowOf(step: object, pins: PinnedWorkflows): InnerWorkflow | null {
  const { workflow_definition: definition = null } = step as { workflow_definition?: WorkflowDocument | null };
  if (definition !== null) return { document: definition, pins };
  const reference = readReference(step);
  if (reference === null || !Object.hasOwn(pins, pinKey(reference))) return null;
  const document = pins[pinKey(reference)] as WorkflowDocument;
  return { document, pins: pinsOf(document) };
}

/** Accepts documents whose inner definitions are not validated yet. */
export function nestingFaults(root: WorkflowDocument): Fault[] {
  let count = 0;
  function depthOf({ document, pins }: InnerWorkflow, depth: number): number {
    if (depth > MAX_NESTING || count > MAX_INNER_WORKFLOWS) return depth;
    const depths = innerSteps(document).map((step) => {
      count += 1;
      const inner = innerWorkflowOf(step, pins);
      return inner === null ? depth + 1 : depthOf(inner, depth + 1);
    });
    return Math.max(depth, ...depths);
  }

  const depth = depthOf({ document: root, pins: pinsOf(root) }, 0);
  if (depth > MAX_NESTING)
    return [{ path: 'steps', message: `Inner workflow nesting depth is ${depth}, which exceeds the limit of ${MAX_NESTING}.` }];
  if (count > MAX_INNER_WORKFLOWS)
    return [{ path: 'steps', message: `Inner workflow step count is ${count}, which exceeds the limit of ${MAX_INNER_WORKFLOWS}.` }];
  return [];
}

function innerSteps(document: unknown): object[] {
  const steps = (document as { steps?: unknown } | null)?.steps;
  if (!Array.isArray(steps)) return [];
  return (steps as unknown[]).filter(
    (step): step is StepDocument => typeof step === 'object' && step !== null && hasInnerWorkflow(step as StepDocument),
  );
}

/** Checks the bindings of a step against the inputs of its child workflow. */
export function bindingFaults({ type, name, parameter_bindings: given }: StepDocument, child: WorkflowDocument): Fault[] {
  const what = isForEach({ type }) ? 'for_each' : 'inner_workflow';
  const bound = Object.keys((given ?? {}) as object);
  const known = child.inputs.map((input) => input.name);
  const unknown = bound.filter((input) => !known.includes(input));
  const missing = child.inputs.filter((input) => (input.default_value ?? null) === null && !bound.includes(input.name));
  const path = 'parameter_bindings';
  return [
    ...unknown.map((input) => ({
      path: `${path}.${input}`,
      message: `${what} step \`${name}\` parameter_bindings references unknown child workflow input names ['${input}']. Valid input names: [${known.map((valid) => `'${valid}'`).join(', ')}].`,
    })),
    ...missing.map((input) => ({
      path,
      message: `${what} step \`${name}\` is missing parameter_bindings for required child workflow inputs ['${input.name}']. Omitting a binding is allowed only for \`WorkflowParameter\` / \`InferenceParameter\` inputs with a non-null \`default_value\` in the child workflow definition.`,
    })),
  ];
}
