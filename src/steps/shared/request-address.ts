// Checks the address that a step sends to: a URL of HTTP, or a secret that holds one.

import { beginsWithPlaceholder } from '../../core/secrets/placeholder.ts';
import { parseUrl } from '../../parse-url.ts';

/** Null for an address. The fault does not repeat the URL: its query may contain a secret. */
export function urlFault(url: unknown): string | null {
  const isAddress = typeof url === 'string' && (beginsWithPlaceholder(url) || (/^https?:\/\//i.test(url) && parseUrl(url) !== null));
  return isAddress ? null : 'url must be a URL, such as "https://example.org/hook?item=1", or a selector of one';
}
