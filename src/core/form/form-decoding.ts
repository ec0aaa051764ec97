// Parses application/x-www-form-urlencoded in a body or a query by the WHATWG URL Standard; the character set applies to
// percent escapes too. Undecodable bytes are an error, where the standard inserts U+FFFD.

import { charsetOf, decodeText, pieceDecoder } from '../values/charset.ts';

type Pair = [name: string, value: string];

/** Thrown for a name or value whose bytes are not of the character set. */
export class UndecodableField extends TypeError {
  /** The name with its escapes, shortened for a message. */
  readonly field: string;

  constructor(field: string, charset: string) {
    super(`"${field}" is not ${charset} text`);
    this.field = field;
  }
}

/** Throws UndecodableField. `text` is what follows `?`. */
export function parseQuery(text: string): Pair[] {
  // The constructor strips a leading `?`, which belongs to the first name here.
  const pairs = [...new URLSearchParams(text.startsWith('?') ? `?${text}` : text)];
  if (text.includes('%') && pairs.some(holdsReplacement)) parseBytes(UTF8.encode(text), 'utf-8');
  return pairs;
}

/** Throws UndecodableField, TypeError for bytes outside the character set, RangeError for an unknown set. */
export function parseForm(bytes: Uint8Array, charset: string): Pair[] {
  const name = charsetOf(charset);
  if (name === null) throw new RangeError(`unknown character set ${charset}`);
  // Only the text itself can be UTF-16: escapes are bytes of an ASCII-compatible set (WHATWG, output encoding).
  if (name === 'utf-8' || name.startsWith('utf-16')) return parseQuery(decodeText(bytes, name));
  return parseBytes(bytes, name);
}

/**
 * Returns the character set in the field `_charset_`, which browsers fill in (HTML, constructing the entry list); null
 * when it is missing or unknown. `form` has one character per byte.
 */
export function charsetField(form: string): string | null {
  const label = /(?:^|&)_charset_=([\w.:-]{1,64})(?:&|$)/.exec(form)?.[1];
  return label === undefined ? null : charsetOf(label.toLowerCase());
}

const UTF8 = new TextEncoder();
const AMPERSAND = 0x26;
const EQUALS = 0x3d;

function holdsReplacement([name, value]: Pair): boolean {
  return name.includes('\ufffd') || value.includes('\ufffd');
}

function parseBytes(bytes: Uint8Array, charset: string): Pair[] {
  const decode = pieceDecoder(charset);
  return splitAt(bytes, AMPERSAND)
    .filter((pair) => pair.length > 0)
    .map((pair) => {
      const equals = pair.indexOf(EQUALS);
      const name = equals === -1 ? pair : pair.subarray(0, equals);
      const value = equals === -1 ? pair.subarray(pair.length) : pair.subarray(equals + 1);
      try {
        return [decode(undoEscapes(name)), decode(undoEscapes(value))];
      } catch {
        throw new UndecodableField(shown(name), charset);
      }
    });
}

function splitAt(bytes: Uint8Array, separator: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let at = bytes.indexOf(separator); at !== -1; at = bytes.indexOf(separator, start)) {
    parts.push(bytes.subarray(start, at));
    start = at + 1;
  }
  return [...parts, bytes.subarray(start)];
}

/** Decodes `+` and escapes to bytes; a `%` that begins no escape is literal. */
function undoEscapes(bytes: Uint8Array): Uint8Array {
  const plain = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    let byte = bytes[at] as number;
    if (byte === 0x2b) byte = 0x20;
    else if (byte === 0x25) {
      const high = hexDigit(bytes[at + 1]);
      const low = hexDigit(bytes[at + 2]);
      if (high !== null && low !== null) {
        byte = high * 16 + low;
        at += 2;
      }
    }
    plain[length] = byte;
    length += 1;
  }
  return plain.subarray(0, length);
}

function hexDigit(byte: number | undefined): number | null {
  if (byte === undefined) return null;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : null;
}

/** ASCII unchanged, other bytes as escapes. */
function shown(name: Uint8Array): string {
  return Array.from(name.subarray(0, 100), (byte) =>
    byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}
