// The pictures that a browser may show in place. Everything else is only to be saved: a document could hold a script.

/** The number of first bytes that decide. */
export const TYPE_BYTES = 12;

/** The first bytes, and the text from some place on. */
const PICTURES: readonly (readonly [type: string, start: string, at?: number, then?: string])[] = [
  ['image/png', '\x89PNG\r\n\x1a\n'],
  ['image/jpeg', '\xff\xd8\xff'],
  ['image/gif', 'GIF87a'],
  ['image/gif', 'GIF89a'],
  ['image/webp', 'RIFF', 8, 'WEBP'],
  ['image/avif', '', 4, 'ftypavif'],
];

/** Null: none of them, whatever the sender called it. */
export function pictureType(beginning: Uint8Array): string | null {
  const text = Buffer.from(beginning).toString('latin1');
  return PICTURES.find(([, start, at = 0, then = '']) => text.startsWith(start) && text.startsWith(then, at))?.[0] ?? null;
}
