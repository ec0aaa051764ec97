// Recognises images in a workflow: a received file, Roboflow's `{"type":"base64","value":…}`, or base64 text. Any word
// could be base64, so text counts only if it begins as a data URL or like the first bytes of an image.

import { isDict } from '../python/kind.ts';
import type { FileHandle } from '../run/request.ts';

export type ImageSource =
  | { kind: 'file'; sha256: string }
  | { kind: 'base64'; text: string }
  /** Recognised but never fetched: the sender must send the bytes. */
  | { kind: 'url'; url: string };

/** Null if the value is not an image. */
export function readImageSource(value: unknown): ImageSource | null {
  if (typeof value === 'string') return looksLikeImage(value) ? { kind: 'base64', text: value } : null;
  if (!isDict(value)) return null;
  if (isFileHandle(value)) return { kind: 'file', sha256: value.sha256 };
  const { type, value: content } = value;
  if (typeof content !== 'string') return null;
  if (type === 'url') return { kind: 'url', url: content };
  return type === 'base64' ? { kind: 'base64', text: content } : null;
}

/** A text that is equal for equal images, in any form of the value. */
export function imageIdentity(source: ImageSource): string {
  switch (source.kind) {
    case 'file':
      return `file ${source.sha256}`;
    case 'base64':
      return `base64 ${source.text}`;
    case 'url':
      return `url ${source.url}`;
  }
}

function isFileHandle(value: Record<string, unknown>): value is Record<string, unknown> & FileHandle {
  return typeof value['sha256'] === 'string' && SHA256.test(value['sha256']) && typeof value['size'] === 'number';
}

const SHA256 = /^[0-9a-f]{64}$/;

/** A data URL, or the base64 of the first bytes of JPEG, PNG, GIF, WebP (RIFF), TIFF, AVIF or HEIC. */
const BEGINNING = /^(?:data:image\/[\w.+-]+;base64,|\/9j\/|iVBORw0KGgo|R0lGOD|UklGR|SUkqA|TU0AK|AAAA[A-Za-z0-9+/]{2}mdHlw)/;

function looksLikeImage(text: string): boolean {
  return BEGINNING.test(text);
}
