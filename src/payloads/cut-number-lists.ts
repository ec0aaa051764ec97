// Removes the lists of numbers from a Darwin document before it is parsed: run-length encoded masks and outlines make it
// large, and parsed they take many times their size in memory. The stored document keeps them. A quote inside a JSON
// string is escaped, so `"dense_rle"` without a backslash is a key.

const OPENING = 0x5b;
const CLOSING = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const ZERO = 0x30;

/** A document that is larger than this without its masks is read without its outlines. */
const MAX_BYTES_WITH_OUTLINES = 8 * 2 ** 20;

export interface LightDocument {
  bytes: Uint8Array;
  omitsOutlines: boolean;
}

/** Leaves an empty list in place of each removed one. Malformed lists stay, so that the parser reports them. */
export function cutNumberLists(document: Uint8Array): LightDocument {
  const bytes = withoutLists(document, 'dense_rle', endOfRuns);
  if (bytes.byteLength <= MAX_BYTES_WITH_OUTLINES) return { bytes, omitsOutlines: false };
  const light = ['paths', 'path', 'additional_paths'].reduce((rest, key) => withoutLists(rest, key, endOfPaths), bytes);
  return { bytes: light, omitsOutlines: light !== bytes };
}

/** `endOf` returns the index of the closing bracket, or null to keep the list. */
function withoutLists(document: Uint8Array, name: string, endOf: (bytes: Buffer, start: number) => number | null): Uint8Array {
  const bytes = Buffer.from(document.buffer, document.byteOffset, document.byteLength);
  const key = Buffer.from(`"${name}"`);
  const kept: Uint8Array[] = [];
  let from = 0;
  for (let at = bytes.indexOf(key); at !== -1; at = bytes.indexOf(key, at + key.length)) {
    const start = bytes[at - 1] === BACKSLASH ? null : afterColonAndBracket(bytes, at + key.length);
    const end = start === null ? null : endOf(bytes, start);
    if (start === null || end === null) continue;
    kept.push(bytes.subarray(from, start));
    from = end;
  }
  return from === 0 ? document : Buffer.concat([...kept, bytes.subarray(from)]);
}

function afterColonAndBracket(bytes: Uint8Array, at: number): number | null {
  const colon = skipSpace(bytes, at);
  if (bytes[colon] !== COLON) return null;
  const bracket = skipSpace(bytes, colon + 1);
  return bytes[bracket] === OPENING ? bracket + 1 : null;
}

/** Accepts whole numbers, single commas and space. Stops at the first other byte, so malformed documents cost linear time. */
function endOfRuns(bytes: Buffer, start: number): number | null {
  if (bytes[start] === CLOSING) return start;
  for (let at = start; ; at += 1) {
    const first = skipSpace(bytes, at);
    let last = first;
    while (isDigit(bytes[last])) last += 1;
    if (last === first || (last - first > 1 && bytes[first] === ZERO)) return null;
    at = skipSpace(bytes, last);
    if (bytes[at] === CLOSING) return at;
    if (bytes[at] !== COMMA) return null;
  }
}

/** The bytes of a list of points: numbers, the keys `"x"` and `"y"`, and punctuation. */
const POINT_BYTES = new Set(Buffer.from('0123456789+-.eE"xy:,{} \n\r\t'));

function endOfPaths(bytes: Buffer, start: number): number | null {
  let depth = 1;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === OPENING) depth += 1;
    else if (byte === CLOSING) {
      depth -= 1;
      if (depth === 0) return at;
    } else if (!POINT_BYTES.has(byte)) return null;
  }
  return null;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39;
}

function skipSpace(bytes: Uint8Array, at: number): number {
  let next = at;
  while (bytes[next] === 0x20 || bytes[next] === 0x0a || bytes[next] === 0x0d || bytes[next] === 0x09) next += 1;
  return next;
}
