// JSON in and out without loss: a number whose text a JavaScript number cannot give back (`1.0`, a 64-bit id,
// `1e+20`) is carried as an ExactNumber. Documents that hold none take the plain, fast way through JSON.parse.

import { type OnDuplicateKey, parse, stringify } from 'lossless-json';

/** A JSON number kept as it was written. */
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

  /** Tells stringifyJson, by way of JSON.stringify, that this document needs the exact writer. */
  toJSON(): never {
    throw HAS_EXACT_NUMBER;
  }
}

const HAS_EXACT_NUMBER = new Error('the value holds an exact number: write it with stringifyJson');

/** Finds a number that may lose its text: a fraction, an exponent, sixteen digits or a negative zero. */
const MAY_LOSE_TEXT = /(?:^|[:,[\s])-?(?:\d+[.eE]|\d{16}|(?<=-)0)/;

/** Throws SyntaxError, as JSON.parse does. Of a repeated key the last value counts. */
export function parseJson(text: string): unknown {
  const plain: unknown = JSON.parse(text);
  return MAY_LOSE_TEXT.test(text) ? parseExactly(text) : plain;
}

/** As parseJson, but a key that appears twice in one object is a SyntaxError that names it. */
export function parseJsonWithUniqueKeys(text: string): unknown {
  JSON.parse(text);
  return parseExactly(text, ({ key }) => {
    throw new SyntaxError(`field "${key}" appears twice in one object`);
  });
}

/** A copy with plain numbers only, for checks that know no other. */
export function withPlainNumbers(value: unknown): unknown {
  return JSON.parse(stringifyJson(value));
}

/** Writes what JSON.stringify writes, and each ExactNumber as its own text. `undefined` becomes `null`. */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    if (error !== HAS_EXACT_NUMBER) throw error;
    return stringify(value, null, undefined, [{ test: (item) => item instanceof ExactNumber, stringify: String }]) ?? 'null';
  }
}

function parseExactly(text: string, onDuplicateKey: OnDuplicateKey = ({ newValue }) => newValue): unknown {
  const parseNumber = (digits: string): number | ExactNumber =>
    String(Number(digits)) === digits ? Number(digits) : new ExactNumber(digits);
  return parse(text, null, { parseNumber, onDuplicateKey });
}

/** How deep arrays and objects nest in a JSON text, counted without recursion. */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) index = endOfString(text, index);
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth -= 1;
  }
  return deepest;
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(index - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}
