// Reads a Content-Type header once, so that everything later decides by the same answer.

import type { BodyKind } from '../../core/request.ts';
import { AppError } from '../../errors.ts';

export interface MediaType {
  /** Lower case, without parameters. */
  type: string;
  /** Lower case, as the header names it, with `utf-8` for its other spelling; null where it names none. */
  charset: string | null;
}

const MEDIA_TYPE = /^([a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+)\s*(?:;|$)/;
const CHARSET = /;\s*charset\s*=\s*"?([a-z0-9_.:-]+)"?/;

/** Throws `unsupported_media` when the header is no media type. */
export function readMediaType(header: string | undefined): MediaType | null {
  if (header === undefined) return null;
  const text = header.trim().toLowerCase();
  const type = MEDIA_TYPE.exec(text)?.[1];
  if (type === undefined)
    throw new AppError('unsupported_media', 'the Content-Type header is malformed; write a media type, as application/json');
  const charset = CHARSET.exec(text)?.[1] ?? null;
  return { type, charset: charset === 'utf8' ? 'utf-8' : charset };
}

export function bodyKindOf({ type }: MediaType): Exclude<BodyKind, 'empty'> {
  if (type === 'application/json' || type.endsWith('+json')) return 'json';
  if (type === 'application/x-www-form-urlencoded') return 'form';
  if (type === 'multipart/form-data') return 'multipart';
  return type.startsWith('text/') ? 'text' : 'file';
}
