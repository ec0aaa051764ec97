// Coercion to int, float and bool as in pydantic's lax mode, which Roboflow applies to manifests, operations and selected
// values: `"3"`, `3.0` and `true` are ints, `"yes"` and 1 are true.

import { isEqual } from '../python/equality.ts';
import { readNumber } from '../python/number.ts';
import { parseFloatText } from '../python/parse-float.ts';

/** Null for a non-integer. Text may have a sign, single `_` between digits, and `.0` at the end. */
export function coerceInteger(given: unknown): bigint | null {
  const number = readNumber(given);
  if (typeof number === 'bigint') return number;
  if (number !== null) return Number.isInteger(number) ? BigInt(number) : null;
  const match = typeof given === 'string' && given.length <= MOST_DIGITS ? INTEGER_TEXT.exec(given) : null;
  return match === null ? null : BigInt((match[1] as string).replace(/[_+]/g, ''));
}

/** Python's limit for parsing an int. */
const MOST_DIGITS = 4300;
const INTEGER_TEXT = /^\s*([+-]?\d+(?:_\d+)*)(?:\.0+)?\s*$/;

/** Null for a non-number; `inf` and `nan` are numbers. Accepts ASCII digits only. */
export function coerceFloat(given: unknown): number | null {
  const number = readNumber(given);
  if (number !== null) return Number(number);
  return typeof given === 'string' && !BEYOND_ASCII.test(given.trim()) ? parseFloatText(given) : null;
}

const BEYOND_ASCII = /[^\0-\x7f]/;

/** Null for any other value. Does not trim text. */
export function coerceBoolean(given: unknown): boolean | null {
  const plain = typeof given === 'string' ? given.toLowerCase() : given;
  if (TRUE.some((item) => isEqual(item, plain))) return true;
  return FALSE.some((item) => isEqual(item, plain)) ? false : null;
}

const TRUE = [1, '1', 'true', 't', 'yes', 'y', 'on'];
const FALSE = [0, '0', 'false', 'f', 'no', 'n', 'off'];

/** The schema keyword `coerces`: a value that is coercible to `to` and then within the bounds. */
export interface CoercionRule {
  to: 'integer' | 'number' | 'boolean';
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
}

export function isCoercible({ to, minimum, exclusiveMinimum, maximum }: CoercionRule, given: unknown): boolean {
  if (to === 'boolean') return coerceBoolean(given) !== null;
  const number = to === 'integer' ? coerceInteger(given) : coerceFloat(given);
  if (number === null) return false;
  // NaN is beyond every bound.
  return (
    (minimum === undefined || number >= minimum) &&
    (exclusiveMinimum === undefined || number > exclusiveMinimum) &&
    (maximum === undefined || number <= maximum)
  );
}
