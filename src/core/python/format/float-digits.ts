// The decimal digits of a float as Python formats them: rounded half to even on the exact value. JavaScript's toFixed and
// toExponential round a half up and stop at 100 digits.

import { divideHalfEven, exactFraction } from '../rounding.ts';

/** `2.5` with 0 digits is `2`. In this file, `size` is finite and not negative. */
export function fixedText(size: number, digits: number): string {
  const units = String(scaled(size, digits)).padStart(digits + 1, '0');
  return digits === 0 ? units : `${units.slice(0, -digits)}.${units.slice(-digits)}`;
}

export interface Scientific {
  /** The first digit is zero only for the number zero. */
  digits: string;
  /** The power of ten of the first digit. */
  exponent: number;
}

/** Rounds to `count` digits, at least 1. */
export function scientific(size: number, count: number): Scientific {
  if (size === 0) return { digits: '0'.repeat(count), exponent: 0 };
  // The shortest text of a number just below a power of ten may be that power.
  const guess = shortest(size).exponent;
  const exponent = isBelowPower(size, guess) ? guess - 1 : guess;
  const digits = String(scaled(size, count - 1 - exponent));
  return digits.length > count ? { digits: digits.slice(0, count), exponent: exponent + 1 } : { digits, exponent };
}

function isBelowPower(size: number, exponent: number): boolean {
  const { numerator, denominator } = exactFraction(size);
  return exponent >= 0 ? numerator < 10n ** BigInt(exponent) * denominator : numerator * 10n ** BigInt(-exponent) < denominator;
}

/** The fewest digits that parse to the same number. */
export function shortest(size: number): Scientific {
  const [mantissa, exponent] = size.toExponential().split('e') as [string, string];
  return { digits: mantissa.replace('.', ''), exponent: Number(exponent) };
}

export interface PlaceOptions {
  /** An exponent is used if the point would stand right of this place, or if four or more zeros would follow it. */
  rightmostPoint: number;
  keepsPoint: boolean;
  /** Writes `5.0` instead of `5` if there is no exponent. */
  addsDotZero: boolean;
}

/** Writes the digits with a point, or with an exponent if the point would be far from them. */
export function placePoint({ digits, exponent }: Scientific, { rightmostPoint, keepsPoint, addsDotZero }: PlaceOptions): string {
  const point = exponent + 1;
  if (point <= -4 || point > rightmostPoint) return exponentText({ digits, exponent }, keepsPoint);
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const at = Math.max(point, 1);
  const fraction = padded.slice(at) || (addsDotZero ? '0' : '');
  return padded.slice(0, at) + (fraction === '' && !keepsPoint ? '' : `.${fraction}`);
}

export function exponentText({ digits, exponent }: Scientific, keepsPoint: boolean): string {
  const fraction = digits.slice(1);
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${digits.charAt(0)}${fraction === '' && !keepsPoint ? '' : `.${fraction}`}e${exponent < 0 ? '-' : '+'}${size}`;
}

/** `size * 10^digits`, rounded half to even. */
function scaled(size: number, digits: number): bigint {
  const { numerator, denominator } = exactFraction(size);
  return digits >= 0
    ? divideHalfEven(numerator * 10n ** BigInt(digits), denominator)
    : divideHalfEven(numerator, denominator * 10n ** BigInt(-digits));
}
