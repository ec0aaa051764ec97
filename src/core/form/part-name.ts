// Decodes the name and file name of a part from one of four forms: bytes of the form's charset, `filename*` (RFC 8187),
// encoded words (RFC 2047, .NET), or HTML's multipart escapes of three characters (browsers, Python's urllib3).

import { decodeText } from '../values/charset.ts';

/** Bytes when the text is in the form's character set, which may be declared only at its end. */
export type PartText = string | Uint8Array;

export type ReadText = { fault: string } | { fault: null; text: PartText | null };

/** The parameters have one character per byte. `filename*` wins over `filename` (RFC 6266, 4.3). */
export function readPartText(parameters: ReadonlyMap<string, string>, key: 'name' | 'filename'): ReadText {
  const [extended, plain] = [parameters.get(`${key}*`), parameters.get(key)];
  const text = extended === undefined ? null : decodeExtended(extended);
  if (text !== null) return { fault: null, text };
  if (plain !== undefined) return { fault: null, text: decodeWords(plain) ?? bytesUnlessAscii(decodeBrowserEscapes(plain)) };
  if (extended !== undefined) return { fault: `has a "${key}*" that does not follow RFC 8187; write utf-8''na%C3%AFve.txt` };
  const isSplit = parameters.has(`${key}*0`) || parameters.has(`${key}*0*`);
  return isSplit ? { fault: `has its ${key} in pieces (RFC 2231), which is not understood; send it in one` } : { fault: null, text: null };
}

/** Null when the bytes are neither UTF-8 nor of the form's character set. */
export function decodePartText(text: PartText, formCharset: string): string | null {
  if (typeof text === 'string') return text;
  return tryDecode(text, 'utf-8') ?? (formCharset === 'utf-8' ? null : tryDecode(text, formCharset));
}

const EXTENDED = /^([A-Za-z0-9._:-]+)'[^']*'((?:[^%]|%[0-9a-fA-F]{2})*)$/;

function decodeExtended(value: string): string | null {
  const match = EXTENDED.exec(value);
  if (match === null) return null;
  const [, charset, encoded] = match as unknown as [string, string, string];
  return tryDecode(fromPercents(encoded, '%'), charset);
}

const ENCODED_WORD = /^=\?([A-Za-z0-9._:-]+)(?:\*[^?]*)?\?([bq])\?([^?\s]*)\?=$/i;

/** Null when the text is not entirely encoded words. */
function decodeWords(value: string): string | null {
  if (!value.startsWith('=?')) return null;
  let text = '';
  for (const word of value.split(/[ \t]+/)) {
    const match = ENCODED_WORD.exec(word);
    if (match === null) return null;
    const [, charset, encoding, encoded] = match as unknown as [string, string, string, string];
    const bytes = encoding.toLowerCase() === 'b' ? Buffer.from(encoded, 'base64') : fromPercents(encoded.replaceAll('_', ' '), '=');
    const decoded = tryDecode(bytes, charset);
    if (decoded === null) return null;
    text += decoded;
  }
  return text;
}

function decodeBrowserEscapes(value: string): string {
  return value.includes('%') ? value.replaceAll(/%(?:22|0[ad])/gi, (escaped) => BROWSER_ESCAPES[escaped.toLowerCase()] as string) : value;
}

const BROWSER_ESCAPES: Readonly<Record<string, string>> = { '%22': '"', '%0a': '\n', '%0d': '\r' };

function fromPercents(text: string, mark: '%' | '='): Uint8Array {
  const pattern = new RegExp(`${mark}([0-9a-f]{2})`, 'gi');
  return Buffer.from(
    text.replaceAll(pattern, (_escaped, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

function bytesUnlessAscii(text: string): PartText {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text, 'latin1');
}

function tryDecode(bytes: Uint8Array, charset: string): string | null {
  try {
    return decodeText(bytes, charset.toLowerCase());
  } catch {
    return null;
  }
}
