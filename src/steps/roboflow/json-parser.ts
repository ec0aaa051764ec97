// roboflow_core/json_parser@v1: extracts fields from JSON text, bare or in the first ```json block. An object, such as the
// parsed body of a request, is used directly.

import { ExactNumber, parseJson } from '../../core/json/json.ts';
import { isDict } from '../../core/python/kind.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import { text } from '../shared/property-schemas.ts';
import { receivedFile } from '../shared/received-file.ts';
import { readText, SettingFault } from '../shared/setting-values.ts';
import type { StepContext, StepType } from '../step-type.ts';

interface JsonParserManifest {
  raw_json: unknown;
  expected_fields: string[];
}

const RESERVED = 'error_status';

export const jsonParser: StepType<JsonParserManifest> = {
  type: 'roboflow_core/json_parser@v1',
  summary: 'Parses JSON text, for example from a language model, and outputs each expected field.',
  properties: {
    raw_json: text('JSON, bare or in a Markdown block, or a selector of it'),
    expected_fields: {
      type: 'array',
      items: { type: 'string' },
      description: 'the names of the fields; each is an output, which is null if the field is missing',
    },
  },
  required: ['raw_json', 'expected_fields'],
  ignoresUnknown: true,
  findFaults({ expected_fields: fields }) {
    const index = fields.indexOf(RESERVED);
    if (index === -1) return [];
    return [
      {
        path: `expected_fields[${index}]`,
        message: '`error_status` is reserved field name and cannot be used in `expected_fields` of `roboflow_core/json_parser@v1` block.',
      },
    ];
  },
  outputs: ({ expected_fields: fields }) => [RESERVED, ...fields],
  plan: (manifest, context) =>
    withOperations(() => {
      const fields = manifest.expected_fields;
      const found = readObject(manifest.raw_json, context);
      const has = (field: string): boolean => found !== null && Object.hasOwn(found, field);
      const values = fields.map((field) => [field, has(field) ? found?.[field] : null] as const);
      return {
        kind: 'completed',
        outputs: Object.fromEntries<unknown>([...values, [RESERVED, found === null || !fields.every(has)]]),
      };
    }),
};

function readObject(raw: unknown, context: StepContext): Record<string, unknown> | null {
  if (!isDict(raw)) return parseObject(readText('raw_json', raw));
  if (receivedFile(raw, context) !== null) throw new SettingFault('raw_json is a file: read it with sluice/read_file@v1 first');
  return raw;
}

const JSON_BLOCK = /```json([\s\S]*?)```/i;

/** Null when the text is not a JSON object. */
function parseObject(raw: string): Record<string, unknown> | null {
  try {
    const value = parseJson(JSON_BLOCK.exec(raw)?.[1] ?? raw);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch (error) {
    // RangeError: nested deeper than the stack allows.
    if (error instanceof SyntaxError || error instanceof RangeError) return null;
    throw error;
  }
}
