// Python's `round(number, digits)`: half to even on the exact value, so 2.675, which is slightly less in binary, becomes
// 2.67. Negative digits round before the point: `round(25, -1)` is 20.

import { PythonError } from './error.ts';
import type { PythonNumber } from './number.ts';

export function roundTo(number: PythonNumber, digits: number): PythonNumber {
  return typeof number === 'bigint' ? roundInteger(number, digits) : roundFloat(number, digits);
}

function roundInteger(number: bigint, digits: number): bigint {
  if (digits >= 0) return number;
  // Rounding above the first digit leaves 0; this avoids computing a huge power of ten.
  if (-digits > String(number).length) return 0n;
  const unit = 10n ** BigInt(-digits);
  return divideHalfEven(number, unit) * unit;
}

/** No double has digits outside of this range. */
const MAX_DIGITS = 1100;
const MIN_DIGITS = -310;

function roundFloat(number: number, digits: number): number {
  if (!Number.isFinite(number) || number === 0 || digits > MAX_DIGITS) return number;
  if (digits < MIN_DIGITS) return Math.sign(number) * 0;
  const { numerator, denominator } = exactFraction(Math.abs(number));
  const units =
    digits >= 0
      ? divideHalfEven(numerator * 10n ** BigInt(digits), denominator)
      : divideHalfEven(numerator, denominator * 10n ** BigInt(-digits));
  // Parsing decimal text rounds exactly once.
  const rounded = Number(`${units}e${-digits}`);
  if (!Number.isFinite(rounded)) throw new PythonError('OverflowError', 'rounded value too large to represent');
  return Math.sign(number) * rounded;
}

/** The exact value as a fraction: a double is an integer times a power of two. */
export function exactFraction(number: number): { numerator: bigint; denominator: bigint } {
  let significand = number;
  let halvings = 0;
  while (!Number.isInteger(significand)) {
    significand *= 2;
    halvings += 1;
  }
  return { numerator: BigInt(significand), denominator: 1n << BigInt(halvings) };
}

/** The integer nearest to the quotient; the even one if two are equally near. */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const isNegative = numerator < 0n;
  const size = isNegative ? -numerator : numerator;
  const quotient = size / denominator;
  const twiceRest = 2n * (size % denominator);
  const isUp = twiceRest > denominator || (twiceRest === denominator && quotient % 2n === 1n);
  const rounded = isUp ? quotient + 1n : quotient;
  return isNegative ? -rounded : rounded;
}
