// Names and values as Python's requests writes them: into a query, and into a body of application/x-www-form-urlencoded.

import { Bytes } from '../values/bytes.ts';
import { quotePlus } from '../values/percent-encoding.ts';
import { itemsOf } from './sequence.ts';
import { strOf } from './text.ts';

/**
 * A list repeats its key, an object gives its keys, null and what is in an empty list are left out. Everything else is
 * Python's `str()` of it, so that `true` becomes `True`.
 */
export function encodePairs(values: Readonly<Record<string, unknown>>): string {
  const pairs: string[] = [];
  for (const [key, value] of Object.entries(values)) {
    for (const item of scalarsOf(value)) {
      const parts = isIterable(item) ? itemsOf(item) : [item];
      for (const part of parts) pairs.push(`${quotePlus(key)}=${quoted(part)}`);
    }
  }
  return pairs.join('&');
}

/** What one name stands for: the items of a list or the keys of an object, without nulls. */
export function scalarsOf(value: unknown): readonly unknown[] {
  return (isIterable(value) ? itemsOf(value) : [value]).filter((item) => item !== null && item !== undefined);
}

/** Text and bytes are one value, however many characters they have. */
function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype);
}

function quoted(value: unknown): string {
  return quotePlus(value instanceof Bytes ? value.data : strOf(value));
}
