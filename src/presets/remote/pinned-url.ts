// URLs that a request names and that must be the provider's own. The URL must be written in normal form: other parsers could
// read another host from any other form.

import { parseUrl } from '../../parse-url.ts';

export interface Pin {
  host: RegExp;
  /** The whole path. */
  path: RegExp;
  allowsQuery: boolean;
}

/** True for an https URL without user, port or fragment whose host and path match. */
export function isPinned(text: string, { host, path, allowsQuery }: Pin): boolean {
  if (parseUrl(text) === null) return false;
  const url = new URL(text);
  return (
    url.href === text &&
    text === `https://${url.hostname}${url.pathname}${url.search}` &&
    host.test(url.hostname) &&
    path.test(url.pathname) &&
    (allowsQuery || url.search === '')
  );
}
