// Formats ints and floats by a format spec: first the digits, then sign, grouping and padding.

import { toFloat } from '../arithmetic.ts';
import { PythonError } from '../error.ts';
import type { PythonNumber } from '../number.ts';
import { exponentText, fixedText, placePoint, scientific, shortest } from './float-digits.ts';
import type { FormatSpec } from './format-spec.ts';
import { padText } from './pad-text.ts';

export function formatNumber(number: PythonNumber, spec: FormatSpec, typeName: string): string {
  if (typeof number === 'bigint' && INTEGER_TYPES.includes(spec.type)) return formatInteger(number, spec);
  if (spec.type !== '' && !FLOAT_TYPES.includes(spec.type)) {
    throw new PythonError('ValueError', `Unknown format code '${shownType(spec.type)}' for object of type '${typeName}'`);
  }
  return formatFloat(toFloat(number), spec);
}

const INTEGER_TYPES = 'bcdoxXn';
const FLOAT_TYPES = 'eEfFgGn%';

/** Python's messages write characters that are not printable ASCII as escapes. */
export function shownType(type: string): string {
  return type > ' ' && type < '\x7f' ? type : `\\x${(type.codePointAt(0) ?? 0).toString(16)}`;
}

const BASES: Readonly<Record<string, { radix: number; prefix: string }>> = {
  b: { radix: 2, prefix: '0b' },
  o: { radix: 8, prefix: '0o' },
  x: { radix: 16, prefix: '0x' },
  X: { radix: 16, prefix: '0X' },
};

function formatInteger(number: bigint, spec: FormatSpec): string {
  if (spec.precision !== null) throw new PythonError('ValueError', 'Precision not allowed in integer format specifier');
  if (spec.coercesNegativeZero) {
    throw new PythonError('ValueError', 'Negative zero coercion (z) not allowed in integer format specifier');
  }
  if (spec.type === 'c') return formatCharacter(number, spec);
  const { radix, prefix } = BASES[spec.type] ?? { radix: 10, prefix: '' };
  const digits = (number < 0n ? -number : number).toString(radix);
  return layOut(
    {
      isNegative: number < 0n,
      prefix: spec.isAlternate ? prefix : '',
      digits: spec.type === 'X' ? digits.toUpperCase() : digits,
      rest: '',
    },
    spec,
  );
}

function formatCharacter(number: bigint, spec: FormatSpec): string {
  if (spec.sign !== '') throw new PythonError('ValueError', "Sign not allowed with integer format specifier 'c'");
  if (spec.isAlternate) throw new PythonError('ValueError', "Alternate form (#) not allowed with integer format specifier 'c'");
  if (number < 0n || number > 0x10ffffn) throw new PythonError('OverflowError', '%c arg not in range(0x110000)');
  return layOut({ isNegative: false, prefix: '', digits: '', rest: String.fromCodePoint(Number(number)) }, spec);
}

function formatFloat(float: number, spec: FormatSpec): string {
  const number = spec.type === '%' ? float * 100 : float;
  const text = unsignedText(Math.abs(number), spec) + (spec.type === '%' ? '%' : '');
  const shown = 'EFG'.includes(spec.type || '-') ? text.toUpperCase() : text;
  const digits = /^\d*/.exec(shown)?.[0] ?? '';
  const isNegative = number < 0 || Object.is(number, -0);
  const losesSign = spec.coercesNegativeZero && !/[1-9]|inf/i.test(shown.split(/e/i)[0] ?? '');
  return layOut({ isNegative: isNegative && !losesSign, prefix: '', digits, rest: shown.slice(digits.length) }, spec);
}

const DEFAULT_PRECISION = 6;

function unsignedText(size: number, { type, precision, isAlternate: keepsPoint }: FormatSpec): string {
  if (!Number.isFinite(size)) return Number.isNaN(size) ? 'nan' : 'inf';
  switch (type) {
    case 'f':
    case 'F':
    case '%': {
      const text = fixedText(size, precision ?? DEFAULT_PRECISION);
      return keepsPoint && !text.includes('.') ? `${text}.` : text;
    }
    case 'e':
    case 'E':
      return exponentText(scientific(size, (precision ?? DEFAULT_PRECISION) + 1), keepsPoint);
    case '':
      return plainText(size, precision, keepsPoint);
    default: {
      const count = Math.max(1, precision ?? DEFAULT_PRECISION);
      return placePoint(significant(size, count, keepsPoint), { rightmostPoint: count, keepsPoint, addsDotZero: false });
    }
  }
}

/** The format without a type: like `repr` if there is no precision, and with at least one digit after the point. */
function plainText(size: number, precision: number | null, keepsPoint: boolean): string {
  if (precision === null) return placePoint(shortest(size), { rightmostPoint: 16, keepsPoint, addsDotZero: true });
  const count = Math.max(1, precision);
  return placePoint(significant(size, count, keepsPoint), { rightmostPoint: count - 1, keepsPoint, addsDotZero: true });
}

function significant(size: number, count: number, keepsZeros: boolean): { digits: string; exponent: number } {
  const { digits, exponent } = scientific(size, count);
  return { digits: keepsZeros ? digits : digits.replace(/(?<=.)0+$/, ''), exponent };
}

interface Parts {
  isNegative: boolean;
  prefix: string;
  digits: string;
  /** The text from the point on. */
  rest: string;
}

function layOut({ isNegative, prefix, digits, rest }: Parts, spec: FormatSpec): string {
  const head = (isNegative ? '-' : spec.sign.replace('-', '')) + prefix;
  const isZeroFilled = spec.fill === '0' && spec.align === '=';
  const minimum = isZeroFilled ? spec.width - head.length - lengthOf(rest) : 0;
  const body = groupDigits(digits, spec, minimum) + rest;
  if (spec.align !== '=') return padText(head + body, spec.fill, spec.align, spec.width);
  return head + padText(body, spec.fill, '>', spec.width - head.length);
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** Groups the digits from the right. Zeros fill up to the minimum width and are grouped too: `00,001,234`. */
function groupDigits(digits: string, { grouping, type }: FormatSpec, minimum: number): string {
  if (digits === '') return '';
  const size = grouping === '' ? Number.POSITIVE_INFINITY : 'boxX'.includes(type || '-') ? 4 : 3;
  const groups: string[] = [];
  let left = digits;
  let wanted = minimum;
  do {
    const length = Math.min(size, Math.max(left.length, wanted, 1));
    groups.unshift(left.slice(-length).padStart(length, '0'));
    left = left.slice(0, -length);
    wanted -= length + grouping.length;
  } while (left !== '' || wanted + grouping.length > 0);
  return groups.join(grouping);
}
