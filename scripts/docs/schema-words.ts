// What a JSON schema lets pass, in words.

import type { JsonSchema } from '../../src/core/schema.ts';
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
  const { type, format, enum: values, anyOf, oneOf, minimum, maximum, items } = schema;
  const alternatives = (anyOf ?? oneOf) as JsonSchema[] | undefined;
  if (alternatives !== undefined) {
    return [...new Set(alternatives.filter((item) => !isSelectorOnly(item)).map(schemaInWords))].join(' or ') || 'selector';
  }
  // Python spells true and false in many ways.
  if (Array.isArray(values)) return values.includes(true) ? 'true or false' : values.map((value) => code(JSON.stringify(value))).join(', ');
  if (type === undefined) return 'anything';
  if (format === 'regex') return 'regular expression';
  const range = maximum === undefined ? (minimum === undefined ? '' : `, at least ${minimum}`) : ` from ${minimum} to ${maximum}`;
  const ofItems = items === undefined ? '' : ` of ${schemaInWords(items as JsonSchema)}`;
  return `${[type]
    .flat()
    .map((name) => WORDS[String(name)])
    .join(', ')}${range}${ofItems}`;
}

function isSelectorOnly({ type, pattern }: JsonSchema): boolean {
  return type === 'string' && typeof pattern === 'string' && pattern.startsWith('^\\$');
}
