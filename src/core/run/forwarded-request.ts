// The parts of a received request that are passed on to another receiver: the rest of its path, its query and its headers.

import { isSecretHeader } from '../secrets/caller-secrets.ts';
import { quotePlus } from '../values/percent-encoding.ts';
import type { RequestHead } from './request.ts';

/** Belong to one connection or one recipient (RFC 9110, 7.6.1), or describe bytes that were decoded on arrival. */
const OF_CONNECTION = new Set(
  'connection content-encoding content-length expect host http2-settings keep-alive te trailer transfer-encoding upgrade'.split(' '),
);
/** Those that HTTP clients, browsers and proxies add. The key of the delivery takes the place of the sender's key. */
const OF_CLIENT = new Set(
  (
    'accept cache-control cdn-loop dnt forwarded from idempotency-key if-match if-modified-since if-none-match if-range ' +
    'if-unmodified-since last-event-id origin pragma prefer priority range referer true-client-ip upgrade-insecure-requests ' +
    'user-agent via x-amzn-trace-id x-client-ip x-cloud-trace-context x-real-ip'
  ).split(' '),
);
const OF_CLIENT_PREFIX = /^(?:accept-|cf-(?:connecting-ip|ipcountry|ray|visitor|worker)|sec-|x-envoy-|x-forwarded-|x-original-)/;

/** Whether the header may be passed on if somebody asks for it. `name` is in lower case. */
export function mayForward(name: string): boolean {
  return !OF_CONNECTION.has(name) && !name.startsWith('proxy-') && !isSecretHeader(name);
}

/** Headers to pass on: those of `names`, in any case; null for all that the sender itself wrote. */
export function forwardedHeaders(headers: RequestHead['headers'], names: readonly string[] | null): [name: string, value: string][] {
  const wanted = names === null ? null : new Set(names.map((name) => name.toLowerCase()));
  const isWanted = (name: string): boolean => wanted?.has(name) ?? !(OF_CLIENT.has(name) || OF_CLIENT_PREFIX.test(name));
  return Object.entries(headers).filter(([name]) => mayForward(name) && isWanted(name));
}

/** The stored query as text. Its parameters are decoded values, so the spelling of escapes may differ from the sender's. */
export function forwardedQuery(query: RequestHead['query']): string {
  return Object.entries(query)
    .flatMap(([name, value]) => [value].flat().map((item) => `${escapeQuery(name)}=${escapeQuery(item)}`))
    .join('&');
}

/** Every decoder of queries reads %20 as a space, but not every one reads + so. */
function escapeQuery(text: string): string {
  return quotePlus(text).replaceAll('+', '%20');
}

/**
 * The part of the path that the sink's wildcard matched, percent-encoded as it came, without a slash at its start. Null for
 * a sink without one. A path was accepted only without `.` and `..` as segments.
 */
export function wildcardRest({ path, params }: Pick<RequestHead, 'path' | 'params'>): string | null {
  const matched = params['*'];
  if (matched === undefined) return null;
  if (matched === '') return '';
  const endsInSlash = path.endsWith('/') && !matched.endsWith('/');
  const rest = path.split('/').slice(-matched.split('/').length - (endsInSlash ? 1 : 0));
  return rest.join('/').replace(BEYOND_ASCII, escapeByte);
}

/** Node reads a request line as Latin-1: each character is a byte. */
const BEYOND_ASCII = /[^\x21-\x7e]/g;
const escapeByte = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;

/** Inserts the rest of a path before the URL's query. */
export function appendPath(url: string, rest: string): string {
  if (rest === '') return url;
  const end = url.search(/[?#]/);
  const address = end === -1 ? url : url.slice(0, end);
  return `${address.replace(/\/$/, '')}/${rest}${end === -1 ? '' : url.slice(end)}`;
}
