// Binds the inputs that a workflow declares to the request that triggers it, before any run exists.

import { AppError } from '../errors.ts';
import { lookUp } from './bindings.ts';
import { kindFault } from './element-kinds.ts';
import type { Fault } from './fault.ts';
import { ExactNumber } from './json.ts';
import type { FileHandle, Request } from './request.ts';
import { groupPairs } from './request.ts';
import type { Workflow, WorkflowInput } from './workflow.ts';

/**
 * Each input takes its value by name from the sink's explicit mapping, else the body's top-level keys, then files,
 * path params, query, and its default. Throws `unprocessable` that names every input which is missing or of
 * another kind than declared.
 */
export function bindInputs(workflow: Workflow, mapping: Readonly<Record<string, string>>, request: Request): Record<string, unknown> {
  if (workflow.inputs.length === 0) return {};
  const faults: Fault[] = [];
  const files = request.files.length === 0 ? {} : groupPairs(request.files.map((file): [string, FileHandle] => [file.name, file]));
  const bound: Record<string, unknown> = {};
  for (const input of workflow.inputs) {
    const found = findValue(input, mapping, request, files);
    const given = found === undefined ? input.defaultValue : convertText(input, found.value, found.isText);
    const { value, fault } = input.type === 'WorkflowParameter' ? readParameter(input, given) : readElement(input, given, request);
    if (fault !== null) faults.push({ path: input.name, message: fault });
    bound[input.name] = value;
  }
  if (faults.length === 0) return bound;
  const text = faults.map(({ message }) => message).join('; ');
  throw new AppError('unprocessable', `the request does not fit workflow "${workflow.id}": ${text}`, { details: { faults } });
}

interface InputReading {
  value: unknown;
  fault: string | null;
}

function readParameter({ name, kinds }: WorkflowInput, value: unknown): InputReading {
  if (value === undefined) return { value, fault: `input "${name}" is missing` };
  return { value, fault: fitsKinds(value, kinds) ? null : `input "${name}" must be ${kinds.join(' or ')}` };
}

/** A run is one element of what Roboflow calls a batch, given as it is or as a list of one. */
function readElement(input: WorkflowInput, given: unknown, request: Request): InputReading {
  if (!Array.isArray(given)) return { value: given, fault: elementFault(input, given, request) };
  if (given.length === 1) return { value: given[0] as unknown, fault: elementFault(input, given[0], request) };
  const hint = 'send one request per element, or a list of one where the element is a list itself';
  return { value: given, fault: `input "${input.name}" holds ${given.length} elements, and a run is one element: ${hint}` };
}

function elementFault({ name, type, kinds }: WorkflowInput, value: unknown, { files }: Request): string | null {
  const what = `Detected runtime parameter \`${name}\` defined as \`${type}\``;
  if (value === undefined || value === null)
    return `${what} (of kind \`[${kinds.map((kind) => `'${kind}'`).join(', ')}]\`), but value is not provided.`;
  if (type !== 'WorkflowImage') return kindFault(name, kinds, value);
  if (isImage(value, files)) return null;
  return `${what} that is invalid. Failed on input validation. Details: must be a file, {"type": "base64", "value": …} or base64 text`;
}

function isImage(value: unknown, files: readonly FileHandle[]): boolean {
  if (typeof value === 'string') return value !== '';
  if (typeof value !== 'object' || value === null) return false;
  return files.includes(value as FileHandle) || typeof (value as { value?: unknown }).value === 'string';
}

interface Found {
  value: unknown;
  /** The value came as text (a form field, path or query parameter), so a number or boolean had to be spelt out. */
  isText: boolean;
}

function findValue({ name }: WorkflowInput, mapping: Readonly<Record<string, string>>, request: Request, files: object): Found | undefined {
  const selector = Object.hasOwn(mapping, name) ? mapping[name] : undefined;
  if (selector !== undefined) {
    const value = lookUp(selector, { request });
    return value === undefined ? undefined : { value, isText: !selector.startsWith('$request.body') || isForm(request) };
  }
  const { body } = request;
  if (typeof body === 'object' && body !== null && !Array.isArray(body) && Object.hasOwn(body, name)) {
    return { value: (body as Record<string, unknown>)[name], isText: isForm(request) };
  }
  for (const source of [files, request.params, request.query]) {
    if (Object.hasOwn(source, name)) return { value: (source as Record<string, unknown>)[name], isText: true };
  }
  return undefined;
}

function isForm(request: Request): boolean {
  return request.content_type === 'application/x-www-form-urlencoded' || request.content_type === 'multipart/form-data';
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function convertText({ kinds }: WorkflowInput, value: unknown, isText: boolean): unknown {
  if (!isText || typeof value !== 'string' || kinds.some((kind) => kind === '*' || kind === 'string')) return value;
  if (kinds.some((kind) => ['integer', 'float', 'float_zero_to_one'].includes(kind)) && NUMBER.test(value)) {
    return String(Number(value)) === value ? Number(value) : new ExactNumber(value);
  }
  if (kinds.includes('boolean') && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

const isNumber = (value: unknown): boolean => typeof value === 'number' || value instanceof ExactNumber;

/** Kinds of plain values; a value of any other kind is what the step that takes it makes of it. */
const kindTests: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: (value) => isNumber(value) && Number.isInteger(Number(value)),
  float: isNumber,
  float_zero_to_one: (value) => isNumber(value) && Number(value) >= 0 && Number(value) <= 1,
  boolean: (value) => typeof value === 'boolean',
  list_of_values: Array.isArray,
  dictionary: (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber),
};

function fitsKinds(value: unknown, kinds: readonly string[]): boolean {
  return value === null || kinds.length === 0 || kinds.some((kind) => kindTests[kind]?.(value) ?? true);
}
