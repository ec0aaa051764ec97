// Parses the template of Python's `str.format` into literal text and fields `{name!conversion:spec}`.

import { PythonError } from '../error.ts';

export interface FormatField {
  name: string;
  /** The text after `!`; null if there is none. */
  conversion: string | null;
  /** May contain fields. */
  spec: string;
}

export type FormatPart = string | FormatField;

/** Throws Python's ValueError if braces do not match. */
export function parseFormatMarkup(text: string): FormatPart[] {
  const parts: FormatPart[] = [];
  let at = 0;
  while (at < text.length) {
    const brace = indexOfBrace(text, at);
    if (brace > at) parts.push(text.slice(at, brace));
    if (brace === text.length) break;
    const character = text.charAt(brace);
    if (text.charAt(brace + 1) === character) {
      parts.push(character);
      at = brace + 2;
    } else if (character === '}' || brace + 1 === text.length) {
      throw new PythonError('ValueError', `Single '${character}' encountered in format string`);
    } else {
      const field = readField(text, brace + 1);
      parts.push(field.part);
      at = field.end;
    }
  }
  return parts;
}

function indexOfBrace(text: string, start: number): number {
  const found = BRACE.exec(text.slice(start));
  return found === null ? text.length : start + found.index;
}

const BRACE = /[{}]/;

interface ReadField {
  part: FormatField;
  /** The index after the closing brace. */
  end: number;
}

function readField(text: string, start: number): ReadField {
  const nameEnd = endOfName(text, start);
  const name = text.slice(start, nameEnd);
  switch (text.charAt(nameEnd)) {
    case '}':
      return { part: { name, conversion: null, spec: '' }, end: nameEnd + 1 };
    case '!':
      return readConversion(text, name, nameEnd + 1);
    case ':':
      return readSpec(text, { name, conversion: null }, nameEnd + 1);
    case '{':
      throw new PythonError('ValueError', "unexpected '{' in field name");
    default:
      throw new PythonError('ValueError', "expected '}' before end of string");
  }
}

/** Text in brackets belongs to the name, even braces. */
function endOfName(text: string, start: number): number {
  let at = start;
  while (at < text.length && !'{}!:'.includes(text.charAt(at))) {
    const isBracketed = text.charAt(at) === '[';
    const close = isBracketed ? text.indexOf(']', at) : at;
    at = close === -1 ? text.length : close + 1;
  }
  return at;
}

function readConversion(text: string, name: string, start: number): ReadField {
  if (start === text.length) throw new PythonError('ValueError', 'end of string while looking for conversion specifier');
  const conversion = text.charAt(start);
  switch (text.charAt(start + 1)) {
    case '}':
      return { part: { name, conversion, spec: '' }, end: start + 2 };
    case ':':
    case '':
      return readSpec(text, { name, conversion }, start + 2);
    default:
      throw new PythonError('ValueError', "expected ':' after conversion specifier");
  }
}

function readSpec(text: string, field: Omit<FormatField, 'spec'>, start: number): ReadField {
  let depth = 1;
  for (let at = start; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '{') depth += 1;
    if (character === '}') depth -= 1;
    if (depth === 0) return { part: { ...field, spec: text.slice(start, at) }, end: at + 1 };
  }
  throw new PythonError('ValueError', "unmatched '{' in format spec");
}
