// The field `schema` of a sink: the JSON Schema that bodies must fit before they start runs.

import type { Fault } from '../fault.ts';
import { compileSchema } from '../json-schema/compile-schema.ts';
import type { JsonSchema } from '../schema.ts';

/** As definitions write it, and as it is stored. */
export type BodySchema = Readonly<Record<string, unknown>>;

export const bodySchemaSchema: JsonSchema = {
  type: ['object', 'null'],
  description: 'a JSON Schema (2020-12) of the body; a body that does not fit is refused with all its faults, and starts no run',
};

interface Given {
  schema?: BodySchema | null;
  body?: unknown;
  payload?: string | null;
}

export function bodySchemaFaults({ schema, body, payload }: Given): Fault[] {
  if (schema === undefined || schema === null) return [];
  const { faults } = compileSchema(schema, 'schema');
  if (body === 'raw') faults.push({ path: 'schema', message: 'cannot stand beside body: raw, which stores the body as a file' });
  if (typeof payload === 'string')
    faults.push({ path: 'schema', message: `cannot stand beside payload: what ${payload} sends is checked already` });
  return faults;
}
