// What makes a Darwin document large are lists of numbers: run-length encoded masks, and outlines. They are cut out of its
// bytes before the rest is parsed, which would take many times their size of memory. They stay in the document that is
// kept. Within a text the quotes of a key are escaped, which tells it from a key.

const OPENING = 0x5b;
const CLOSING = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const ZERO = 0x30;

/** Beyond this, without its masks, a document is read without its outlines. */
const MAX_BYTES_WITH_OUTLINES = 8 * 2 ** 20;

export interface LightDocument {
  bytes: Uint8Array;
  omitsOutlines: boolean;
}

/** Lists that are cut out are empty; what is not as it should be stays as it is, for the parser to judge. */
export function cutNumberLists(document: Uint8Array): LightDocument {
  const bytes = withoutLists(document, 'dense_rle', endOfRuns);
  if (bytes.byteLength <= MAX_BYTES_WITH_OUTLINES) return { bytes, omitsOutlines: false };
  const light = ['paths', 'path', 'additional_paths'].reduce((rest, key) => withoutLists(rest, key, endOfPaths), bytes);
  return { bytes: light, omitsOutlines: light !== bytes };
}

/** `endOf` gives where the list ends that begins at a place, null for one that stays. */
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

/** Whole numbers with single commas between them, and space anywhere around them. Nothing is looked at beyond what is none. */
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

/** Bytes that points are made of: numbers, `"x"` and `"y"`, and what holds them together. */
const OF_POINTS = new Set(Buffer.from('0123456789+-.eE"xy:,{} \n\r\t'));

function endOfPaths(bytes: Buffer, start: number): number | null {
  let depth = 1;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === OPENING) depth += 1;
    else if (byte === CLOSING) {
      depth -= 1;
      if (depth === 0) return at;
    } else if (!OF_POINTS.has(byte)) return null;
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
