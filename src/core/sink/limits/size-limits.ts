// How large a request of a sink may be: the field `limits`.

import type { JsonSchema } from '../../schema.ts';

export interface SinkLimits {
  /** Of a body that is not a multipart form. */
  bodyBytes: number;
  /** Of a whole multipart form, of each of its files and of each of its fields. */
  formBytes: number;
  fileBytes: number;
  fieldBytes: number;
  files: number;
  fields: number;
}

/** As definitions write it. */
export type LimitsDocument = Partial<Record<'body_bytes' | 'form_bytes' | 'file_bytes' | 'field_bytes' | 'files' | 'fields', number>>;

export const DEFAULT_LIMITS: SinkLimits = {
  bodyBytes: 10 * 2 ** 20,
  formBytes: 100 * 2 ** 20,
  fileBytes: 50 * 2 ** 20,
  fieldBytes: 2 ** 20,
  files: 600,
  fields: 600,
};

const bytes: JsonSchema = { type: 'integer', minimum: 0, maximum: 2 ** 30 };
const count: JsonSchema = { type: 'integer', minimum: 0, maximum: 10_000 };

export const limitsSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { body_bytes: bytes, form_bytes: bytes, file_bytes: bytes, field_bytes: bytes, files: count, fields: count },
};

export function readLimits(limits: LimitsDocument = {}): SinkLimits {
  return {
    bodyBytes: limits.body_bytes ?? DEFAULT_LIMITS.bodyBytes,
    formBytes: limits.form_bytes ?? DEFAULT_LIMITS.formBytes,
    fileBytes: limits.file_bytes ?? DEFAULT_LIMITS.fileBytes,
    fieldBytes: limits.field_bytes ?? DEFAULT_LIMITS.fieldBytes,
    files: limits.files ?? DEFAULT_LIMITS.files,
    fields: limits.fields ?? DEFAULT_LIMITS.fields,
  };
}
