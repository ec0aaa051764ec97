// What pydantic takes for an int, a float and a bool beside values that are one ("lax mode"), as Roboflow reads every
// manifest, its operations and what selectors give: `"3"`, `3.0` and `true` are ints, `"yes"` and 1 are true.

import { isEqual } from '../python/equality.ts';
import { readNumber } from '../python/number.ts';
import { parseFloatText } from '../python/parse-float.ts';

/** Null for what is no integer: a fraction, and text that is not digits with a sign, single `_` among them and `.0` at the end. */
export function coerceInteger(given: unknown): bigint | null {
  const number = readNumber(given);
  if (typeof number === 'bigint') return number;
  if (number !== null) return Number.isInteger(number) ? BigInt(number) : null;
  const match = typeof given === 'string' && given.length <= MOST_DIGITS ? INTEGER_TEXT.exec(given) : null;
  return match === null ? null : BigInt((match[1] as string).replace(/[_+]/g, ''));
}

/** Python reads no longer int out of a text. */
const MOST_DIGITS = 4300;
const INTEGER_TEXT = /^\s*([+-]?\d+(?:_\d+)*)(?:\.0+)?\s*$/;

/** Null for what is no number; `inf` and `nan` are some. Digits are those of ASCII alone. */
export function coerceFloat(given: unknown): number | null {
  const number = readNumber(given);
  if (number !== null) return Number(number);
  return typeof given === 'string' && !BEYOND_ASCII.test(given.trim()) ? parseFloatText(given) : null;
}

const BEYOND_ASCII = /[^\0-\x7f]/;

/** Null for what is neither true nor false. Text has no space around it. */
export function coerceBoolean(given: unknown): boolean | null {
  const plain = typeof given === 'string' ? given.toLowerCase() : given;
  if (TRUE.some((item) => isEqual(item, plain))) return true;
  return FALSE.some((item) => isEqual(item, plain)) ? false : null;
}

const TRUE = [1, '1', 'true', 't', 'yes', 'y', 'on'];
const FALSE = [0, '0', 'false', 'f', 'no', 'n', 'off'];

/** The schema keyword `coerces`: a value that can be read as this, and is within the bounds then. */
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
