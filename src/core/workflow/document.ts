// A workflow document in Roboflow's JSON shape (inputs, steps, JsonField outputs), and the checks that need no selectors.

import { retrySchema } from '../delivery/retry.ts';
import type { Fault } from '../fault.ts';
import { isDeeperThan } from '../json/json-tree.ts';
import { createSchemaCheck, type JsonSchema } from '../schema.ts';
import { engineVersionFault } from './engine-version.ts';

/** Names of input types, with the canonical name of each. */
const INPUT_TYPES = {
  WorkflowParameter: 'WorkflowParameter',
  InferenceParameter: 'WorkflowParameter',
  WorkflowImage: 'WorkflowImage',
  InferenceImage: 'WorkflowImage',
  WorkflowVideoMetadata: 'WorkflowVideoMetadata',
  WorkflowBatchInput: 'WorkflowBatchInput',
} as const;

export type InputType = (typeof INPUT_TYPES)[keyof typeof INPUT_TYPES];

export interface InputDocument {
  type: keyof typeof INPUT_TYPES;
  name: string;
  kind?: string[];
  default_value?: unknown;
  dimensionality?: number;
}

export type StepDocument = { type: string; name: string; retry?: unknown } & Record<string, unknown>;

export interface OutputDocument {
  type: string;
  name: string;
  selector: string;
  coordinates_system?: 'parent' | 'own';
}

export interface WorkflowDocument {
  version: string;
  inputs: InputDocument[];
  steps: StepDocument[];
  outputs: OutputDocument[];
  /** Copies of the referenced workflows, by reference; added when the document is saved. */
  pinned_workflows?: Record<string, WorkflowDocument>;
}

export const MAX_STEPS = 500;
const MAX_DEPTH = 100;
const NAME = '^(?!__proto__$)[A-Za-z_0-9-]{1,128}$';
const nameSchema = { type: 'string', pattern: NAME, description: 'must be 1 to 128 letters, digits, "_" or "-"' };

export const workflowSchema: JsonSchema = {
  type: 'object',
  required: ['version', 'inputs', 'steps', 'outputs'],
  properties: {
    version: { type: 'string' },
    inputs: {
      type: 'array',
      maxItems: MAX_STEPS,
      items: {
        type: 'object',
        required: ['type', 'name'],
        additionalProperties: false,
        properties: {
          type: { type: 'string', enum: Object.keys(INPUT_TYPES) },
          name: nameSchema,
          kind: { type: 'array', items: { type: 'string' } },
          default_value: {},
          dimensionality: { type: 'integer', minimum: 1 },
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
          coordinates_system: { type: 'string', enum: ['parent', 'own'] },
        },
      },
    },
  },
};

const checkSchema = createSchemaCheck(workflowSchema);

/** Without faults the document is a WorkflowDocument. */
export function shapeFaults(document: unknown): Fault[] {
  if (isDeeperThan(MAX_DEPTH, withoutPins(document))) return [{ path: '', message: `must not be deeper than ${MAX_DEPTH} levels` }];
  return checkSchema(document);
}

/** Checks beyond the schema that need no selectors. */
export function documentFaults(workflow: WorkflowDocument): Fault[] {
  const version = engineVersionFault(workflow.version);
  return [
    ...(version === null ? [] : [{ path: 'version', message: version }]),
    ...codeFaults(workflow),
    ...workflow.inputs.flatMap(inputFaults),
    ...duplicateNames('inputs', 'Found duplicated input parameter names', workflow.inputs),
    ...duplicateNames('steps', 'Found duplicated input steps names', workflow.steps),
    ...duplicateNames('outputs', 'Found duplicated input outputs names', workflow.outputs),
  ];
}

/** Returns the document as the author wrote it, without the pins that a save added. */
export function withoutPins(document: unknown): unknown {
  if (typeof document !== 'object' || document === null || !Object.hasOwn(document, 'pinned_workflows')) return document;
  const { pinned_workflows: _pins, ...written } = document as WorkflowDocument;
  return written;
}

export function inputTypeOf({ type }: InputDocument): InputType {
  return INPUT_TYPES[type];
}

/** Roboflow's `dynamic_blocks_definitions` contain Python. */
function codeFaults(workflow: object): Fault[] {
  const { dynamic_blocks_definitions: blocks = null } = workflow as { dynamic_blocks_definitions?: unknown };
  if (blocks === null || (Array.isArray(blocks) && blocks.length === 0)) return [];
  return [
    { path: 'dynamic_blocks_definitions', message: 'code blocks are not run here; leave it out, and build the workflow of step types' },
  ];
}

function inputFaults(input: InputDocument, index: number): Fault[] {
  const type = inputTypeOf(input);
  const path = `inputs[${index}]`;
  const faults: Fault[] = [];
  if (input.default_value !== undefined && type !== 'WorkflowParameter')
    faults.push({ path: `${path}.default_value`, message: `only a WorkflowParameter has a default; a ${type} is always required` });
  if (input.dimensionality !== undefined && type !== 'WorkflowBatchInput')
    faults.push({ path: `${path}.dimensionality`, message: 'only a WorkflowBatchInput has a dimensionality' });
  if ((input.dimensionality ?? 1) > 1)
    faults.push({ path: `${path}.dimensionality`, message: 'must be 1, for a run is one element; a WorkflowParameter takes a whole list' });
  return faults;
}

function duplicateNames(list: string, text: string, items: readonly { name: string }[]): Fault[] {
  const seen = new Set<string>();
  return items.flatMap(({ name }, index) =>
    seen.size === seen.add(name).size
      ? [{ path: `${list}[${index}].name`, message: `${text}: the name "${name}" is taken by an earlier entry` }]
      : [],
  );
}
