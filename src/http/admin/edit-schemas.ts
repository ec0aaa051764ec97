// Edits in the API: schemas of bodies that accept an answer's fields and of merge patches, and the headers of preconditions.

import type { Preconditions } from '../../definitions/edit.ts';

type Schema = Record<string, unknown>;

export const ifMatchHeader = {
  type: 'object',
  properties: { 'if-match': { type: 'string', description: 'ETag of an answer: the edit is made to this state, or is 412' } },
};

export const preconditionHeaders = {
  type: 'object',
  properties: {
    ...ifMatchHeader.properties,
    'if-none-match': { type: 'string', description: '*: the edit is made only if there is nothing yet, or is 412' },
  },
};

export function preconditionsOf(headers: Readonly<Record<string, unknown>>): Preconditions {
  return { ifMatch: headers['if-match'] as string | undefined, ifNoneMatch: headers['if-none-match'] as string | undefined };
}

/** Adds read-only fields of answers to a body's schema; a request must send them unchanged. */
export function withShownFields(schema: Schema, readOnly: readonly string[], more: Schema = {}): Schema {
  const shown = readOnly.map((name) => [name, { readOnly: true, description: 'as it was shown' }]);
  return { ...schema, properties: { ...(schema['properties'] as Schema), ...Object.fromEntries(shown), ...more } };
}

/** In a patch (RFC 7396) no member is required, and `null` removes a member. */
export function mergePatchOf({ required: _required, ...schema }: Schema): { consumes: string[]; body: Schema } {
  return { consumes: ['application/merge-patch+json', 'application/json'], body: { ...schema, description: 'a JSON merge patch' } };
}
