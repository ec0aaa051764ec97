// The value of a body of text: the bytes that came, read as the kind that they are said to be. Nothing here waits, so that
// it can be done wherever the bytes are.

import { decodeText } from '../../core/charset.ts';
import { charsetField, parseForm, UndecodableField } from '../../core/form-decoding.ts';
import { groupPairs, type RequestBody } from '../../core/request.ts';
import { AppError } from '../../errors.ts';
import { parseJsonBody } from './json-body.ts';

/** How to read it. */
export interface BodyReading {
  kind: 'json' | 'form' | 'text';
  /** As the Content-Type names it; null where it names none. */
  charset: string | null;
  /** Fields that a form may hold. */
  fields: number;
}

export interface DecodedBody {
  body: RequestBody;
  value: unknown;
}

/** Throws `invalid` for what is not of its kind, `too_large` and `unsupported_media`. */
export function decodeBytes(bytes: Uint8Array, reading: BodyReading): DecodedBody {
  switch (reading.kind) {
    case 'json':
      return decodeJson(bytes, reading);
    case 'form':
      return decodeForm(bytes, reading);
    case 'text': {
      const charset = reading.charset ?? 'utf-8';
      return { body: { kind: 'text', bytes, charset }, value: orRefuse(charset, () => decodeText(bytes, charset)) };
    }
  }
}

/** A charset parameter has no meaning for JSON (RFC 8259, 11): what counts is that the bytes are UTF-8. */
function decodeJson(bytes: Uint8Array, { charset }: BodyReading): DecodedBody {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    const declared = charset === null || charset === 'utf-8' ? '' : `, and not ${charset}`;
    throw new AppError('invalid', `the body is not utf-8 text; JSON is UTF-8 (RFC 8259)${declared}`);
  }
  return { body: { kind: 'json', bytes, charset: 'utf-8' }, value: parseJsonBody(text) };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function decodeForm(bytes: Uint8Array, { charset: declared, fields }: BodyReading): DecodedBody {
  // curl sends `-d '{…}'` as a form when no type is given, as the HTTP Sink document itself does: that is JSON.
  const json = sniffJson(bytes);
  if (json !== null) return { body: { kind: 'json', bytes, charset: 'utf-8' }, value: parseJsonBody(json) };
  refuseManyFields(bytes, fields);
  const charset = declared ?? charsetWithin(bytes) ?? 'utf-8';
  return { body: { kind: 'form', bytes, charset }, value: groupPairs(orRefuse(charset, () => parseForm(bytes, charset))) };
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
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (WHITE_SPACE.has(bytes[at] as number)) at += 1;
  return bytes[at] === 0x7b || bytes[at] === 0x5b;
}

const WHITE_SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

function refuseManyFields(form: Uint8Array, limit: number): void {
  let fields = 0;
  for (let at = form.indexOf(0x26); at !== -1; at = form.indexOf(0x26, at + 1)) {
    fields += 1;
    if (fields > limit) throw new AppError('too_large', `the form holds more than the ${limit} fields that this sink takes`);
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
