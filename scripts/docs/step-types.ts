// The tables of step types: what each takes, from the schemas that definitions are checked against.

import { retrySchema } from '../../src/core/retry.ts';
import type { JsonSchema } from '../../src/core/schema.ts';
import { builtinStepTypes } from '../../src/steps/index.ts';
import { code, markdownTable } from './markdown-table.ts';

export const stepTypeNames: readonly string[] = builtinStepTypes.map(({ type }) => type);

/** Throws when there is no such type. */
export function stepTypeTable(name: string): string {
  const stepType = builtinStepTypes.find(({ type }) => type === name);
  if (stepType === undefined) throw new Error(`there is no step type ${name}`);
  const { properties, required } = stepType;
  if (Object.keys(properties).length === 0) return 'It takes no fields of its own.';
  return fieldTable(properties, required);
}

export function retryTable(): string {
  return fieldTable(retrySchema['properties'] as Record<string, JsonSchema>, []);
}

function fieldTable(properties: Readonly<Record<string, JsonSchema>>, required: readonly string[]): string {
  const rows = Object.entries(properties).map(([field, schema]) => [
    code(field),
    required.includes(field) ? 'yes' : 'no',
    describeSchema(schema),
  ]);
  return markdownTable(['Field', 'Required', 'Takes'], rows);
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  object: 'object',
  array: 'list',
};

function describeSchema(schema: JsonSchema): string {
  const { type, minimum, maximum, items, description } = schema;
  if (type === undefined) return String(description);
  const range = maximum === undefined ? (minimum === undefined ? '' : `, at least ${minimum}`) : ` from ${minimum} to ${maximum}`;
  const ofItems = items === undefined ? '' : ` of ${describeSchema(items as JsonSchema)}`;
  return `${WORDS[String(type)]}${range}${ofItems}${description === undefined ? '' : `; ${description}`}`;
}
