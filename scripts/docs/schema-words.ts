// Describes in words which values a JSON schema accepts.

import type { JsonSchema } from '../../src/core/schema.ts';
import type { CoercionRule } from '../../src/core/values/coercion.ts';
import { code } from './markdown-table.ts';

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  object: 'object',
  array: 'list',
  null: 'null',
};

export function schemaInWords(schema: JsonSchema): string {
  // A value that is coerced to a number or a boolean is described as one.
  if (schema['coerces'] !== undefined) return schemaInWords(typeOfCoercion(schema['coerces'] as CoercionRule));
  const { type, format, enum: values, anyOf, oneOf, minimum, exclusiveMinimum, maximum, items } = schema;
  const alternatives = (anyOf ?? oneOf) as JsonSchema[] | undefined;
  if (alternatives !== undefined) {
    const words = [...new Set(alternatives.filter((item) => !isSelectorOnly(item)).map(schemaInWords))];
    return (words.every((word) => word === WORDS['null']) ? ['selector', ...words] : words).join(' or ');
  }
  if (Array.isArray(values)) return values.map((value) => code(JSON.stringify(value))).join(', ');
  if (type === undefined) return 'anything';
  if (format === 'regex') return 'regular expression';
  const least = exclusiveMinimum === undefined ? (minimum === undefined ? '' : `, at least ${minimum}`) : ` above ${exclusiveMinimum}`;
  const range = maximum === undefined ? least : ` from ${minimum} to ${maximum}`;
  const ofItems = items === undefined ? '' : ` of ${schemaInWords(items as JsonSchema)}`;
  return `${[type]
    .flat()
    .map((name) => WORDS[String(name)])
    .join(', ')}${range}${ofItems}`;
}

function typeOfCoercion({ to, ...bounds }: CoercionRule): JsonSchema {
  return { type: to, ...bounds };
}

function isSelectorOnly({ type, pattern }: JsonSchema): boolean {
  return type === 'string' && typeof pattern === 'string' && pattern.startsWith('^\\$');
}
