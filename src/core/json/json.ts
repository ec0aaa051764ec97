// Lossless JSON: a number whose text a JavaScript number cannot reproduce (`1.0`, a 64-bit id, `1e+20`) becomes an
// ExactNumber. Documents without such numbers take the fast path through JSON.parse.

import { stringify } from 'lossless-json';
import { restoreNumbers } from './exact-numbers.ts';
import { type ExactReading, readExactly, surveyJson } from './json-text.ts';

/** A JSON number with its original text. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  valueOf(): number {
    return Number(this.text);
  }

  toString(): string {
    return this.text;
  }

  /** Signals stringifyJson, through JSON.stringify, that the document needs the exact writer. */
  toJSON(): never {
    throw HAS_EXACT_NUMBER;
  }
}

const HAS_EXACT_NUMBER = new Error('the value holds an exact number: write it with stringifyJson');

const exactNumbers: ExactReading = { readExact: (digits) => new ExactNumber(digits) };

/** Throws SyntaxError, as JSON.parse does. The last value of a repeated key counts. */
export function parseJson(text: string, { losesText } = surveyJson(text)): unknown {
  const plain: unknown = JSON.parse(text);
  if (!losesText) return plain;
  return restoreNumbers(text, plain, exactNumbers.readExact) ?? readExactly(text, exactNumbers);
}

/** As parseJson, but a key that appears twice in one object is a SyntaxError that names it. */
export function parseJsonWithUniqueKeys(text: string): unknown {
  JSON.parse(text);
  return readExactly(text, {
    ...exactNumbers,
    onRepeatedKey(key) {
      throw new SyntaxError(`field "${key}" appears twice in one object`);
    },
  });
}

/** Returns a copy with plain numbers only, for checks that do not support ExactNumber. */
export function withPlainNumbers(value: unknown): unknown {
  return JSON.parse(stringifyJson(value));
}

/** As JSON.stringify, with each ExactNumber written as its text. `undefined` becomes `null`. */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    if (error !== HAS_EXACT_NUMBER) throw error;
    return stringify(value, asJson, undefined, [{ test: (item) => item instanceof ExactNumber, stringify: String }]) ?? 'null';
  }
}

/** The exact writer calls `toJSON` of objects but not of lists. */
function asJson(_key: string, item: unknown): unknown {
  return Array.isArray(item) && 'toJSON' in item ? (item as { toJSON: () => unknown }).toJSON() : item;
}
