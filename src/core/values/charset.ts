// Decodes text by the WHATWG Encoding Standard; bytes outside the character set are an error. UTF-8 is native. Others use a
// library, loaded on first use: Node reads windows-1252 as Latin-1, accepts undefined bytes and lacks two sets.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
type Decoder = InstanceType<typeof TextDecoder>;

const UTF8 = new TextDecoder('utf-8', { fatal: true });
const UTF8_WITH_MARK = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Returns the character set of a label, as `windows-1252` for `latin1`; null for an unknown label. */
export function charsetOf(label: string): string | null {
  if (isUtf8(label)) return 'utf-8';
  const name = library().normalizeEncoding(label);
  return name === 'replacement' ? null : name;
}

/**
 * Decodes a whole text. A byte order mark wins over `charset` and is dropped. Throws TypeError when the bytes are not of
 * the character set, RangeError when the set is unknown.
 */
export function decodeText(bytes: Uint8Array, charset: string): string {
  const found = markedCharset(bytes) ?? charset;
  return (isUtf8(found) ? UTF8 : decoderOf(found)).decode(bytes);
}

/** Decodes pieces of a text, in which a byte order mark is an ordinary character. Throws as `decodeText` does. */
export function pieceDecoder(charset: string): (bytes: Uint8Array) => string {
  const decoder = isUtf8(charset) ? UTF8_WITH_MARK : decoderOf(charset);
  return (bytes) => decoder.decode(bytes);
}

function isUtf8(label: string): boolean {
  return label === 'utf-8' || label === 'utf8';
}

/** The mark of UTF-16 decides its byte order, and a UTF-8 mark is unambiguous in every set. */
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
