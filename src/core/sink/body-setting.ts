// How a sink reads bodies: by content type, always as one kind, or as a form with one field that contains a document.

import type { JsonSchema } from '../schema.ts';

const KINDS = ['auto', 'json', 'form', 'text', 'raw'] as const;

export type BodySetting = (typeof KINDS)[number] | { formField: string };

/** As definitions write it. */
export type BodyDocument = (typeof KINDS)[number] | { form_field: string };

export const bodySchema: JsonSchema = {
  description: `one of ${KINDS.map((kind) => `"${kind}"`).join(', ')}, or { "form_field": "…" }`,
  anyOf: [
    { enum: [...KINDS] },
    {
      type: 'object',
      required: ['form_field'],
      additionalProperties: false,
      properties: { form_field: { type: 'string', minLength: 1, maxLength: 128 } },
    },
  ],
};

export function readBodySetting(document: BodyDocument): BodySetting {
  return typeof document === 'string' ? document : { formField: document.form_field };
}

export function writeBodySetting(setting: BodySetting): BodyDocument {
  return typeof setting === 'string' ? setting : { form_field: setting.formField };
}
