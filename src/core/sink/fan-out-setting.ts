// The field `workflows` of a sink: workflows that one request starts, each with a filter and inputs of its own.

import type { Fault } from '../fault.ts';
import type { JsonSchema } from '../schema.ts';
import { parseSelector } from '../workflow/selector.ts';
import type { RequestScope } from '../workflow/selector-faults.ts';
import { inputFault } from './input-selector.ts';
import type { FlowDocument } from './limits/flow-setting.ts';
import { answerFault } from './split-setting.ts';

export type FilterValue = string | number | boolean | null;

/** By selector, values: the request must have one of them. All selectors must match. */
export type FilterCondition = Readonly<Record<string, readonly FilterValue[]>>;

export interface FanOutEntry {
  /** No other entry of the sink has it. */
  workflowId: string;
  /** Conditions: one must match. Null: each request matches. `otherwise`: a request that no other entry matches. */
  when: readonly FilterCondition[] | typeof OTHERWISE | null;
  /** As `inputs` of a sink with one workflow. */
  inputs: Record<string, string>;
}

type ConditionDocument = Record<string, FilterValue | FilterValue[]>;

export interface FanOutDocument {
  workflow_id: string;
  when?: ConditionDocument | ConditionDocument[] | typeof OTHERWISE;
  inputs?: Record<string, string>;
}

export const OTHERWISE = 'otherwise';
const MAX_WORKFLOWS = 16;
const MAX_CONDITIONS = 8;
const MAX_SELECTORS = 16;
const MAX_VALUES = 64;
const MAX_TEXT = 1024;

export const fanOutSchema: JsonSchema = {
  type: 'array',
  minItems: 1,
  maxItems: MAX_WORKFLOWS,
  description: 'workflows that a request starts if it matches their filters, all or none',
  items: {
    type: 'object',
    required: ['workflow_id'],
    additionalProperties: false,
    properties: {
      workflow_id: { type: 'string' },
      when: {
        description:
          'by selector, a value or a list of values: { "$request.headers.x-github-event": "push" }; a list of these; or "otherwise"',
      },
      inputs: { type: 'object', additionalProperties: { type: 'string' } },
    },
  },
};

interface Given {
  workflow_id?: string | null;
  workflows?: FanOutDocument[];
  inputs?: Record<string, string>;
  response?: unknown;
  split?: string;
  schedules?: readonly unknown[];
  flow?: FlowDocument | null;
}

type Scope = Omit<RequestScope, 'isAnswer'>;
type AddFault = (path: string, message: string | null) => void;

export function fanOutFaults(sink: Given, scope: Scope): Fault[] {
  const { workflows } = sink;
  if (workflows === undefined) return [];
  const faults: Fault[] = [];
  const add: AddFault = (path, message) => {
    if (message !== null) faults.push({ path, message });
  };
  addSinkFaults(sink, workflows.length, add);
  const always = workflows.findIndex(({ when }) => when === undefined);
  for (const [index, { workflow_id: id, when, inputs = {} }] of workflows.entries()) {
    const at = `workflows[${index}]`;
    const first = workflows.findIndex((other) => other.workflow_id === id);
    if (first < index) add(`${at}.workflow_id`, `"${id}" is in workflows[${first}] already; its "when" may be a list of conditions`);
    if (when === OTHERWISE && always !== -1)
      add(`${at}.when`, `can never match: workflows[${always}] has no "when" and starts for each request`);
    if (when !== undefined && when !== OTHERWISE) addWhenFaults(`${at}.when`, when, scope, add);
    for (const [name, text] of Object.entries(inputs)) add(`${at}.inputs.${name}`, inputFault(text, scope));
  }
  return faults;
}

/** What the other fields of the sink must be. */
function addSinkFaults(
  { workflow_id: id = null, inputs = {}, response, split, schedules = [], flow }: Given,
  count: number,
  add: AddFault,
): void {
  if (id !== null) add('workflows', 'cannot stand beside workflow_id, which names the only workflow of a sink');
  if (Object.keys(inputs).length > 0) add('inputs', 'cannot stand beside workflows: each of them has inputs of its own');
  if (split !== undefined) add('workflows', 'cannot stand beside split');
  if (schedules.length > 0) add('schedules', 'cannot stand beside workflows: a scheduled time starts one run');
  add('response', answerFault(response, 'workflows'));
  if (flow === undefined || flow === null) return;
  if (flow.debounce !== undefined)
    add('flow.debounce', 'cannot stand beside workflows: a run would replace another one of the same request');
  if (flow.batch !== undefined) add('flow.batch', 'cannot stand beside workflows: a batch is one run');
  if (flow.cooldown !== undefined) add('flow.cooldown', 'cannot stand beside workflows: all runs of a request start or none');
  if (flow.overflow !== undefined && flow.overflow !== 'queue')
    add('flow.overflow', 'must be "queue" beside workflows, so that all runs of a request start or none');
  if (flow.queue_limit !== undefined && flow.queue_limit < count)
    add('flow.queue_limit', `must be at least ${count}, the number of workflows`);
}

function addWhenFaults(at: string, when: unknown, scope: Scope, add: AddFault): void {
  if (!Array.isArray(when)) return addConditionFaults(at, when, scope, add);
  if (when.length === 0 || when.length > MAX_CONDITIONS) add(at, `must have 1 to ${MAX_CONDITIONS} conditions; it has ${when.length}`);
  for (const [index, condition] of when.slice(0, MAX_CONDITIONS).entries()) addConditionFaults(`${at}[${index}]`, condition, scope, add);
}

function addConditionFaults(at: string, condition: unknown, scope: Scope, add: AddFault): void {
  if (typeof condition !== 'object' || condition === null || Array.isArray(condition))
    return add(at, 'must be an object such as { "$request.headers.x-github-event": "push" }, a list of such objects, or "otherwise"');
  const fields = Object.entries(condition);
  if (fields.length === 0 || fields.length > MAX_SELECTORS) add(at, `must have 1 to ${MAX_SELECTORS} selectors; it has ${fields.length}`);
  for (const [selector, wanted] of fields.slice(0, MAX_SELECTORS)) {
    const place = `${at}.${selector}`;
    const fault = inputFault(selector, scope);
    if (fault !== null) add(place, fault);
    else if (!Array.isArray(wanted)) add(place, valueFault(selector, wanted));
    else if (wanted.length === 0 || wanted.length > MAX_VALUES) add(place, `must have 1 to ${MAX_VALUES} values; it has ${wanted.length}`);
    else for (const [index, value] of wanted.entries()) add(`${place}[${index}]`, valueFault(selector, value));
  }
}

/** Fields of `$request` that are text, or have text alone. */
const TEXT_FIELDS: ReadonlySet<string | undefined> = new Set(['method', 'path', 'params', 'query', 'headers', 'content_type', 'client_ip']);

function valueFault(selector: string, value: unknown): string | null {
  if (value === null) return null;
  const isText = typeof value === 'string';
  if (isText) return value.length > MAX_TEXT ? `must have at most ${MAX_TEXT} characters; it has ${value.length}` : null;
  if (typeof value !== 'number' && typeof value !== 'boolean') return 'must be text, a number, true, false or null, or a list of these';
  if (TEXT_FIELDS.has(parseSelector(selector)?.path[0])) return `${value} can never match: the request has text here; write "${value}"`;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? `must be a number below 2^53: ${value} has lost digits` : null;
}

/** Reads a field without faults. */
export function readFanOut(workflows: readonly FanOutDocument[] | undefined): readonly FanOutEntry[] | undefined {
  return workflows?.map(({ workflow_id: workflowId, when, inputs = {} }) => ({ workflowId, when: readWhen(when), inputs }));
}

function readWhen(when: FanOutDocument['when']): FanOutEntry['when'] {
  if (when === undefined || when === OTHERWISE) return when ?? null;
  return (Array.isArray(when) ? when : [when]).map((condition) =>
    Object.fromEntries(Object.entries(condition).map(([selector, wanted]) => [selector, Array.isArray(wanted) ? wanted : [wanted]])),
  );
}

/** The field as definitions write it. */
export function writeFanOut(entries: readonly FanOutEntry[]): FanOutDocument[] {
  return entries.map(({ workflowId, when, inputs }) => ({
    workflow_id: workflowId,
    ...(when === null ? {} : { when: typeof when === 'string' ? when : writeConditions(when) }),
    ...(Object.keys(inputs).length === 0 ? {} : { inputs }),
  }));
}

function writeConditions(conditions: readonly FilterCondition[]): ConditionDocument | ConditionDocument[] {
  const written = conditions.map((condition) =>
    Object.fromEntries(
      Object.entries(condition).map(([selector, [first = null, ...others]]) => [
        selector,
        others.length === 0 ? first : [first, ...others],
      ]),
    ),
  );
  const [only] = written;
  return only !== undefined && written.length === 1 ? only : written;
}

/** The workflows that a sink may start. */
export function workflowIdsOf({
  workflowId,
  workflows = [],
}: {
  workflowId: string | null;
  workflows?: readonly FanOutEntry[] | undefined;
}): string[] {
  return workflowId === null ? workflows.map((entry) => entry.workflowId) : [workflowId];
}
