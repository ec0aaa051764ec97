// Python's `format(value, spec)` for JSON values. Examples of a spec: `5`, `>8.2f`, `,`.

import { PythonError } from '../error.ts';
import { typeName } from '../kind.ts';
import { readNumber } from '../number.ts';
import { strOf } from '../text.ts';
import { formatNumber, shownType } from './format-number.ts';
import { type Align, parseFormatSpec } from './format-spec.ts';
import { padText } from './pad-text.ts';

/** Throws Python's ValueError, TypeError or OverflowError. */
export function formatValue(value: unknown, spec: string): string {
  if (spec === '') return strOf(value);
  if (typeof value === 'string') return formatText(value, spec);
  const number = readNumber(value);
  const name = typeName(value);
  if (number === null) throw new PythonError('TypeError', `unsupported format string passed to ${name}.__format__`);
  const type = typeof number === 'bigint' ? 'd' : '';
  return formatNumber(number, parseFormatSpec(spec, { typeName: name, align: '>', type }), name);
}

function formatText(text: string, specText: string): string {
  const spec = parseFormatSpec(specText, { typeName: 'str', align: '<', type: 's' });
  if (spec.type !== 's') throw new PythonError('ValueError', `Unknown format code '${shownType(spec.type)}' for object of type 'str'`);
  if (spec.sign !== '') throw notAllowedForText(spec.sign === ' ' ? 'Space' : 'Sign');
  if (spec.coercesNegativeZero) throw notAllowedForText('Negative zero coercion (z)');
  if (spec.isAlternate) throw notAllowedForText('Alternate form (#)');
  if (spec.align === '=') throw notAllowedForText("'=' alignment");
  const cut = spec.precision === null ? text : Array.from(text).slice(0, spec.precision).join('');
  return padText(cut, spec.fill, spec.align as Exclude<Align, '='>, spec.width);
}

function notAllowedForText(what: string): PythonError {
  return new PythonError('ValueError', `${what} not allowed in string format specifier`);
}
