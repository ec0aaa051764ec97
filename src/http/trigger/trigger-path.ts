// Parses trigger URLs: the prefixes before the app's segment, and which URLs belong to the server itself.

import { isReservedSegment } from '../../core/app.ts';

/** The empty prefix is the short form, `/{app_id}{path}`. */
export const TRIGGER_PREFIXES = ['/sink/trigger/http', '/api/v1/sink/trigger/http', ''] as const;

/** A proxy may send the absolute form (RFC 9112, 3.2.2). Only the path is used for routing. */
const ORIGIN = /^https?:\/\/[^/?#]*/i;

/** The returned path begins with the app's segment. */
export function splitUrl(rawUrl: string, prefix: string): [path: string, query: string] {
  const url = rawUrl.startsWith('/') ? rawUrl : rawUrl.replace(ORIGIN, '');
  const mark = url.indexOf('?');
  return mark === -1 ? [url.slice(prefix.length), ''] : [url.slice(prefix.length, mark), url.slice(mark + 1)];
}

/** Returns the path from the app's segment on, for a URL without a route. Null for one of the server's own paths. */
export function triggerPathOf(rawUrl: string): string | null {
  const [path] = splitUrl(rawUrl, '');
  for (const prefix of TRIGGER_PREFIXES) if (prefix !== '' && path.startsWith(`${prefix}/`)) return path.slice(prefix.length);
  return isReservedSegment(path.split('/')[1] ?? '') ? null : path;
}
