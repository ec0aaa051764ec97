// Percent-encodes query text, and appends queries to URLs.

/** Appends the query to the URL's own query, and removes the fragment, which is never sent. */
export function addQuery(url: string, query: string): string {
  const withoutFragment = url.split('#', 1)[0] as string;
  if (query === '') return withoutFragment;
  const separator = !withoutFragment.includes('?') ? '?' : withoutFragment.endsWith('?') ? '' : '&';
  return `${withoutFragment}${separator}${query}`;
}

const UTF8 = new TextEncoder();

/** `urllib.parse.quote_plus`: all but letters, digits and `_.-~` as percent-encoded UTF-8, spaces as `+`. */
export function quotePlus(value: string | Uint8Array): string {
  const bytes = typeof value === 'string' ? UTF8.encode(value) : value;
  let text = '';
  for (const byte of bytes) text += BYTE_TEXTS[byte];
  return text;
}

const BYTE_TEXTS: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (character === ' ') return '+';
  return /[A-Za-z0-9_.~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});
