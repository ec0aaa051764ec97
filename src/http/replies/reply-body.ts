// Reads the body of a reply: the choice, if its URL leaves it open, and the rest as JSON text.

import { stringifyJson } from '../../core/json/json.ts';
import type { SchemaCheck } from '../../core/schema.ts';
import { AppError } from '../../errors.ts';
import { decodeBytes } from '../body/decode-body.ts';
import { bodyKindOf, readMediaType } from '../body/media-type.ts';

export const MAX_REPLY_BYTES = 65_536;
const MAX_FIELDS = 1000;
const MAX_SHOWN_FAULTS = 100;

export interface ReplyBody {
  choice: string;
  /** JSON text. Null: the reply has no body. */
  body: string | null;
}

/** `choices` are those that the URL allows. Throws `invalid`, `unsupported_media`, or `unprocessable` with every fault. */
export function readReply(
  bytes: Uint8Array,
  contentType: string | undefined,
  choices: readonly string[],
  check: SchemaCheck | null,
): ReplyBody {
  const { value, isForm } = decode(bytes, contentType);
  const { choice, rest } = takeChoice(value, isForm, choices);
  const text = rest === null ? null : stringifyJson(rest);
  // The check sees plain numbers, and the stored text keeps the exact ones.
  const faults = check?.(text === null ? null : JSON.parse(text)) ?? [];
  if (faults.length > 0) {
    const shown = faults.slice(0, MAX_SHOWN_FAULTS);
    const lines = shown.map(({ path, message }) => `${path === '' ? 'the body' : path} ${message}`);
    throw new AppError('unprocessable', `the body does not fit: ${lines.join('; ')}`, { details: { faults: shown } });
  }
  return { choice, body: text };
}

function decode(bytes: Uint8Array, contentType: string | undefined): { value: unknown; isForm: boolean } {
  if (bytes.byteLength === 0) return { value: null, isForm: false };
  const type = readMediaType(contentType);
  const kind = type === null ? 'json' : bodyKindOf(type);
  if (kind !== 'json' && kind !== 'form')
    throw new AppError(
      'unsupported_media',
      'the body of a reply must be JSON (application/json) or a form (application/x-www-form-urlencoded)',
    );
  const format = { kind, charset: type?.charset ?? null, fields: MAX_FIELDS, mayBeJson: false, field: null } as const;
  return { value: decodeBytes(bytes, format).value, isForm: kind === 'form' };
}

/** The button of the page sends its choice as a field, so that a form may always have it. */
function takeChoice(value: unknown, isForm: boolean, choices: readonly string[]): { choice: string; rest: unknown } {
  const [only = ''] = choices;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (choices.length === 1 && !(isForm && isObject && (value as Record<string, unknown>)['choice'] === only))
    return { choice: only, rest: value };
  const { choice, ...rest } = (isObject ? value : {}) as Record<string, unknown>;
  if (typeof choice !== 'string' || !choices.includes(choice)) {
    const message = `name your choice in the field "choice" of the body: one of ${choices.map((name) => `"${name}"`).join(', ')}`;
    throw new AppError('unprocessable', message, { details: { choices } });
  }
  return { choice, rest: Object.keys(rest).length === 0 ? null : rest };
}
