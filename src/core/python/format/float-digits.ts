// The decimal digits of a float, rounded half to even on its exact value, as Python's formatting has them: JavaScript's
// toFixed and toExponential round a half up, and stop at 100 digits.

import { divideHalfEven, exactFraction } from '../rounding.ts';

/** `size` is finite and not negative, here and below: `2.5` with no digits is `2`. */
export function fixedText(size: number, digits: number): string {
  const units = String(scaled(size, digits)).padStart(digits + 1, '0');
  return digits === 0 ? units : `${units.slice(0, -digits)}.${units.slice(-digits)}`;
}

export interface Scientific {
  /** The first is not zero, save for zero itself. */
  digits: string;
  /** Of ten, to the first digit. */
  exponent: number;
}

/** The number by so many digits, one or more. */
export function scientific(size: number, count: number): Scientific {
  if (size === 0) return { digits: '0'.repeat(count), exponent: 0 };
  // Below a power of ten the shortest text may be that power.
  const guess = shortest(size).exponent;
  const exponent = isBelowPower(size, guess) ? guess - 1 : guess;
  const digits = String(scaled(size, count - 1 - exponent));
  return digits.length > count ? { digits: digits.slice(0, count), exponent: exponent + 1 } : { digits, exponent };
}

function isBelowPower(size: number, exponent: number): boolean {
  const { numerator, denominator } = exactFraction(size);
  return exponent >= 0 ? numerator < 10n ** BigInt(exponent) * denominator : numerator * 10n ** BigInt(-exponent) < denominator;
}

/** The fewest digits that read back as the same number. */
export function shortest(size: number): Scientific {
  const [mantissa, exponent] = size.toExponential().split('e') as [string, string];
  return { digits: mantissa.replace('.', ''), exponent: Number(exponent) };
}

export interface PlaceOptions {
  /** An exponent is written where the point would stand further right than this, or four places left. */
  rightmostPoint: number;
  keepsPoint: boolean;
  /** `5.0` in place of `5`, where there is no exponent. */
  addsDotZero: boolean;
}

/** The digits with their point, or with an exponent where the point would be far from them. */
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

/** The whole number nearest to `size * 10^digits`. */
function scaled(size: number, digits: number): bigint {
  const { numerator, denominator } = exactFraction(size);
  return digits >= 0
    ? divideHalfEven(numerator * 10n ** BigInt(digits), denominator)
    : divideHalfEven(numerator, denominator * 10n ** BigInt(-digits));
}
