// A JSON document from bytes that anybody may have sent: UTF-8 with or without a byte order mark, not too deep, of no more
// values than memory is there for, and free of the key that poisons prototypes.

import { parseJson } from '../core/json/json.ts';
import { BadPayload, shownText } from './bad-payload.ts';
import { isDict, JsonCursor } from './json-cursor.ts';

const EMPTY = 'is empty where a JSON document belongs';
const MAX_DEPTH = 100;
/** A value of two bytes, as `[]`, takes some forty in memory. */
const MAX_VALUES = 4_200_000;
/** The longest text that JavaScript holds is twice that. */
const MAX_BYTES = 2 ** 28;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Throws BadPayload that names the part. */
export function parseDocument(bytes: Uint8Array, part: string): JsonCursor {
  const refuse = (message: string): never => {
    throw new BadPayload(shownText(part), message);
  };
  if (bytes.length === 0) refuse(EMPTY);
  const fault = sizeFault(bytes);
  if (fault !== null) refuse(fault);
  const text = decode(bytes) ?? refuse('is not UTF-8 text, as JSON must be');
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    refuse(`is not valid JSON: ${shownText((error as Error).message)}`);
  }
  // An escape may spell any key.
  if ((text.includes('__proto__') || text.includes('\\u00')) && holdsPoison(value))
    refuse('holds a key "__proto__", which no document may');
  return new JsonCursor(value, part);
}

/** No body came that could be read: none at all, or one of another type than `message` asks for. */
export function refuseBody(contentType: string | null, message: string): never {
  if (contentType !== null && /json/i.test(contentType)) throw new BadPayload('body', EMPTY);
  return new JsonCursor(contentType, 'body').refuse(message);
}

function decode(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
/** `[` and `{`, `]` and `}`, once the bit that tells them apart is set. */
const OPENING = 0x7b;
const CLOSING = 0x7d;
const BRACE_BIT = 0x20;

/** Counts brackets and commas outside of texts; what is no JSON may be counted wrongly, and is refused later. */
function sizeFault(bytes: Uint8Array): string | null {
  if (bytes.length > MAX_BYTES) return `is larger than ${MAX_BYTES} bytes, masks and outlines not counted`;
  let depth = 0;
  let values = 1;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) at = endOfText(bytes, at);
    else if (byte === COMMA) values += 1;
    else if ((byte | BRACE_BIT) === OPENING) {
      depth += 1;
      values += 1;
      if (depth > MAX_DEPTH) return `nests deeper than ${MAX_DEPTH} levels`;
    } else if ((byte | BRACE_BIT) === CLOSING) depth -= 1;
  }
  return values > MAX_VALUES ? `holds more than ${MAX_VALUES} values, those of masks and outlines not counted` : null;
}

function endOfText(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    if (bytes[at] === BACKSLASH) at += 1;
    else if (bytes[at] === QUOTE) return at;
  }
  return bytes.length;
}

function holdsPoison(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsPoison);
  return isDict(value) && (Object.hasOwn(value, '__proto__') || Object.values(value).some(holdsPoison));
}
