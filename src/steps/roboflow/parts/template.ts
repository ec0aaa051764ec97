// Renders templates with named placeholders like Python's str.format, within limits, with Roboflow's error messages.

import { isPythonError, PythonError } from '../../../core/python/error.ts';
import { type FormatField, type FormatPart, parseFormatMarkup } from '../../../core/python/format/format-markup.ts';
import { shownType } from '../../../core/python/format/format-number.ts';
import { formatValue } from '../../../core/python/format/format-value.ts';
import { compareText } from '../../../core/python/ordering.ts';
import { reprOf, strOf } from '../../../core/python/text.ts';
import { OperationFault } from '../../../core/uql/operations/operation-fault.ts';
import type { Values } from './named-operations.ts';

/** The fault of a template that cannot be rendered; the message says why. */
export function templateFault(message: string): OperationFault {
  return new OperationFault('ValueError', `String Template block ${message}`);
}

const MAX_RENDERED_CHARACTERS = 1_000_000;
/** A format spec may contain placeholders, whose own specs may not. */
const MAX_DEPTH = 1;

/** Throws OperationFault. */
export function renderTemplate(template: string, values: Values): string {
  const parts = parse(template);
  refuseUndeclared(parts, values);
  try {
    return render(parts, values, 0);
  } catch (error) {
    if (!isPythonError(error, 'ValueError', 'TypeError', 'OverflowError')) throw error;
    throw templateFault(`could not render template: ${error.message}. Check that format specs match the types of the substituted values.`);
  }
}

function parse(text: string): FormatPart[] {
  try {
    return parseFormatMarkup(text);
  } catch (error) {
    if (!isPythonError(error, 'ValueError')) throw error;
    throw templateFault(`could not parse template: ${error.message}. Use double braces to produce literal braces in the output.`);
  }
}

function refuseUndeclared(parts: readonly FormatPart[], values: Values): void {
  const missing = [...new Set(namesIn(parts, 0))].filter((name) => !Object.hasOwn(values, name));
  if (missing.length === 0) return;
  const shown = reprOf(missing.sort(compareText));
  const declared = reprOf(Object.keys(values).sort(compareText));
  throw templateFault(`template references variables ${shown} which are not declared in data. Declared variables: ${declared}.`);
}

function namesIn(parts: readonly FormatPart[], depth: number): string[] {
  return parts.flatMap((part) => {
    if (typeof part === 'string') return [];
    if (depth > MAX_DEPTH) throw templateFault('could not render template: Max string recursion exceeded.');
    refuseOtherNames(part);
    return [part.name, ...(part.spec.includes('{') ? namesIn(parse(part.spec), depth + 1) : [])];
  });
}

function refuseOtherNames({ name }: FormatField): void {
  if (name === '' || /^\p{Nd}+$/u.test(name)) {
    throw templateFault('does not support positional placeholders - use named placeholders, e.g. `{variable_name}`.');
  }
  if (name.includes('.') || name.includes('[')) {
    const shown = name.slice(0, 100);
    throw templateFault(
      `does not support attribute or index access in placeholders (got \`{${shown}}\`). Use data operations to extract nested values before templating.`,
    );
  }
}

function render(parts: readonly FormatPart[], values: Values, depth: number): string {
  let rendered = '';
  for (const part of parts) {
    rendered += typeof part === 'string' ? part : renderField(part, values, depth);
    if (isTooLong(rendered)) throw templateFault(`rendered more than ${MAX_RENDERED_CHARACTERS} characters.`);
  }
  return rendered;
}

function isTooLong(text: string): boolean {
  // No text has more characters than units.
  return text.length > MAX_RENDERED_CHARACTERS && Array.from(text).length > MAX_RENDERED_CHARACTERS;
}

function renderField({ name, conversion, spec }: FormatField, values: Values, depth: number): string {
  const filledSpec = spec.includes('{') ? render(parse(spec), values, depth + 1) : spec;
  return formatValue(converted(values[name], conversion), filledSpec);
}

function converted(value: unknown, conversion: string | null): unknown {
  switch (conversion) {
    case null:
      return value;
    case 's':
      return strOf(value);
    case 'r':
      return reprOf(value);
    case 'a':
      return reprOf(value).replace(BEYOND_ASCII, escapeCharacter);
    default:
      throw new PythonError('ValueError', `Unknown conversion specifier ${shownType(conversion)}`);
  }
}

const BEYOND_ASCII = /[\x80-\u{10ffff}]/gu;

function escapeCharacter(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  if (hex.length <= 2) return `\\x${hex}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
