// Character sets, as the WHATWG Encoding Standard names and decodes them. No text is ever guessed: bytes that are not of
// the set are an error. UTF-8 is the platform's own; all others come from a library, which is loaded with the first body
// that wants one, for Node reads windows-1252 as Latin-1, takes undefined bytes and lacks two sets.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
type Decoder = InstanceType<typeof TextDecoder>;

const UTF8 = new TextDecoder('utf-8', { fatal: true });
const UTF8_WITH_MARK = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The set that a label names, as `windows-1252` for `latin1`; null for a label of none. */
export function charsetOf(label: string): string | null {
  if (isUtf8(label)) return 'utf-8';
  const name = library().normalizeEncoding(label);
  return name === 'replacement' ? null : name;
}

/**
 * Reads a whole text, by its byte order mark where it has one, which is no part of it. Throws TypeError when the bytes are
 * not of the character set, RangeError when there is no such set.
 */
export function decodeText(bytes: Uint8Array, charset: string): string {
  const found = markedCharset(bytes) ?? charset;
  return (isUtf8(found) ? UTF8 : decoderOf(found)).decode(bytes);
}

/** Reads pieces of a text, in which a byte order mark is a character like any other. Throws as `decodeText` does. */
export function pieceDecoder(charset: string): (bytes: Uint8Array) => string {
  const decoder = isUtf8(charset) ? UTF8_WITH_MARK : decoderOf(charset);
  return (bytes) => decoder.decode(bytes);
}

function isUtf8(label: string): boolean {
  return label === 'utf-8' || label === 'utf8';
}

/** UTF-16 tells by its mark which of its two byte orders it is in, and a UTF-8 mark means nothing else in any set. */
function markedCharset(bytes: Uint8Array): string | null {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : null;
}

function decoderOf(charset: string): Decoder {
  return new (library().TextDecoder)(charset, { fatal: true });
}

function library(): typeof import('@exodus/bytes/encoding.js') {
  return require('@exodus/bytes/encoding.js') as typeof import('@exodus/bytes/encoding.js');
}
