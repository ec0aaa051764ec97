// Python's `<`, `<=`, `>` and `>=`: numbers by value, text by code point, lists and tuples item by item. Other pairs raise
// a TypeError that names both types.

import type { Bytes } from '../values/bytes.ts';
import type { Timestamp } from '../values/timestamp.ts';
import { isEqual } from './equality.ts';
import { PythonError } from './error.ts';
import { kindOf, typeName } from './kind.ts';
import { readNumber } from './number.ts';

export type OrderSign = '<' | '<=' | '>' | '>=';

/** Whether `left sign right` holds. */
export function isOrdered(left: unknown, sign: OrderSign, right: unknown): boolean {
  const leftNumber = readNumber(left);
  const rightNumber = readNumber(right);
  if (leftNumber !== null && rightNumber !== null) return satisfies(leftNumber, sign, rightNumber);
  const kind = kindOf(left);
  if (kind === kindOf(right)) {
    if (kind === 'str') return satisfies(compareText(left as string, right as string), sign, 0);
    if (kind === 'list' || kind === 'tuple') return areListsOrdered(left as unknown[], sign, right as unknown[]);
    if (kind === 'bytes') return areListsOrdered(Array.from((left as Bytes).data), sign, Array.from((right as Bytes).data));
    if (kind === 'datetime') return areTimestampsOrdered(left as Timestamp, sign, right as Timestamp);
  }
  throw new PythonError('TypeError', `'${sign}' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`);
}

function satisfies(left: bigint | number, sign: OrderSign, right: bigint | number): boolean {
  switch (sign) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

/** Compares by code point. JavaScript's own order, by UTF-16 unit, puts U+1F600 before U+FF5E. */
export function compareText(left: string, right: string): number {
  const shorter = Math.min(left.length, right.length);
  for (let at = 0; at < shorter; at += 1) {
    const leftUnit = left.charCodeAt(at);
    const rightUnit = right.charCodeAt(at);
    if (leftUnit !== rightUnit) return codeOrder(leftUnit) - codeOrder(rightUnit);
  }
  return left.length - right.length;
}

/** Surrogates encode code points above all single units. */
function codeOrder(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** The first pair of different items decides; if there is none, the lengths decide. */
function areListsOrdered(left: readonly unknown[], sign: OrderSign, right: readonly unknown[]): boolean {
  const shorter = Math.min(left.length, right.length);
  for (let at = 0; at < shorter; at += 1) {
    if (!isEqual(left[at], right[at])) return isOrdered(left[at], sign, right[at]);
  }
  return satisfies(left.length, sign, right.length);
}

function areTimestampsOrdered(left: Timestamp, sign: OrderSign, right: Timestamp): boolean {
  if ((left.offsetSeconds === null) !== (right.offsetSeconds === null)) {
    throw new PythonError('TypeError', "can't compare offset-naive and offset-aware datetimes");
  }
  return satisfies(left.epochMicroseconds, sign, right.epochMicroseconds);
}

/** Stable in both directions. Compares only by `<`, so mixed types fail as in Python's `sorted`. */
export function sortedByValue<Item>(
  items: readonly Item[],
  rankOf: (item: Item) => unknown,
  direction: 'ascending' | 'descending' = 'ascending',
): Item[] {
  const sign = direction === 'ascending' ? 1 : -1;
  return [...items].sort((left, right) => {
    if (isOrdered(rankOf(left), '<', rankOf(right))) return -sign;
    return isOrdered(rankOf(right), '<', rankOf(left)) ? sign : 0;
  });
}
