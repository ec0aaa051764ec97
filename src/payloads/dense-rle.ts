// Darwin's run-length encoded masks are most of a large document, and nobody looks at their numbers here: they are cut
// out before the rest is parsed, which would take six times their size of memory. They stay in the document that is kept.

const KEY = Buffer.from('"dense_rle"');
const OPENING = 0x5b;
const CLOSING = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/**
 * The document with each list of numbers under the key "dense_rle" emptied. What is no such list stays as it is, for the
 * parser to judge. Within a text the quotes of the key are escaped, which tells it from a key.
 */
export function withoutRuns(document: Uint8Array): Uint8Array {
  const bytes = Buffer.from(document.buffer, document.byteOffset, document.byteLength);
  const kept: Uint8Array[] = [];
  let from = 0;
  for (let key = bytes.indexOf(KEY); key !== -1; key = bytes.indexOf(KEY, key + KEY.length)) {
    const start = bytes[key - 1] === BACKSLASH ? null : afterColonAndBracket(bytes, key + KEY.length);
    if (start === null) continue;
    const end = bytes.indexOf(CLOSING, start);
    if (end === -1 || !isListOfNumbers(bytes, start, end)) continue;
    kept.push(bytes.subarray(from, start));
    from = end;
  }
  if (from === 0) return document;
  return Buffer.concat([...kept, bytes.subarray(from)]);
}

function afterColonAndBracket(bytes: Uint8Array, at: number): number | null {
  const colon = skipSpace(bytes, at);
  if (bytes[colon] !== COLON) return null;
  const bracket = skipSpace(bytes, colon + 1);
  return bytes[bracket] === OPENING ? bracket + 1 : null;
}

/** Whole numbers with single commas between them, and space anywhere around them. */
function isListOfNumbers(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const first = skipSpace(bytes, at);
    let last = first;
    while (isDigit(bytes[last])) last += 1;
    if (last === first || (last - first > 1 && bytes[first] === ZERO)) return false;
    at = skipSpace(bytes, last);
    if (at < end && bytes[at] !== COMMA) return false;
    if (at === end - 1) return false;
  }
  return true;
}

const ZERO = 0x30;

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39;
}

function skipSpace(bytes: Uint8Array, at: number): number {
  let next = at;
  while (bytes[next] === 0x20 || bytes[next] === 0x0a || bytes[next] === 0x0d || bytes[next] === 0x09) next += 1;
  return next;
}
