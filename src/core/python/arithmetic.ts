// Python's `+`, `*`, `/`, `int()` and `float()` on numbers. Ints are exact at any size; an int that does not fit into a
// float raises Python's OverflowError.

import { PythonError } from './error.ts';
import type { PythonNumber } from './number.ts';

/** `float(number)`. */
export function toFloat(number: PythonNumber): number {
  const float = Number(number);
  if (typeof number === 'bigint' && !Number.isFinite(float)) throw new PythonError('OverflowError', 'int too large to convert to float');
  return float;
}

/** `int(number)`, which truncates towards zero. */
export function toInteger(number: PythonNumber): bigint {
  if (typeof number === 'bigint') return number;
  if (Number.isNaN(number)) throw new PythonError('ValueError', 'cannot convert float NaN to integer');
  if (!Number.isFinite(number)) throw new PythonError('OverflowError', 'cannot convert float infinity to integer');
  return BigInt(Math.trunc(number));
}

export function addNumbers(left: PythonNumber, right: PythonNumber): PythonNumber {
  return typeof left === 'bigint' && typeof right === 'bigint' ? left + right : toFloat(left) + toFloat(right);
}

export function multiplyNumbers(left: PythonNumber, right: PythonNumber): PythonNumber {
  return typeof left === 'bigint' && typeof right === 'bigint' ? left * right : toFloat(left) * toFloat(right);
}

/** `left / right`, which is always a float. */
export function divideNumbers(left: PythonNumber, right: PythonNumber): number {
  if (Number(right) === 0) {
    const areIntegers = typeof left === 'bigint' && typeof right === 'bigint';
    throw new PythonError('ZeroDivisionError', areIntegers ? 'division by zero' : 'float division by zero');
  }
  if (typeof left === 'bigint' && typeof right === 'bigint') return divideIntegers(left, right);
  return toFloat(left) / toFloat(right);
}

/** Rounds only once, even for ints that no float represents exactly. */
function divideIntegers(left: bigint, right: bigint): number {
  if (isSafe(left) && isSafe(right)) return Number(left) / Number(right);
  const isNegative = left < 0n !== right < 0n;
  const numerator = left < 0n ? -left : left;
  const denominator = right < 0n ? -right : right;
  // A quotient with well over 53 bits, whose last bit is set if there is a remainder, rounds like the exact value.
  const shift = Math.max(0, 66 - (bitLength(numerator) - bitLength(denominator)));
  const scaled = numerator << BigInt(shift);
  const quotient = scaled / denominator;
  const sticky = scaled % denominator === 0n ? quotient : quotient | 1n;
  const result = Number(sticky) / 2 ** Math.min(shift, 1000) / 2 ** Math.max(0, shift - 1000);
  if (!Number.isFinite(result)) throw new PythonError('OverflowError', 'integer division result too large for a float');
  return isNegative ? -result : result;
}

function isSafe(number: bigint): boolean {
  return Number.isSafeInteger(Number(number));
}

function bitLength(number: bigint): number {
  return number.toString(16).length * 4;
}
