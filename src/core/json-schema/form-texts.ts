// Reads the texts of a form as the types that its schema expects, as inputs of workflows are read. The run keeps the texts.

import { fromText } from '../values/text-value.ts';
import { isObject, type JsonType } from './json-type.ts';

/** Kinds of inputs by type. */
const KINDS: Partial<Record<JsonType, string>> = { integer: 'integer', number: 'float', boolean: 'boolean', array: 'list_of_values' };

/** An empty field of a type that is never empty counts as missing. Only types that stand in `properties` and `items` are read. */
export function readFormTexts(value: unknown, schema: unknown): unknown {
  if (!isObject(schema)) return value;
  const { type, properties, items } = schema;
  const read = typeof value === 'string' ? fromText(value, kindsOf(type)) : value;
  if (Array.isArray(read)) return read.map((item) => readFormTexts(item, items) ?? null);
  if (!isObject(read) || !isObject(properties)) return read;
  const fields = Object.entries(read).map(([name, field]) => [
    name,
    Object.hasOwn(properties, name) ? readFormTexts(field, properties[name]) : field,
  ]);
  return Object.fromEntries(fields.filter(([, field]) => field !== undefined));
}

/** Texts stay as they are where a text is allowed, or no type is stated. */
function kindsOf(type: unknown): string[] {
  const types = [type].flat() as JsonType[];
  const kinds = types.map((name) => KINDS[name]);
  return types.includes('string') || kinds.every((kind) => kind === undefined) ? ['string'] : kinds.filter((kind) => kind !== undefined);
}
