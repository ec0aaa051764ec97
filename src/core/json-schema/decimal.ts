// Numbers of JSON compared by their digits: a JavaScript number would round those with more than 17.

import { ExactNumber } from '../json/json.ts';

export type JsonNumber = number | ExactNumber;

/** `digits` × 10^`exponent`, without zeros at either end of the digits; zero has none. */
interface Decimal {
  isNegative: boolean;
  digits: string;
  exponent: number;
}

export function isNumber(value: unknown): value is JsonNumber {
  return typeof value === 'number' || value instanceof ExactNumber;
}

/** `1.0` and `1e3` are integers. */
export function isInteger(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value);
  return value instanceof ExactNumber && decimalOf(value).exponent >= 0;
}

/** Below zero if `a` is less than `b`. */
export function compareNumbers(a: JsonNumber, b: JsonNumber): number {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0;
  return compare(decimalOf(a), decimalOf(b));
}

/** Integers of so many digits are most numbers, and are written as they are. */
const SHORT_DIGITS = 15;

/** The same text for equal numbers. */
export function canonicalNumber(value: JsonNumber): string {
  if (typeof value === 'number' && Math.abs(value) < 10 ** SHORT_DIGITS && Number.isInteger(value)) return String(value);
  const { isNegative, digits, exponent } = decimalOf(value);
  const isShort = exponent >= 0 && digits.length + exponent <= SHORT_DIGITS;
  if (isShort) return `${isNegative ? '-' : ''}${digits === '' ? '0' : digits}${'0'.repeat(exponent)}`;
  return `${isNegative ? '-' : ''}${digits}e${exponent}`;
}

export function isMultiple(value: JsonNumber, of: number): boolean {
  const { digits, exponent } = decimalOf(value);
  if (digits === '') return true;
  const divisor = decimalOf(of);
  const shift = exponent - divisor.exponent;
  // The value has digits below those of the divisor.
  if (shift < 0) return false;
  const modulus = BigInt(divisor.digits);
  return (remainder(digits, modulus) * power(10n, BigInt(shift), modulus)) % modulus === 0n;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** Larger exponents are all alike. */
const MAX_EXPONENT = 1e15;

function decimalOf(value: JsonNumber): Decimal {
  const [, sign, whole = '', fraction = '', written = '0'] = NUMBER.exec(String(value)) ?? [];
  const all = `${whole}${fraction}`;
  let from = 0;
  let to = all.length;
  while (from < to && all[from] === '0') from += 1;
  while (to > from && all[to - 1] === '0') to -= 1;
  if (from === to) return { isNegative: false, digits: '', exponent: 0 };
  const exponent = Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, Number(written)));
  return { isNegative: sign === '-', digits: all.slice(from, to), exponent: exponent - fraction.length + (all.length - to) };
}

function compare(a: Decimal, b: Decimal): number {
  if (a.digits === '' || b.digits === '') return signOf(a) - signOf(b);
  if (a.isNegative !== b.isNegative) return a.isNegative ? -1 : 1;
  const size = compareSizes(a, b);
  return a.isNegative ? -size : size;
}

function signOf({ isNegative, digits }: Decimal): number {
  return digits === '' ? 0 : isNegative ? -1 : 1;
}

function compareSizes(a: Decimal, b: Decimal): number {
  const bySize = a.digits.length + a.exponent - (b.digits.length + b.exponent);
  if (bySize !== 0) return bySize;
  return a.digits === b.digits ? 0 : a.digits < b.digits ? -1 : 1;
}

const DIGITS_AT_A_TIME = 300;

/** In pieces: a BigInt of all digits takes time that grows with their square. */
function remainder(digits: string, modulus: bigint): bigint {
  let rest = 0n;
  for (let at = 0; at < digits.length; at += DIGITS_AT_A_TIME) {
    const piece = digits.slice(at, at + DIGITS_AT_A_TIME);
    rest = (rest * 10n ** BigInt(piece.length) + BigInt(piece)) % modulus;
  }
  return rest;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n % modulus;
  let factor = base % modulus;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * factor) % modulus;
    factor = (factor * factor) % modulus;
  }
  return result;
}
