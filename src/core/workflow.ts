// Workflows: Roboflow's JSON shape (inputs, steps, JsonField outputs), checked whole when it is saved and planned
// into a graph. What a step type wants of its manifest is told by the caller, so that core knows no step type.

import { type Binding, compileBinding, compileSelector } from './bindings.ts';
import { type Fault, nestFaults } from './fault.ts';
import { NO_RETRY, type RetryPolicy, readRetryPolicy, retrySchema } from './retry.ts';
import { createSchemaCheck, type JsonSchema } from './schema.ts';
import { findSelectors, isSelector, isStepReference, parseSelector, selectedStep } from './selector.ts';

export interface WorkflowInput {
  name: string;
  kinds: readonly string[];
  /** Absent where the input is required. */
  defaultValue?: unknown;
}

export interface WorkflowStep {
  name: string;
  type: string;
  /** Gives the manifest with its selectors resolved. */
  manifest: Binding;
  retry: RetryPolicy;
  /** Steps whose outputs the manifest selects. */
  needs: readonly string[];
  /** Steps that may choose this one to run next; without any it always runs. */
  chosenBy: readonly string[];
}

export interface WorkflowOutput {
  name: string;
  value: Binding;
}

export interface Workflow {
  id: string;
  version: number;
  inputs: readonly WorkflowInput[];
  steps: readonly WorkflowStep[];
  outputs: readonly WorkflowOutput[];
}

/** What a step type says of a manifest: its faults and the names of its outputs (null: any name). */
export interface ManifestReport {
  faults: Fault[];
  outputs: readonly string[] | null;
}

export type InspectManifest = (type: string, manifest: Record<string, unknown>) => ManifestReport;

const MAX_STEPS = 500;
const WORKFLOW_ID_RULE = 'must be 1 to 64 letters, digits, "_", "-" or "."';
const WORKFLOW_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const NAME = '^(?!__proto__$)[A-Za-z_0-9-]{1,128}$';
const nameSchema = { type: 'string', pattern: NAME, description: 'must be 1 to 128 letters, digits, "_" or "-"' };

export const workflowSchema: JsonSchema = {
  type: 'object',
  required: ['version', 'inputs', 'steps', 'outputs'],
  additionalProperties: false,
  properties: {
    version: { type: 'string', pattern: '^1\\.\\d{1,4}(?:\\.\\d{1,4})?$', description: 'must be a version "1.x" as text, as "1.0"' },
    inputs: {
      type: 'array',
      maxItems: MAX_STEPS,
      items: {
        type: 'object',
        required: ['type', 'name'],
        additionalProperties: false,
        properties: {
          type: { type: 'string', enum: ['WorkflowParameter', 'InferenceParameter'] },
          name: nameSchema,
          kind: { type: 'array', items: { type: 'string' } },
          default_value: {},
        },
      },
    },
    steps: {
      type: 'array',
      maxItems: MAX_STEPS,
      items: {
        type: 'object',
        required: ['type', 'name'],
        properties: { type: { type: 'string' }, name: nameSchema, retry: retrySchema },
      },
    },
    outputs: {
      type: 'array',
      maxItems: MAX_STEPS,
      items: {
        type: 'object',
        required: ['type', 'name', 'selector'],
        additionalProperties: false,
        properties: {
          type: { const: 'JsonField' },
          name: { type: 'string', pattern: '^(?!__proto__$).', description: 'must not be empty' },
          selector: { type: 'string' },
        },
      },
    },
  },
};

const checkSchema = createSchemaCheck(workflowSchema);

export interface WorkflowDocument {
  version: string;
  inputs: { type: string; name: string; kind?: string[]; default_value?: unknown }[];
  steps: ({ type: string; name: string; retry?: unknown } & Record<string, unknown>)[];
  outputs: { type: string; name: string; selector: string }[];
}

export function workflowIdFault(id: unknown): string | null {
  return typeof id === 'string' && WORKFLOW_ID.test(id) ? null : WORKFLOW_ID_RULE;
}

/** Every fault of a workflow document, each with its path; an empty list when it can run. */
export function workflowFaults(document: unknown, inspect: InspectManifest): Fault[] {
  const schemaFaults = checkSchema(document);
  if (schemaFaults.length > 0) return schemaFaults;
  const workflow = document as WorkflowDocument;
  const reports = new Map(workflow.steps.map((step) => [step.name, inspect(step.type, step)]));
  const faults = [
    ...duplicateNames('inputs', workflow.inputs),
    ...duplicateNames('steps', workflow.steps),
    ...duplicateNames('outputs', workflow.outputs),
  ];
  for (const [index, step] of workflow.steps.entries()) {
    const found = [...(reports.get(step.name)?.faults ?? []), ...selectorFaults(step, workflow, reports)];
    faults.push(...nestFaults(`steps[${index}]`, found));
  }
  for (const [index, output] of workflow.outputs.entries()) {
    const isValue = isSelector(output.selector) && !isStepReference(output.selector);
    const fault = isValue ? selectorFault(output.selector, workflow, reports) : 'must select a value, as "$steps.name.output"';
    if (fault !== null) faults.push({ path: `outputs[${index}].selector`, message: fault });
  }
  return faults.length > 0 ? faults : cycleFaults(workflow);
}

/** Plans a document that has no faults. */
export function planWorkflow(id: string, version: number, document: WorkflowDocument): Workflow {
  const choices = document.steps.map((step) => ({ name: step.name, chosen: chosenSteps(step) }));
  return {
    id,
    version,
    inputs: document.inputs.map((input) => ({
      name: input.name,
      kinds: input.kind ?? ['*'],
      ...('default_value' in input ? { defaultValue: input.default_value } : {}),
    })),
    steps: document.steps.map((step) => ({
      name: step.name,
      type: step.type,
      manifest: compileBinding(step),
      retry: readRetryPolicy(step.retry, NO_RETRY),
      needs: neededSteps(step),
      chosenBy: choices.filter(({ chosen }) => chosen.includes(step.name)).map(({ name }) => name),
    })),
    outputs: document.outputs.map(({ name, selector }) => ({ name, value: compileSelector(selector) })),
  };
}

/** Steps whose outputs a manifest selects. */
function neededSteps(step: object): string[] {
  const names = findSelectors(step)
    .filter((text) => !isStepReference(text))
    .map(selectedStep);
  return [...new Set(names.filter((name) => name !== null))];
}

/** Steps that a manifest names bare (`$steps.b`), as control flow does: it may choose them to run next. */
function chosenSteps(step: object): string[] {
  return [
    ...new Set(
      findSelectors(step)
        .filter(isStepReference)
        .map((text) => selectedStep(text) as string),
    ),
  ];
}

function duplicateNames(list: string, items: readonly { name: string }[]): Fault[] {
  const seen = new Set<string>();
  return items.flatMap(({ name }, index) =>
    seen.size === seen.add(name).size
      ? [{ path: `${list}[${index}].name`, message: `the name "${name}" is taken by an earlier entry` }]
      : [],
  );
}

function selectorFaults(
  step: WorkflowDocument['steps'][number],
  workflow: WorkflowDocument,
  reports: Map<string, ManifestReport>,
): Fault[] {
  return Object.entries(step).flatMap(([field, value]) =>
    findSelectors(value)
      .map((text) => selectorFault(text, workflow, reports))
      .filter((message) => message !== null)
      .map((message) => ({ path: field, message })),
  );
}

function selectorFault(text: string, workflow: WorkflowDocument, reports: Map<string, ManifestReport>): string | null {
  const selector = parseSelector(text);
  const [first, second] = selector?.path ?? [];
  switch (selector?.root) {
    case 'request':
      return null;
    case 'inputs':
      if (first !== undefined && workflow.inputs.some(({ name }) => name === first)) return null;
      return `"${text}" selects no input of this workflow; known are ${listNames(workflow.inputs)}`;
    case 'steps': {
      const report = first === undefined ? undefined : reports.get(first);
      if (report === undefined) return `"${text}" selects no step of this workflow; known are ${listNames(workflow.steps)}`;
      if (second === undefined || second === '*' || report.outputs === null || report.outputs.includes(second)) return null;
      return `"${text}" selects no output of step "${first}"; known are ${report.outputs.join(', ') || 'none'}`;
    }
    default:
      return `"${text}" is no selector; write $inputs.x, $steps.name.output or $request.body, or "$$" for a literal "$"`;
  }
}

function listNames(items: readonly { name: string }[]): string {
  return items.map(({ name }) => name).join(', ') || 'none';
}

/** Steps that wait for one another would never start. Kahn's algorithm: what cannot be taken away is in a loop. */
function cycleFaults(workflow: WorkflowDocument): Fault[] {
  const steps = planWorkflow('', 0, workflow).steps;
  const waitsFor = new Map(steps.map((step) => [step.name, new Set([...step.needs, ...step.chosenBy])]));
  const free = steps.filter((step) => waitsFor.get(step.name)?.size === 0).map((step) => step.name);
  for (let name = free.pop(); name !== undefined; name = free.pop()) {
    waitsFor.delete(name);
    for (const [waiting, others] of waitsFor) if (others.delete(name) && others.size === 0) free.push(waiting);
  }
  const looped = [...waitsFor.keys()];
  return looped.length === 0 ? [] : [{ path: 'steps', message: `steps ${looped.join(', ')} wait for one another in a loop` }];
}
