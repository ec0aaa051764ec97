// What a file is whose sender did not say: Python's requests and our own webhook steps send parts without a content
// type. Its first bytes decide where they are a signature, its name among types that have none. Where the two disagree,
// it is bytes and no more.

/** So many of a file's first bytes tell, or all of a shorter one. */
export const SIGNATURE_BYTES = 12;

/** What the first bytes are, and where it matters what those from the eighth on are. */
const SIGNATURES: readonly (readonly [type: string, start: string, fromEight?: string])[] = [
  ['image/jpeg', '\xff\xd8\xff'],
  ['image/png', '\x89PNG\r\n\x1a\n'],
  ['image/gif', 'GIF8'],
  ['image/webp', 'RIFF', 'WEBP'],
  ['application/pdf', '%PDF-'],
];

const TYPES_BY_ENDING: ReadonlyMap<string, string> = new Map([
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['png', 'image/png'],
  ['gif', 'image/gif'],
  ['webp', 'image/webp'],
  ['pdf', 'application/pdf'],
  ['json', 'application/json'],
  ['xml', 'application/xml'],
  ['csv', 'text/csv'],
  ['txt', 'text/plain'],
  ['htm', 'text/html'],
  ['html', 'text/html'],
]);

const BYTES = 'application/octet-stream';

/** `beginning` holds the first SIGNATURE_BYTES bytes. */
export function guessFileType(filename: string, beginning: Uint8Array): string {
  const bytes = String.fromCharCode(...beginning.subarray(0, SIGNATURE_BYTES));
  const byBytes = SIGNATURES.find(([, start, fromEight = '']) => bytes.startsWith(start) && bytes.startsWith(fromEight, 8))?.[0];
  const byName = TYPES_BY_ENDING.get(/\.([a-z]+)$/i.exec(filename)?.[1]?.toLowerCase() ?? '');
  if (byBytes !== undefined) return byName === undefined || byName === byBytes ? byBytes : BYTES;
  return byName === undefined || SIGNATURES.some(([type]) => type === byName) ? BYTES : byName;
}
