// Decodes the bytes of a text body as its declared kind. Synchronous, so that any thread with the bytes can do it.

import { charsetField, parseForm, UndecodableField } from '../../core/form/form-decoding.ts';
import { NestedNameFault, nestNames } from '../../core/form/nested-names.ts';
import { splitJsonLines } from '../../core/json/json-lines.ts';
import { type BodyKind, groupPairs, type RequestBody } from '../../core/run/request.ts';
import { decodeText } from '../../core/values/charset.ts';
import { AppError } from '../../errors.ts';
import { parseJsonBody, parseJsonField, parseJsonLine } from './json-body.ts';

/** The format of a text body, with the options of decoding it. */
export interface TextFormat {
  kind: 'json' | 'ndjson' | 'form' | 'nested-form' | 'text';
  /** From the Content-Type; null without one. */
  charset: string | null;
  /** The largest number of fields of a form. */
  fields: number;
  /** Decodes a form body that is JSON as JSON. */
  mayBeJson: boolean;
  /** The field of a form that contains the body as JSON. */
  field: string | null;
}

export interface DecodedBody {
  body: RequestBody;
  value: unknown;
}

/** Counts blank lines too: each costs more than its bytes. */
const MAX_LINES = 100_000;

/** Throws `invalid` when the bytes are not of their kind, `too_large` and `unsupported_media`. */
export function decodeBytes(bytes: Uint8Array, format: TextFormat): DecodedBody {
  switch (format.kind) {
    case 'json':
      return decoded('json', bytes, 'utf-8', parseJsonBody(textOfJson(bytes, format.charset)));
    case 'ndjson':
      refuseTooMany(bytes, LINE_FEED, MAX_LINES, `the body has more than ${MAX_LINES} lines`);
      return decoded('ndjson', bytes, 'utf-8', parseLines(textOfJson(bytes, format.charset)));
    case 'form':
    case 'nested-form':
      return decodeForm(bytes, format);
    case 'text': {
      const charset = format.charset ?? 'utf-8';
      const text = decodeOrRefuse(charset, () => decodeText(bytes, charset));
      return decoded('text', bytes, charset, text);
    }
  }
}

function decoded(kind: BodyKind, bytes: Uint8Array, charset: string, value: unknown): DecodedBody {
  return { body: { kind, bytes, charset }, value };
}

/** JSON must be UTF-8; a charset parameter has no meaning (RFC 8259, 11). Throws `invalid`. */
export function textOfJson(bytes: Uint8Array, charset: string | null): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    const declared = charset === null || charset === 'utf-8' ? '' : `, and not ${charset}`;
    throw new AppError('invalid', `the body is not utf-8 text; JSON is UTF-8 (RFC 8259)${declared}`);
  }
}

/** Null unless the body is a JSON object or list, by the same strict rules as declared JSON. */
export function decodeIfJson(bytes: Uint8Array): DecodedBody | null {
  if (!beginsAsJson(bytes)) return null;
  try {
    return decoded('json', bytes, 'utf-8', parseJsonBody(textOfJson(bytes, null)));
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

/** True when a body with this first byte may be a JSON object or list. */
export function mayBeginJson(byte: number | undefined): boolean {
  return byte === undefined || OPENING.has(byte) || WHITE_SPACE.has(byte) || byte === BYTE_ORDER_MARK[0];
}

/** Returns the JSON in a field of a form, which may have been parsed already. Throws `invalid`. */
export function jsonOfField(fields: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (typeof value === 'string') return parseJsonField(value, name);
  const refuse = (message: string): AppError => new AppError('invalid', message, { details: { part: name } });
  if (value === undefined) throw refuse(`the form has no field "${name}", which this sink reads as the body`);
  if (Array.isArray(value)) throw refuse(`field "${name}" came ${value.length} times, but this sink reads it as the body`);
  return value;
}

/** Throws `invalid` with the name of the field. */
export function nestFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  try {
    return nestNames(fields);
  } catch (error) {
    if (!(error instanceof NestedNameFault)) throw error;
    throw new AppError('invalid', `field "${error.field}" ${error.message}`, { details: { part: error.field } });
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;
const AMPERSAND = 0x26;
const LINE_FEED = 0x0a;
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const WHITE_SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

function parseLines(text: string): unknown[] {
  return splitJsonLines(text).map((line) => parseJsonLine(line.text, line.number));
}

function decodeForm(bytes: Uint8Array, { kind, charset: declared, fields: limit, mayBeJson, field }: TextFormat): DecodedBody {
  // curl declares `-d '{…}'` as a form by default, and the HTTP Sink document uses it so: it is JSON.
  const json = mayBeJson ? textIfJson(bytes) : null;
  if (json !== null) return decoded('json', bytes, 'utf-8', parseJsonBody(json));
  refuseTooMany(bytes, AMPERSAND, limit, `the form has more than the ${limit} fields that this sink accepts`);
  const charset = declared ?? charsetWithin(bytes) ?? 'utf-8';
  const fields = groupPairs(decodeOrRefuse(charset, () => parseForm(bytes, charset)));
  if (kind === 'nested-form') return decoded('nested-form', bytes, charset, nestFields(fields));
  if (field === null) return decoded('form', bytes, charset, fields);
  return decoded(`form:${field}`, bytes, charset, jsonOfField(fields, field));
}

function charsetWithin(form: Uint8Array): string | null {
  const buffer = Buffer.from(form.buffer, form.byteOffset, form.byteLength);
  return buffer.includes('_charset_=') ? charsetField(buffer.toString('latin1')) : null;
}

/** Returns the text of a JSON object or list, else null. */
function textIfJson(bytes: Uint8Array): string | null {
  if (!beginsAsJson(bytes)) return null;
  try {
    const text = UTF8.decode(bytes);
    JSON.parse(text);
    return text;
  } catch {
    return null;
  }
}

function beginsAsJson(bytes: Uint8Array): boolean {
  let at = BYTE_ORDER_MARK.every((byte, index) => bytes[index] === byte) ? BYTE_ORDER_MARK.length : 0;
  while (WHITE_SPACE.has(bytes[at] as number)) at += 1;
  return OPENING.has(bytes[at] as number);
}

/** Throws `too_large`, before anything is parsed. */
function refuseTooMany(bytes: Uint8Array, separator: number, limit: number, message: string): void {
  let count = 0;
  for (let at = bytes.indexOf(separator); at !== -1; at = bytes.indexOf(separator, at + 1)) {
    count += 1;
    if (count > limit) throw new AppError('too_large', message);
  }
}

function decodeOrRefuse<Value>(charset: string, decode: () => Value): Value {
  try {
    return decode();
  } catch (error) {
    if (error instanceof RangeError) throw new AppError('unsupported_media', `the character set "${charset}" is not known; send UTF-8`);
    if (error instanceof UndecodableField) {
      const message = `field ${error.message}; declare the character set of the form, as "application/x-www-form-urlencoded; charset=…"`;
      throw new AppError('invalid', message, { details: { part: error.field } });
    }
    if (error instanceof TypeError) throw new AppError('invalid', `the body is not ${charset} text, as its Content-Type says`);
    throw error;
  }
}
