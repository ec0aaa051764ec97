// The value of a body of text: the bytes that came, read as the kind that they are said to be. Nothing here waits, so that
// it can be done wherever the bytes are.

import { charsetField, parseForm, UndecodableField } from '../../core/form/form-decoding.ts';
import { splitJsonLines } from '../../core/json/json-lines.ts';
import { type BodyKind, groupPairs, type RequestBody } from '../../core/run/request.ts';
import { decodeText } from '../../core/values/charset.ts';
import { AppError } from '../../errors.ts';
import { parseJsonBody, parseJsonField, parseJsonLine } from './json-body.ts';

/** How to read it. */
export interface TextReading {
  kind: 'json' | 'ndjson' | 'form' | 'text';
  /** As the Content-Type names it; null where it names none. */
  charset: string | null;
  /** Fields that a form may hold. */
  fields: number;
  /** Of a form: JSON in the place of fields is read as JSON. */
  mayBeJson: boolean;
  /** Of a form: the field that holds the body, as JSON. */
  field: string | null;
}

export interface DecodedBody {
  body: RequestBody;
  value: unknown;
}

/** Of a body of JSON lines, blank ones too: each costs more than its bytes. */
const MAX_LINES = 100_000;

/** Throws `invalid` for what is not of its kind, `too_large` and `unsupported_media`. */
export function decodeBytes(bytes: Uint8Array, reading: TextReading): DecodedBody {
  switch (reading.kind) {
    case 'json':
      return decoded('json', bytes, 'utf-8', parseJsonBody(textOfJson(bytes, reading.charset)));
    case 'ndjson':
      refuseMany(bytes, LINE_FEED, MAX_LINES, `the body holds more than ${MAX_LINES} lines`);
      return decoded('ndjson', bytes, 'utf-8', parseLines(textOfJson(bytes, reading.charset)));
    case 'form':
      return decodeForm(bytes, reading);
    case 'text': {
      const charset = reading.charset ?? 'utf-8';
      const text = orRefuse(charset, () => decodeText(bytes, charset));
      return decoded('text', bytes, charset, text);
    }
  }
}

function decoded(kind: BodyKind, bytes: Uint8Array, charset: string, value: unknown): DecodedBody {
  return { body: { kind, bytes, charset }, value };
}

/**
 * The text of a body of JSON. A charset parameter has no meaning for JSON (RFC 8259, 11): what counts is that the bytes are
 * UTF-8. Throws `invalid`.
 */
export function textOfJson(bytes: Uint8Array, charset: string | null): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    const declared = charset === null || charset === 'utf-8' ? '' : `, and not ${charset}`;
    throw new AppError('invalid', `the body is not utf-8 text; JSON is UTF-8 (RFC 8259)${declared}`);
  }
}

/** A body that may be anything: null where it is no JSON object or list, as strict as announced JSON is. */
export function decodeIfJson(bytes: Uint8Array): DecodedBody | null {
  if (!beginsAsJson(bytes)) return null;
  try {
    return decoded('json', bytes, 'utf-8', parseJsonBody(textOfJson(bytes, null)));
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

/** Whether a body that begins with this byte may be a JSON object or list. */
export function mayBeginJson(byte: number | undefined): boolean {
  return byte === undefined || OPENING.has(byte) || WHITE_SPACE.has(byte) || byte === BYTE_ORDER_MARK[0];
}

/** The JSON that a form holds in one of its fields, which may have been parsed already. Throws `invalid`. */
export function jsonOfField(fields: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (typeof value === 'string') return parseJsonField(value, name);
  const refuse = (message: string): AppError => new AppError('invalid', message, { details: { part: name } });
  if (value === undefined) throw refuse(`the form has no field "${name}", which this sink reads as the body`);
  if (Array.isArray(value)) throw refuse(`field "${name}" came ${value.length} times, and this sink reads it as the body`);
  return value;
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

function decodeForm(bytes: Uint8Array, { charset: declared, fields: limit, mayBeJson, field }: TextReading): DecodedBody {
  // curl sends `-d '{…}'` as a form when no type is given, as the HTTP Sink document itself does: that is JSON.
  const json = mayBeJson ? sniffJson(bytes) : null;
  if (json !== null) return decoded('json', bytes, 'utf-8', parseJsonBody(json));
  refuseMany(bytes, AMPERSAND, limit, `the form holds more than the ${limit} fields that this sink takes`);
  const charset = declared ?? charsetWithin(bytes) ?? 'utf-8';
  const fields = groupPairs(orRefuse(charset, () => parseForm(bytes, charset)));
  if (field === null) return decoded('form', bytes, charset, fields);
  return decoded(`form:${field}`, bytes, charset, jsonOfField(fields, field));
}

function charsetWithin(form: Uint8Array): string | null {
  const buffer = Buffer.from(form.buffer, form.byteOffset, form.byteLength);
  return buffer.includes('_charset_=') ? charsetField(buffer.toString('latin1')) : null;
}

/** The text of a JSON object or list; null for all else. */
function sniffJson(bytes: Uint8Array): string | null {
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

/** Throws `too_large`, before anything is taken apart. */
function refuseMany(bytes: Uint8Array, separator: number, limit: number, message: string): void {
  let count = 0;
  for (let at = bytes.indexOf(separator); at !== -1; at = bytes.indexOf(separator, at + 1)) {
    count += 1;
    if (count > limit) throw new AppError('too_large', message);
  }
}

function orRefuse<Value>(charset: string, decode: () => Value): Value {
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
