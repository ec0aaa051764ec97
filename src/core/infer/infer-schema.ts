// Makes a JSON Schema of what came: every body so far fits it, and it says no more than they have in common.

import { compileSchema } from '../json-schema/compile-schema.ts';
import type { JsonType } from '../json-schema/json-type.ts';
import type { JsonSchema } from '../schema.ts';
import { type Shape, type TextShape, valuesOf } from './shape.ts';

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** Depths that are tried until the schema is small enough for a sink. */
const DEPTHS = [16, 8, 4, 2, 1, 0] as const;

export function inferSchema(shape: Shape): JsonSchema {
  const schemas = DEPTHS.map((depth) => () => ({ $schema: DIALECT, ...schemaOf(shape, depth) }));
  for (const make of schemas) {
    const schema = make();
    if (compileSchema(schema, 'schema').faults.length === 0) return schema;
  }
  return { $schema: DIALECT };
}

function schemaOf(shape: Shape, depth: number): JsonSchema {
  const types = typesOf(shape);
  if (types.length === 0) return {};
  return {
    type: types.length === 1 ? types[0] : types,
    ...textKeywords(shape.texts, types),
    ...(shape.items === null || depth === 0 ? {} : { items: schemaOf(shape.items, depth - 1) }),
    ...(shape.objects === 0 || depth === 0 ? {} : objectKeywords(shape, depth - 1)),
  };
}

export function typesOf({ nulls, booleans, integers, fractions, texts, lists, objects }: Shape): JsonType[] {
  const found: [JsonType, number][] = [
    ['string', texts.count],
    [fractions > 0 ? 'number' : 'integer', integers + fractions],
    ['boolean', booleans],
    ['object', objects],
    ['array', lists],
    ['null', nulls],
  ];
  return found.filter(([, count]) => count > 0).map(([type]) => type);
}

/** Few texts must have come often, and each more than once, to be all that there are. */
const MAX_VALUES = 8;
const LEAST_TEXTS = 10;
const LEAST_REPEATS = 3;

function textKeywords({ count, known, formats }: TextShape, types: readonly JsonType[]): JsonSchema {
  const [format] = formats;
  if (count > 0 && format !== undefined) return { format };
  if (known === null || known.size < 2 || known.size > MAX_VALUES || count < Math.max(LEAST_TEXTS, LEAST_REPEATS * known.size)) return {};
  if ([...known.values()].some((times) => times < 2) || types.some((type) => type !== 'string' && type !== 'null')) return {};
  return { enum: [...[...known.keys()].sort(), ...(types.includes('null') ? [null] : [])] };
}

function objectKeywords(shape: Shape, depth: number): JsonSchema {
  const { fields, objects } = shape;
  // Merging changes a shape, and more bodies may follow.
  if (fields === null || isMap(fields)) return { additionalProperties: schemaOf(valuesOf(structuredClone(shape)), depth) };
  const required = [...fields].filter(([, { count }]) => count === objects).map(([name]) => name);
  return {
    ...(required.length === 0 ? {} : { required }),
    ...(fields.size === 0 ? {} : { properties: Object.fromEntries([...fields].map(([name, field]) => [name, schemaOf(field, depth)])) }),
  };
}

const LEAST_KEYS = 3;
/** Ids, hashes, numbers, dates, addresses: what no one writes as the name of a field. */
const KEY = /^(?:[0-9]+|[0-9a-f]{8,}|[0-9a-f-]{36}|\d{4}-\d\d-\d\d.*|[^@\s]+@[^@\s]+|[a-z]+_(?=\w*\d)\w{12,})$/;

export function isMap(fields: ReadonlyMap<string, Shape>): boolean {
  return fields.size >= LEAST_KEYS && [...fields.keys()].every((name) => KEY.test(name));
}
