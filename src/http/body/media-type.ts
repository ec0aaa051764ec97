// Parses a Content-Type header once, so that all later decisions agree.

import { AppError } from '../../errors.ts';

export interface MediaType {
  /** Lower case, without parameters. */
  type: string;
  /** Lower case, with `utf8` spelled `utf-8`; null without a charset. */
  charset: string | null;
}

const MEDIA_TYPE = /^([a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+)\s*(?:;|$)/;
const CHARSET = /;\s*charset\s*=\s*"?([a-z0-9_.:-]+)"?/;

/** Null without a header or with an empty one. For a malformed one, throws `unsupported_media` if the type matters, else null. */
export function readMediaType(header: string | undefined, doesMatter = true): MediaType | null {
  if (header === undefined) return null;
  const text = header.trim().toLowerCase();
  const type = MEDIA_TYPE.exec(text)?.[1];
  if (type === undefined) {
    if (text === '' || !doesMatter) return null;
    throw new AppError('unsupported_media', 'the Content-Type header is malformed; write a media type, such as application/json');
  }
  const charset = CHARSET.exec(text)?.[1] ?? null;
  return { type, charset: charset === 'utf8' ? 'utf-8' : charset };
}

/** Includes JSON types without `+json`: of the WHATWG MIME Sniffing Standard, of CSP reports, of AWS, and old ones. */
const JSON_TYPE = /^(?:application\/(?:json|x-json|csp-report|x-amz-json-1\.[01])|text\/(?:json|x-json)|.+\+json)$/;

export function bodyKindOf({ type }: MediaType): 'json' | 'form' | 'multipart' | 'text' | 'file' {
  if (type === 'application/json' || JSON_TYPE.test(type)) return 'json';
  if (type === 'application/x-www-form-urlencoded') return 'form';
  if (type === 'multipart/form-data') return 'multipart';
  return type.startsWith('text/') ? 'text' : 'file';
}

const JSON_LINES = /^(?:application|text)\/(?:x-)?(?:ndjson|jsonl|jsonlines|json-lines)$/;

export function isJsonLines({ type }: MediaType): boolean {
  return JSON_LINES.test(type);
}
