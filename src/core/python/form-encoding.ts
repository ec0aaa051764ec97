// Encodes names and values as Python's `requests` does, for a query or for a body of application/x-www-form-urlencoded.

import { Bytes } from '../values/bytes.ts';
import { quotePlus } from '../values/percent-encoding.ts';
import { itemsOf } from './sequence.ts';
import { strOf } from './text.ts';

/**
 * A list repeats its name; an object counts as the list of its keys. Null and empty lists are left out. Other values are
 * written as Python's `str()`, so `true` becomes `True`.
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

/** The values of one name: the items of a list, the keys of an object, or the value itself; nulls are left out. */
export function scalarsOf(value: unknown): readonly unknown[] {
  return (isIterable(value) ? itemsOf(value) : [value]).filter((item) => item !== null && item !== undefined);
}

/** Text and bytes count as one value, although Python can iterate over them. */
function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype);
}

function quoted(value: unknown): string {
  return quotePlus(value instanceof Bytes ? value.data : strOf(value));
}
