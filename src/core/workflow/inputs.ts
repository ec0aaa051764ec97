// Binds the inputs that a workflow declares to the request that triggers it, before any run exists.

import { AppError } from '../../errors.ts';
import type { Fault } from '../fault.ts';
import { ExactNumber } from '../json/json.ts';
import type { BodyKind, FileHandle, Request } from '../run/request.ts';
import { groupPairs } from '../run/request.ts';
import { memoizeByIdentity } from '../values/memoize.ts';
import { fromText } from '../values/text-value.ts';
import { type Binding, compileLookUp } from './bindings.ts';
import { kindFault } from './input-kinds.ts';
import type { WorkflowInput, WorkflowVersion } from './plan.ts';
import { parseSelector } from './selector.ts';

/**
 * Each input is looked up by name in the sink's explicit mapping, else in the body's top-level keys, files, path params
 * and query, in this order; then its default applies. Throws `unprocessable` that names every input which is missing
 * or has a kind other than declared.
 */
export function bindInputs(
  workflow: WorkflowVersion,
  mapping: Readonly<Record<string, string>>,
  request: Request,
  bodyKind: BodyKind,
): Record<string, unknown> {
  if (workflow.inputs.length === 0) return {};
  const faults: Fault[] = [];
  const sources = sourcesOf(request, bodyKind);
  const bound: Record<string, unknown> = {};
  for (const input of workflow.inputs) {
    const found = findValue(input, mapping, sources);
    const given = found === undefined ? input.defaultValue : found;
    const { value, fault } = input.type === 'WorkflowParameter' ? readParameter(input, given) : readElement(input, given, request);
    if (fault !== null) faults.push({ path: input.name, message: fault });
    bound[input.name] = value;
  }
  if (faults.length === 0) return bound;
  const text = faults.map(({ message }) => message).join('; ');
  const hint = documentFieldHint(request.body, bodyKind);
  throw new AppError('unprocessable', `the request does not fit workflow "${workflow.id}": ${text}${hint}`, { details: { faults } });
}

/** GitHub and others send the whole document in one form field, which a sink reads only with `form_field`. */
function documentFieldHint(body: unknown, bodyKind: BodyKind): string {
  const [[name, value] = ['', null], ...others] = bodyKind === 'form' ? Object.entries(body as object) : [];
  if (others.length > 0 || !/^[\w-]{1,64}$/.test(name) || typeof value !== 'string' || !/^\s*\{/.test(value)) return '';
  return `; the form holds JSON in its field "${name}", which a sink reads with "body": {"form_field": "${name}"}`;
}

interface InputReading {
  value: unknown;
  fault: string | null;
}

function readParameter({ name, kinds }: WorkflowInput, value: unknown): InputReading {
  if (value === undefined) return { value, fault: `input "${name}" is missing` };
  return { value, fault: fitsKinds(value, kinds) ? null : `input "${name}" must be ${kinds.join(' or ')}` };
}

/** A run processes one element of a Roboflow batch, passed directly or as a list of one. */
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

interface Sources {
  request: Request;
  isForm: boolean;
  /** Searched by name in this order. */
  named: readonly { values: object; areTexts: boolean }[];
}

/** Forms, paths and queries carry numbers and booleans as text. */
function sourcesOf(request: Request, bodyKind: BodyKind): Sources {
  const { body, files, params, query } = request;
  const isForm = bodyKind === 'form' || bodyKind === 'nested-form' || bodyKind === 'multipart';
  const named: { values: object; areTexts: boolean }[] = [];
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) named.push({ values: body, areTexts: isForm });
  if (files.length > 0) named.push({ values: groupPairs(files.map((file) => [file.name, file])), areTexts: false });
  named.push({ values: params, areTexts: true }, { values: query, areTexts: true });
  return { request, isForm, named };
}

interface Source {
  lookUp: Binding;
  isBody: boolean;
}

/** The mapping of a sink is the same object in every run. */
const compileMapping = memoizeByIdentity((mapping: Readonly<Record<string, string>>): ReadonlyMap<string, Source> => {
  const sources = Object.entries(mapping).map(([name, text]): [string, Source] => [
    name,
    { lookUp: compileLookUp(text), isBody: parseSelector(text)?.path[0] === 'body' },
  ]);
  return new Map(sources);
});

function findValue({ name, kinds }: WorkflowInput, mapping: Readonly<Record<string, string>>, sources: Sources): unknown {
  const { request, isForm, named } = sources;
  const source = compileMapping(mapping).get(name);
  if (source !== undefined) {
    const value = source.lookUp({ request });
    return isForm || !source.isBody ? fromText(value, kinds) : value;
  }
  for (const { values, areTexts } of named) {
    if (!Object.hasOwn(values, name)) continue;
    const value = (values as Record<string, unknown>)[name];
    const read = areTexts ? fromText(value, kinds) : value;
    if (read !== undefined) return read;
  }
  return undefined;
}

const isNumber = (value: unknown): boolean => typeof value === 'number' || value instanceof ExactNumber;

/** Kinds of plain values; the step that uses a value of another kind validates it. */
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
