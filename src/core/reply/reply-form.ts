// What a step that makes reply URLs accepts as a reply: its choices, and the schema of the body.

import { RE2JS } from 're2js';
import type { Fault } from '../fault.ts';
import { countValues } from '../json/json-tree.ts';
import { compileSchemaCheck, type JsonSchema, type SchemaCheck } from '../schema.ts';

export const REPLY_URLS = 'sluice/reply_urls@v1';

export interface ReplyForm {
  choices: readonly string[];
  schema?: JsonSchema;
}

const MAX_SCHEMA_BYTES = 16_384;
/** Of nested schemas and values. */
const MAX_SCHEMA_VALUES = 2000;

/** Whose values are schemas: by name, in a list, or a single one. */
const SCHEMAS_BY_NAME = ['properties'];
const SCHEMA_LISTS = ['anyOf', 'oneOf', 'allOf'];
const SCHEMAS = ['items', 'additionalProperties', 'not'];
const PLAIN =
  'type enum const title description minLength maxLength pattern minimum maximum exclusiveMinimum exclusiveMaximum multipleOf ' +
  'minItems maxItems required minProperties maxProperties';
const KEYWORDS: ReadonlySet<string> = new Set([...SCHEMAS_BY_NAME, ...SCHEMA_LISTS, ...SCHEMAS, ...PLAIN.split(' ')]);

/** The keywords all take time that grows with the body: none refers to another schema or compares all items. */
export function replySchemaFaults(schema: JsonSchema): Fault[] {
  const isLarge = countValues(schema, MAX_SCHEMA_VALUES) > MAX_SCHEMA_VALUES || JSON.stringify(schema).length > MAX_SCHEMA_BYTES;
  if (isLarge) return [{ path: 'schema', message: `must have at most ${MAX_SCHEMA_BYTES} bytes and ${MAX_SCHEMA_VALUES} values` }];
  const faults = keywordFaults(schema, 'schema');
  if (faults.length > 0) return faults;
  try {
    compileReplySchema(schema);
    return [];
  } catch (error) {
    return [{ path: 'schema', message: `is not a valid JSON Schema: ${(error as Error).message}` }];
  }
}

/** The schema comes from the author of the workflow, and the value from a stranger: patterns take linear time. */
export function compileReplySchema(schema: JsonSchema): SchemaCheck {
  return compileSchemaCheck(schema, { meta: true, validateSchema: true, code: { regExp: linearRegExp } });
}

const linearRegExp = Object.assign(
  (pattern: string) => {
    const engine = RE2JS.compile(pattern);
    return { test: (text: string) => engine.test(text) };
  },
  { code: 'linearRegExp' },
);

function keywordFaults(schema: unknown, path: string): Fault[] {
  if (typeof schema === 'boolean') return [];
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return [{ path, message: 'must be a JSON Schema' }];
  return Object.entries(schema).flatMap(([keyword, value]) => {
    const at = `${path}.${keyword}`;
    if (!KEYWORDS.has(keyword)) return [{ path: at, message: `is not allowed here; use ${[...KEYWORDS].sort().join(', ')}` }];
    if (SCHEMAS.includes(keyword)) return keywordFaults(value, at);
    const isNested = SCHEMAS_BY_NAME.includes(keyword) || SCHEMA_LISTS.includes(keyword);
    if (!isNested) return holdsSelector(value) ? [{ path: at, message: 'must not contain a text that begins with "$"' }] : [];
    if (typeof value !== 'object' || value === null) return [{ path: at, message: 'must hold JSON Schemas' }];
    return Object.entries(value).flatMap(([name, inner]) => keywordFaults(inner, `${at}.${name}`));
  });
}

function holdsSelector(value: unknown): boolean {
  if (typeof value === 'string') return value.startsWith('$');
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsSelector);
}
