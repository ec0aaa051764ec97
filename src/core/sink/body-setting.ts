// How a sink reads bodies: by content type, always as one kind, as a form with nested names, or as a form with one field that
// contains a document.

import type { JsonSchema } from '../schema.ts';

const KINDS = ['auto', 'json', 'form', 'text', 'raw'] as const;

export type BodySetting = (typeof KINDS)[number] | NestedForm | { formField: string };

/** `a[b]` is the field `b` of the object `a`. */
interface NestedForm {
  form: 'nested';
}

/** As definitions write it. */
export type BodyDocument = (typeof KINDS)[number] | NestedForm | { form_field: string };

export const bodySchema: JsonSchema = {
  description: `one of ${KINDS.map((kind) => `"${kind}"`).join(', ')}, { "form": "nested" }, or { "form_field": "…" }`,
  anyOf: [
    { enum: [...KINDS] },
    { type: 'object', required: ['form'], additionalProperties: false, properties: { form: { const: 'nested' } } },
    {
      type: 'object',
      required: ['form_field'],
      additionalProperties: false,
      properties: { form_field: { type: 'string', minLength: 1, maxLength: 128 } },
    },
  ],
};

export function readBodySetting(document: BodyDocument): BodySetting {
  if (typeof document === 'string') return document;
  return 'form' in document ? { form: document.form } : { formField: document.form_field };
}

export function writeBodySetting(setting: BodySetting): BodyDocument {
  if (typeof setting === 'string') return setting;
  return 'form' in setting ? { form: setting.form } : { form_field: setting.formField };
}
