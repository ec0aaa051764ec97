// Names and values as Python's requests writes them: into a query, and into a body of application/x-www-form-urlencoded.

import { Bytes } from './bytes.ts';
import { itemsOf } from './python/sequence.ts';
import { strOf } from './python/text.ts';

/**
 * A list repeats its key, an object gives its keys, null and what is in an empty list are left out. Everything else is
 * Python's `str()` of it, so that `true` becomes `True`.
 */
export function encodePairs(values: Readonly<Record<string, unknown>>): string {
  const pairs: string[] = [];
  for (const [key, value] of Object.entries(values)) {
    for (const item of scalarsOf(value)) {
      const parts = isIterable(item) ? itemsOf(item) : [item];
      for (const part of parts) pairs.push(`${quotePlus(key)}=${quotePlus(part)}`);
    }
  }
  return pairs.join('&');
}

/** What one name stands for: the items of a list or the keys of an object, without nulls. */
export function scalarsOf(value: unknown): readonly unknown[] {
  return (isIterable(value) ? itemsOf(value) : [value]).filter((item) => item !== null && item !== undefined);
}

/** The address with the query added to what query it has, and without its fragment, which is never sent. */
export function addQuery(url: string, query: string): string {
  const withoutFragment = url.split('#', 1)[0] as string;
  if (query === '') return withoutFragment;
  const separator = !withoutFragment.includes('?') ? '?' : /[?&]$/.test(withoutFragment) ? '' : '&';
  return `${withoutFragment}${separator}${query}`;
}

/** Text and bytes are one value, however many characters they have. */
function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype);
}

const UTF8 = new TextEncoder();

/** `urllib.parse.quote_plus`: all but letters, digits and `_.-~` as percent-encoded UTF-8, spaces as `+`. */
export function quotePlus(value: unknown): string {
  const bytes = value instanceof Bytes ? value.data : UTF8.encode(strOf(value));
  let text = '';
  for (const byte of bytes) text += BYTE_TEXTS[byte];
  return text;
}

const BYTE_TEXTS: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (character === ' ') return '+';
  return /[A-Za-z0-9_.~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});
