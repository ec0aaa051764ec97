// Where triggers come in: what stands before an app in the URL, and which URLs are none of the server's own.

import { isReservedSegment } from '../../core/app.ts';

/** The last stands for the short form, `/{app_id}{path}`. */
export const TRIGGER_PREFIXES = ['/sink/trigger/http', '/api/v1/sink/trigger/http', ''] as const;

/** A proxy may name the server too (RFC 9112, 3.2.2); who the request is for is told by its path alone. */
const ORIGIN = /^https?:\/\/[^/?#]*/i;

/** `path` begins with the app's segment. */
export function splitUrl(rawUrl: string, prefix: string): [path: string, query: string] {
  const url = rawUrl.startsWith('/') ? rawUrl : rawUrl.replace(ORIGIN, '');
  const mark = url.indexOf('?');
  return mark === -1 ? [url.slice(prefix.length), ''] : [url.slice(prefix.length, mark), url.slice(mark + 1)];
}

/** The path, from the app on, of a URL that no route was found for; null where it lies among the server's own routes. */
export function triggerPathOf(rawUrl: string): string | null {
  const [path] = splitUrl(rawUrl, '');
  for (const prefix of TRIGGER_PREFIXES) if (prefix !== '' && path.startsWith(`${prefix}/`)) return path.slice(prefix.length);
  return isReservedSegment(path.split('/')[1] ?? '') ? null : path;
}
