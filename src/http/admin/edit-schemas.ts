// How the description of the API tells of edits: bodies that answers may be sent back as, merge patches, `If-Match`.

type Schema = Record<string, unknown>;

export const ifMatchHeader = {
  type: 'object',
  properties: { 'if-match': { type: 'string', description: 'ETag of an answer: the edit is made to this state, or is 412' } },
};

/** A body that may hold fields of an answer as well, which have to be as they were shown. */
export function withShownFields(schema: Schema, readOnly: readonly string[], more: Schema = {}): Schema {
  const shown = readOnly.map((name) => [name, { readOnly: true, description: 'as it was shown' }]);
  return { ...schema, properties: { ...(schema['properties'] as Schema), ...Object.fromEntries(shown), ...more } };
}

/** Nothing is required of a patch (RFC 7396), and `null` removes a member. */
export function mergePatchOf({ required: _required, ...schema }: Schema): { consumes: string[]; body: Schema } {
  return { consumes: ['application/merge-patch+json', 'application/json'], body: { ...schema, description: 'a JSON merge patch' } };
}
