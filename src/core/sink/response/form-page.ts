// The pages to which a form may lead its visitor: which addresses are allowed, and how a value is added to one.

import { parseUrl } from '../../../parse-url.ts';

/** What a browser would strip or read as a slash, so that another host follows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const MISREAD = /[\u0000-\u0020\u007f\\]/;
const ENCODED_SLASH = /%(?:2f|5c)/i;
const MAX_LENGTH = 2048;
/** Stands for the server's own host, to resolve paths. */
const OWN_HOST = 'http://own.invalid';

/** Null for an entry of `pages`: the URL of a page, or of a folder, which ends in `/`. */
export function allowedPageFault(entry: string): string | null {
  const url = readUrl(entry);
  if (url === null || url.search !== '' || url.hash !== '' || /[?#]/.test(entry))
    return 'must be an http(s) URL without user, query and fragment; with a "/" at its end it allows all pages below it';
  return ENCODED_SLASH.test(url.pathname) ? 'must not contain an encoded slash' : null;
}

/** Returns the address to redirect to, normalised. Null when it is neither a path nor allowed by `pages`. */
export function allowedPage(text: string, pages: readonly string[]): string | null {
  if (text.length > MAX_LENGTH) return null;
  if (text.startsWith('/')) return ownPath(text);
  const url = readUrl(text);
  return url !== null && pages.some((page) => isWithin(url, new URL(page))) ? url.href : null;
}

function ownPath(text: string): string | null {
  if (MISREAD.test(text) || parseUrl(text, OWN_HOST) === null) return null;
  const { origin, pathname, search, hash } = new URL(text, OWN_HOST);
  // "/.//host" is a path, but "//host", to which it is normalised, names a host.
  return origin === OWN_HOST && !pathname.startsWith('//') ? pathname + search + hash : null;
}

function readUrl(text: string): URL | null {
  if (MISREAD.test(text) || !/^https?:\/\/[^/]/i.test(text) || parseUrl(text) === null) return null;
  const url = new URL(text);
  return url.username === '' && url.password === '' && !/^[^/]*\/\/[^/?#]*@/.test(text) ? url : null;
}

function isWithin(url: URL, page: URL): boolean {
  if (url.origin !== page.origin || ENCODED_SLASH.test(url.pathname)) return false;
  return page.pathname.endsWith('/') ? url.pathname.startsWith(page.pathname) : url.pathname === page.pathname;
}

/** `value` needs no escape. */
export function withParameter(location: string, name: string, value: string): string {
  const mark = location.indexOf('#');
  const [page, fragment] = mark === -1 ? [location, ''] : [location.slice(0, mark), location.slice(mark)];
  const separator = page.includes('?') ? (/[?&]$/.test(page) ? '' : '&') : '?';
  return `${page}${separator}${name}=${value}${fragment}`;
}
