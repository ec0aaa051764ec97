// JSON text taken by hand, where JSON.parse does not tell enough: how deep it nests, whether a number in it would lose
// its text, and, where a key may be repeated, its reading. Strings are found by search and not character by character,
// which keeps a large body nearly as cheap as a small one.

export interface JsonSurvey {
  /** How deep arrays and objects nest. */
  depth: number;
  /** Some number is written as JavaScript would not write it (`1.0`, `1e5`, a 64-bit id). */
  losesText: boolean;
}

/** One pass without recursion over any text, be it JSON or not. */
export function surveyJson(text: string): JsonSurvey {
  let depth = 0;
  let deepest = 0;
  let losesText = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth -= 1;
    else if (beginsNumber(code)) {
      const end = endOfNumber(text, at);
      losesText ||= !keepsText(text, at, end);
      at = end - 1;
    }
  }
  return { depth: deepest, losesText };
}

export interface ExactReading {
  /** Makes the value of a number that would lose its text. */
  readExact(digits: string): unknown;
  /** Called for a key that its object holds already; the later value counts unless this throws. */
  onRepeatedKey?(key: string): void;
}

/** Reads a text that JSON.parse has accepted: nothing is checked here. Recursive, so its depth must be bounded. */
export function readExactly(text: string, reading: ExactReading): unknown {
  return new Reader(text, reading).readValue();
}

class Reader {
  readonly #text: string;
  readonly #reading: ExactReading;
  #at = 0;

  constructor(text: string, reading: ExactReading) {
    this.#text = text;
    this.#reading = reading;
  }

  readValue(): unknown {
    this.#skipSpace();
    switch (this.#text.charCodeAt(this.#at)) {
      case QUOTE:
        return this.#readString();
      case OPEN_BRACE:
        return this.#readObject();
      case OPEN_BRACKET:
        return this.#readArray();
      case LETTER_T:
        this.#at += 'true'.length;
        return true;
      case LETTER_F:
        this.#at += 'false'.length;
        return false;
      case LETTER_N:
        this.#at += 'null'.length;
        return null;
      default:
        return this.#readNumber();
    }
  }

  #skipSpace(): void {
    while (this.#text.charCodeAt(this.#at) <= SPACE) this.#at += 1;
  }

  #readString(): string {
    const start = this.#at;
    this.#at = endOfString(this.#text, start) + 1;
    const inner = this.#text.slice(start + 1, this.#at - 1);
    return inner.includes('\\') ? (JSON.parse(this.#text.slice(start, this.#at)) as string) : inner;
  }

  #readNumber(): unknown {
    const start = this.#at;
    this.#at = endOfNumber(this.#text, start);
    const digits = this.#text.slice(start, this.#at);
    return keepsText(this.#text, start, this.#at) ? Number(digits) : this.#reading.readExact(digits);
  }

  /** Steps over `,` and tells whether another item follows, or over `close` and tells that none does. */
  #hasNext(close: number): boolean {
    this.#skipSpace();
    const code = this.#text.charCodeAt(this.#at);
    if (code === close || code === COMMA) this.#at += 1;
    return code !== close;
  }

  #readArray(): unknown[] {
    const items: unknown[] = [];
    this.#at += 1;
    while (this.#hasNext(CLOSE_BRACKET)) items.push(this.readValue());
    return items;
  }

  #readObject(): Record<string, unknown> {
    const fields: Record<string, unknown> = {};
    this.#at += 1;
    while (this.#hasNext(CLOSE_BRACE)) {
      this.#skipSpace();
      const key = this.#readString();
      this.#skipSpace();
      this.#at += ':'.length;
      const { onRepeatedKey } = this.#reading;
      if (onRepeatedKey !== undefined && Object.hasOwn(fields, key)) onRepeatedKey(key);
      setField(fields, key, this.readValue());
    }
    return fields;
  }
}

/** As JSON.parse does it: `__proto__` is a key like any other. */
function setField(fields: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(fields, key, { value, writable: true, enumerable: true, configurable: true });
  else fields[key] = value;
}

/** Position of the quote that ends the string which begins at `start`; the end of the text when none does. */
export function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(index - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}

export function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  while (isPartOfNumber(text.charCodeAt(end))) end += 1;
  return end;
}

/** A decimal of so many digits is what its double is written as: every double tells 15 digits apart. */
const SAFE_DIGITS = 15;

/** Whether JavaScript writes the number as it stands here. Most are told by their look, which is cheaper. */
export function keepsText(text: string, start: number, end: number): boolean {
  let point = -1;
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === POINT) point = at;
    else if (code === LETTER_E || code === CAPITAL_E) return isWrittenSo(text.slice(start, end));
  }
  const first = text.charCodeAt(start) === MINUS ? start + 1 : start;
  if (end - first > SAFE_DIGITS) return isWrittenSo(text.slice(start, end));
  if (point === -1) return first === start || text.charCodeAt(first) !== ZERO;
  // Below a millionth JavaScript writes an exponent.
  return text.charCodeAt(end - 1) !== ZERO && !text.startsWith('0.000000', first);
}

function isWrittenSo(digits: string): boolean {
  return String(Number(digits)) === digits;
}

/** No letter: the `e` of `true` and `false` is none of a number. */
export function beginsNumber(code: number): boolean {
  return (code >= ZERO && code <= NINE) || code === MINUS;
}

/** Digits, `+ - .` and `e E`. */
function isPartOfNumber(code: number): boolean {
  return (code >= ZERO && code <= NINE) || code === MINUS || code === POINT || code === PLUS || code === CAPITAL_E || code === LETTER_E;
}

const SPACE = 32;
export const QUOTE = 34;
const PLUS = 43;
export const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
export const COLON = 58;
const CAPITAL_E = 69;
export const OPEN_BRACKET = 91;
const BACKSLASH = 92;
export const CLOSE_BRACKET = 93;
const LETTER_E = 101;
const LETTER_F = 102;
const LETTER_N = 110;
const LETTER_T = 116;
export const OPEN_BRACE = 123;
export const CLOSE_BRACE = 125;
