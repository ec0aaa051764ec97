// Guesses the type of a file sent without a content type, as Python's requests and our webhook steps send them. A
// signature in the first bytes decides, else the name for types without one. If both disagree, it is plain bytes.

/** The number of first bytes to inspect, or all of a shorter file. */
export const SIGNATURE_BYTES = 12;

/** The first bytes, and for some types those from the eighth on. */
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

/** `beginning` contains the first SIGNATURE_BYTES bytes. */
export function guessFileType(filename: string, beginning: Uint8Array): string {
  const bytes = String.fromCharCode(...beginning.subarray(0, SIGNATURE_BYTES));
  const byBytes = SIGNATURES.find(([, start, fromEight = '']) => bytes.startsWith(start) && bytes.startsWith(fromEight, 8))?.[0];
  const byName = TYPES_BY_ENDING.get(/\.([a-z]+)$/i.exec(filename)?.[1]?.toLowerCase() ?? '');
  if (byBytes !== undefined) return byName === undefined || byName === byBytes ? byBytes : BYTES;
  return byName === undefined || SIGNATURES.some(([type]) => type === byName) ? BYTES : byName;
}
