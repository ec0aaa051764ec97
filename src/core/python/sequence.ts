// Python's `len()`, `for … in`, `in` and `[…]`. The items of text are code points, those of a dict its keys.

import { Bytes } from '../values/bytes.ts';
import { isEqual } from './equality.ts';
import { PythonError } from './error.ts';
import { isDict, kindOf, typeName } from './kind.ts';
import { readNumber } from './number.ts';
import { reprOf } from './text.ts';
import { Tuple } from './tuple.ts';

/** `len(value)`. */
export function lengthOf(value: unknown): number {
  const items = itemsOrNull(value);
  if (items === null) throw new PythonError('TypeError', `object of type '${typeName(value)}' has no len()`);
  return items.length;
}

/** The items of `for item in value`. */
export function itemsOf(value: unknown): readonly unknown[] {
  const items = itemsOrNull(value);
  if (items === null) throw new PythonError('TypeError', `'${typeName(value)}' object is not iterable`);
  return items;
}

function itemsOrNull(value: unknown): readonly unknown[] | null {
  if (typeof value === 'string') return Array.from(value);
  if (Array.isArray(value)) return value;
  if (value instanceof Bytes) return Array.from(value.data);
  return isDict(value) ? Object.keys(value) : null;
}

/** `item in container`. */
export function isIn(item: unknown, container: unknown): boolean {
  if (typeof container === 'string') {
    if (typeof item === 'string') return container.includes(item);
    throw new PythonError('TypeError', `'in <string>' requires string as left operand, not ${typeName(item)}`);
  }
  if (isDict(container)) return hasKey(container, item);
  const items = itemsOrNull(container);
  if (items === null) throw new PythonError('TypeError', `argument of type '${typeName(container)}' is not iterable`);
  return items.some((other) => isEqual(item, other));
}

/** JSON has only text keys. Throws Python's TypeError for a value that cannot be a key. */
export function hasKey(dict: Record<string, unknown>, key: unknown): boolean {
  refuseUnhashable(key);
  return typeof key === 'string' && Object.hasOwn(dict, key);
}

function refuseUnhashable(value: unknown): void {
  const kind = kindOf(value);
  if (kind === 'tuple') for (const item of value as Tuple) refuseUnhashable(item);
  if (kind === 'list' || kind === 'dict') throw new PythonError('TypeError', `unhashable type: '${kind}'`);
}

/** `value[key]`, with a key or a position; a negative position counts from the end. */
export function itemAt(value: unknown, key: string | number): unknown {
  if (isDict(value)) {
    if (typeof key === 'string' && Object.hasOwn(value, key)) return value[key];
    throw new PythonError('KeyError', reprOf(key));
  }
  const items = itemsOrNull(value);
  if (items === null) throw new PythonError('TypeError', `'${typeName(value)}' object is not subscriptable`);
  if (typeof key === 'string') throw new PythonError('TypeError', wrongIndexText(value));
  const position = key < 0 ? items.length + key : key;
  if (position in items) return items[position];
  throw new PythonError('IndexError', `${typeof value === 'string' ? 'string' : typeName(value)} index out of range`);
}

function wrongIndexText(value: unknown): string {
  return typeof value === 'string'
    ? "string indices must be integers, not 'str'"
    : `${typeName(value)} indices must be integers or slices, not str`;
}

/** A text that is equal exactly for values that are the same dict key, such as `1`, `1.0` and `True`. */
export function hashOf(value: unknown): string {
  refuseUnhashable(value);
  if (value instanceof Tuple) return `tuple ${JSON.stringify(value.map(hashOf))}`;
  const number = readNumber(value);
  if (number === null) return `${kindOf(value)} ${reprOf(value)}`;
  return `number ${Number.isInteger(number) ? BigInt(number) : number}`;
}
