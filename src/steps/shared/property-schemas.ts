// Schemas of the properties of Roboflow's blocks. The description is shown in the documentation; the title, if any, names
// the expected value in fault messages.

import type { JsonSchema } from '../../core/schema.ts';
import type { CoercionRule } from '../../core/values/coercion.ts';

/** Excludes a bare `$steps.name`, which would be read as a step to run next. */
const SELECTOR = { type: 'string', pattern: '^\\$(?!steps\\.[^.]*$)[a-z]' };
const SELECTOR_TITLE = 'a selector of a value, such as "$inputs.x" or "$steps.name.output"';

/** As an item of a list or an object, whose description is the fault message. */
const SELECTOR_ITEM = { ...SELECTOR, description: `must be ${SELECTOR_TITLE}` };

export function selector(description: string): JsonSchema {
  return { title: SELECTOR_TITLE, description, anyOf: [SELECTOR] };
}

/** Images are inputs of the workflow, never outputs of steps. */
export function imageSelector(description: string): JsonSchema {
  const input = { type: 'string', pattern: '^\\$inputs\\.[^.]' };
  return { title: 'a selector of an input, such as "$inputs.image"', description, anyOf: [input] };
}

/** Also accepts null, which means absent. */
export function nullable({ title = 'text', description, anyOf = [{ type: 'string' }] }: JsonSchema): JsonSchema {
  return { title: `${String(title)}, or null`, description, anyOf: [...(anyOf as JsonSchema[]), { type: 'null' }] };
}

function defaultOf({ default: fallback }: JsonSchema): { default?: unknown } {
  return fallback === undefined ? {} : { default: fallback };
}

export function selectorList(description: string): JsonSchema {
  return { type: 'array', minItems: 1, items: SELECTOR_ITEM, description };
}

/** Selectors by name. */
export function selectors(description: string): JsonSchema {
  return { type: 'object', description, additionalProperties: SELECTOR_ITEM };
}

export function choiceOrSelector(description: string, choices: readonly string[], fallback: string): JsonSchema {
  const title = `one of ${choices.join(', ')}, or a selector of one`;
  return { title, description, default: fallback, anyOf: [{ enum: [...choices] }, SELECTOR] };
}

/** A literal, or a selector. */
export function literal(description: string): JsonSchema {
  return { type: ['string', 'number', 'boolean'], description };
}

/** Values by name, each a literal or a selector. */
export function literals(description: string): JsonSchema {
  return { type: 'object', description, additionalProperties: { type: ['string', 'number', 'boolean'] } };
}

/** The values that `coerceBoolean` accepts. */
const FLAG = { type: ['boolean', 'string', 'integer'], coerces: { to: 'boolean' } };

export function flag(description: string, fallback: boolean): JsonSchema {
  return { title: 'true or false', description, default: fallback, anyOf: [FLAG] };
}

export function flagOrSelector(description: string, fallback: boolean): JsonSchema {
  return { title: 'true or false, or a selector of it', description, default: fallback, anyOf: [FLAG, SELECTOR] };
}

interface NumberDetails extends Omit<CoercionRule, 'to'> {
  default?: number;
}

/** The bounds apply to literals; the step type checks selected values. */
export function integerOrSelector(description: string, details: NumberDetails = {}): JsonSchema {
  return orSelector(integer(description, details));
}

export function integer(description: string, details: NumberDetails = {}): JsonSchema {
  return coerced('integer', 'a whole number', description, details);
}

export function numberOrSelector(description: string, details: NumberDetails = {}): JsonSchema {
  return orSelector(number(description, details));
}

export function number(description: string, details: NumberDetails = {}): JsonSchema {
  return coerced('number', 'a number', description, details);
}

function coerced(to: 'integer' | 'number', title: string, description: string, details: NumberDetails): JsonSchema {
  const { default: fallback, ...bounds } = details;
  return {
    title: title + boundsText(bounds),
    description,
    ...defaultOf({ default: fallback }),
    anyOf: [{ type: [to, 'string', 'boolean'], coerces: { to, ...bounds } }],
  };
}

function orSelector({ title, anyOf, ...schema }: JsonSchema): JsonSchema {
  return { ...schema, title: `${String(title)}, or a selector of one`, anyOf: [...(anyOf as JsonSchema[]), SELECTOR] };
}

function boundsText({ minimum, exclusiveMinimum, maximum }: Omit<CoercionRule, 'to'>): string {
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`;
  if (minimum === undefined) return '';
  return maximum === undefined ? ` of at least ${minimum}` : ` from ${minimum} to ${maximum}`;
}

/** Selectors are text and therefore accepted. */
export function text(description: string, fallback?: string): JsonSchema {
  return { type: 'string', description, ...(fallback === undefined ? {} : { default: fallback }) };
}

export function textOrTexts(description: string): JsonSchema {
  return {
    title: 'text, a list of texts, or a selector of either',
    description,
    anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
  };
}

/** `statementGroupFaults` checks the contents of a group. */
export function statementGroup(description: string): JsonSchema {
  return { type: 'object', description: `${description}, as {"type":"StatementGroup","statements":[...]}` };
}

export const caseResult: JsonSchema = {
  type: 'object',
  title: 'a StaticCaseResult with a value, or a DynamicCaseResult with a parameter_name and operations',
  required: ['type'],
  properties: { type: { enum: ['StaticCaseResult', 'DynamicCaseResult'] } },
  anyOf: [
    { properties: { type: { const: 'StaticCaseResult' }, value: {} }, required: ['value'] },
    {
      properties: { type: { const: 'DynamicCaseResult' }, parameter_name: { type: 'string' }, operations: { type: ['array', 'null'] } },
      required: ['parameter_name'],
    },
  ],
};

/** `operationsFaults` checks the contents of a chain. */
export function operationChain(description: string): JsonSchema {
  return { type: 'array', description };
}

/** Chains of operations by name. */
export function operationChains(description: string): JsonSchema {
  return { type: 'object', description, additionalProperties: { type: 'array' } };
}

/** An output after the step's name is ignored. */
const STEP = {
  type: 'string',
  pattern: '^\\$steps\\.[A-Za-z_0-9-]+(?:\\.[^.]+)?$',
  description: 'must name a step, such as "$steps.name"',
};

export function steps(description: string): JsonSchema {
  return { type: 'array', items: STEP, description };
}

export function stepsByName(description: string): JsonSchema {
  return { type: 'object', description, additionalProperties: STEP };
}
