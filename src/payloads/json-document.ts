// Parses a JSON document from an untrusted sender: UTF-8 with or without a byte order mark, bounded in depth and in number
// of values, and without the key `__proto__`.

import { parseJson } from '../core/json/json.ts';
import { BadPayload, shownText } from './bad-payload.ts';
import { isDict, JsonCursor } from './json-cursor.ts';

const EMPTY = 'is empty; it must be a JSON document';
const MAX_DEPTH = 100;
/** Bounds memory: a value of two bytes, such as `[]`, takes about forty when parsed. */
const MAX_VALUES = 4_200_000;
/** Half the length of the longest JavaScript string. */
const MAX_BYTES = 2 ** 28;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Throws BadPayload. */
export function parseDocument(bytes: Uint8Array, part: string): JsonCursor {
  const refuse = (message: string): never => {
    throw new BadPayload(shownText(part), message);
  };
  if (bytes.length === 0) refuse(EMPTY);
  const fault = sizeFault(bytes);
  if (fault !== null) refuse(fault);
  const text = decode(bytes) ?? refuse('is not UTF-8, which JSON must be');
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    refuse(`is not valid JSON: ${shownText((error as Error).message)}`);
  }
  // The key may be spelled with an escape, such as `\u005f`.
  if ((text.includes('__proto__') || text.includes('\\u00')) && hasProtoKey(value)) refuse('holds a key "__proto__", which is not allowed');
  return new JsonCursor(value, part);
}

/** Refuses a request without a body that the format can read: an empty JSON body, or a body of another content type. */
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
/** `{` and `}`. `[` and `]` equal them once BRACE_BIT is set. */
const OPENING = 0x7b;
const CLOSING = 0x7d;
const BRACE_BIT = 0x20;

/** Counts brackets and commas outside strings. The count of invalid JSON may be wrong; the parser refuses it later. */
function sizeFault(bytes: Uint8Array): string | null {
  if (bytes.length > MAX_BYTES) return `is larger than ${MAX_BYTES} bytes, not counting masks and outlines`;
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
  return values > MAX_VALUES ? `has more than ${MAX_VALUES} values, not counting masks and outlines` : null;
}

function endOfText(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    if (bytes[at] === BACKSLASH) at += 1;
    else if (bytes[at] === QUOTE) return at;
  }
  return bytes.length;
}

function hasProtoKey(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasProtoKey);
  return isDict(value) && (Object.hasOwn(value, '__proto__') || Object.values(value).some(hasProtoKey));
}
