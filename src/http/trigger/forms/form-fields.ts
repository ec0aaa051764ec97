// Takes the fields that are for the sink itself out of a form, so that no run sees them.

import { withoutFields } from '../../../core/form/without-fields.ts';
import { stringifyJson } from '../../../core/json/json.ts';
import { decodeBody, type Request } from '../../../core/run/request.ts';
import { LARGE_RUN_BYTES } from '../../../core/run/run-weight.ts';
import { AppError } from '../../../errors.ts';
import type { TriggerInput } from '../trigger-input.ts';

/** `taken` has no prototype. */
interface SeparatedForm {
  input: TriggerInput;
  taken: Readonly<Record<string, unknown>>;
}

const KINDS_WITH_FIELDS: readonly string[] = ['form', 'nested-form', 'multipart', 'json'];

/** Throws `too_large` for a form whose fields are not decoded, and `unsupported_media` for bytes that cannot be separated. */
export function takeFields(input: TriggerInput, names: readonly string[]): SeparatedForm {
  const { request, body } = input;
  if (request === null)
    throw new AppError(
      'too_large',
      `the fields of the form are larger than the ${LARGE_RUN_BYTES} bytes that this sink reads; send large content as a file`,
    );
  const taken: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const fields = KINDS_WITH_FIELDS.includes(body.kind) ? fieldsOf(request.body) : null;
  const found = fields === null ? [] : names.filter((name) => Object.hasOwn(fields, name));
  if (fields === null || found.length === 0) return { input, taken };
  for (const name of found) taken[name] = fields[name];
  return {
    input: body.kind.endsWith('form') ? withoutFormFields(input, request, found) : withoutKeys(input, request, fields, found),
    taken,
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}

function withoutFormFields(input: TriggerInput, request: Request, names: readonly string[]): TriggerInput {
  const body = { ...input.body, bytes: withoutFields(input.body.bytes, names) };
  const value = decodeBody(body, []);
  if (names.some((name) => Object.hasOwn(value as object, name)))
    throw new AppError('unsupported_media', 'the form is in a character set that this sink does not read; send it in UTF-8');
  return { ...input, body, request: { ...request, body: value } };
}

function withoutKeys(
  input: TriggerInput,
  request: Request,
  fields: Readonly<Record<string, unknown>>,
  names: readonly string[],
): TriggerInput {
  const value = Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
  return { ...input, body: { ...input.body, bytes: Buffer.from(stringifyJson(value)) }, request: { ...request, body: value } };
}
