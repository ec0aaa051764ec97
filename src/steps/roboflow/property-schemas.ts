// The schemas that properties of Roboflow's blocks are made of. Each takes what the property is for, which stands in the
// documents. Its title, where it has one, is what the value must be, for the fault of one that is something else.

import type { JsonSchema } from '../../core/schema.ts';

/** Of a value: a bare `$steps.name` names a step, and would be taken for one to run next. */
const SELECTOR = { type: 'string', pattern: '^\\$(?!steps\\.[^.]*$)[a-z]' };
const SELECTOR_TITLE = 'a selector of a value, as "$inputs.x" or "$steps.name.output"';

/** As an item of a list or an object, whose fault is its description. */
const SELECTOR_ITEM = { ...SELECTOR, description: `must be ${SELECTOR_TITLE}` };

export function selector(description: string): JsonSchema {
  return { title: SELECTOR_TITLE, description, anyOf: [SELECTOR] };
}

export function selectorList(description: string): JsonSchema {
  return { type: 'array', minItems: 1, items: SELECTOR_ITEM, description };
}

/** Selectors by name. */
export function selectors(description: string): JsonSchema {
  return { type: 'object', description, additionalProperties: SELECTOR_ITEM };
}

/** What is written in the manifest, or a selector of it. */
export function literal(description: string): JsonSchema {
  return { type: ['string', 'number', 'boolean'], description };
}

/** Values by name, as a literal or a selector each. */
export function literals(description: string): JsonSchema {
  return { type: 'object', description, additionalProperties: { type: ['string', 'number', 'boolean'] } };
}

/** What pydantic takes for true and false beside the two. */
const FLAG = {
  enum: [true, false, 1, 0, ...['1', '0', 'true', 'false', 't', 'f', 'yes', 'no', 'y', 'n', 'on', 'off'].flatMap(spellings)],
};

function spellings(word: string): string[] {
  return [...new Set([word, word.toUpperCase(), `${word.charAt(0).toUpperCase()}${word.slice(1)}`])];
}

export function flag(description: string, fallback: boolean): JsonSchema {
  return { title: 'true or false', description, default: fallback, anyOf: [FLAG] };
}

export function flagOrSelector(description: string, fallback: boolean): JsonSchema {
  return { title: 'true or false, or a selector of it', description, default: fallback, anyOf: [FLAG, SELECTOR] };
}

interface NumberDetails {
  default?: number;
  /** The bounds hold for what is written in the manifest; what a selector gives is for the step type to check. */
  minimum?: number;
  maximum?: number;
}

const WHOLE_NUMBER_TEXT = { type: 'string', pattern: '^[+-]?\\d{1,15}$' };

export function integerOrSelector(description: string, { default: fallback, ...bounds }: NumberDetails = {}): JsonSchema {
  return {
    title: `a whole number${boundsText(bounds)}, or a selector of one`,
    description,
    ...(fallback === undefined ? {} : { default: fallback }),
    anyOf: [{ type: 'integer', ...bounds }, WHOLE_NUMBER_TEXT, SELECTOR],
  };
}

export function numberOrSelector(description: string, { default: fallback, ...bounds }: NumberDetails = {}): JsonSchema {
  return {
    title: `a number${boundsText(bounds)}, or a selector of one`,
    description,
    ...(fallback === undefined ? {} : { default: fallback }),
    anyOf: [{ type: 'number', ...bounds }, SELECTOR],
  };
}

function boundsText({ minimum, maximum }: Omit<NumberDetails, 'default'>): string {
  if (minimum === undefined) return '';
  return maximum === undefined ? ` of at least ${minimum}` : ` from ${minimum} to ${maximum}`;
}

/** A selector is text too. */
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

export function object(description: string): JsonSchema {
  return { type: 'object', description };
}

/** What is inside a group is for `statementGroupFaults` to check. */
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

/** What is inside a chain is for `operationsFaults` to check. */
export function operationChain(description: string): JsonSchema {
  return { type: 'array', description };
}

/** Chains of operations by name. */
export function operationChains(description: string): JsonSchema {
  return { type: 'object', description, additionalProperties: { type: 'array' } };
}

const STEP = { type: 'string', pattern: '^\\$steps\\.[A-Za-z_0-9-]+$', description: 'must name a step, as "$steps.name"' };

export function steps(description: string): JsonSchema {
  return { type: 'array', items: STEP, description };
}

export function stepsByName(description: string): JsonSchema {
  return { type: 'object', description, additionalProperties: STEP };
}
