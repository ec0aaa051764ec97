// Scans JSON text for facts that JSON.parse does not report: its depth, and numbers that would lose their text. Also a
// reader for repeated keys. Strings are skipped by search, not character by character, which keeps large bodies cheap.

export interface JsonSurvey {
  /** How deep arrays and objects nest. */
  depth: number;
  /** Some number is written as JavaScript would not write it (`1.0`, `1e5`, a 64-bit id). */
  losesText: boolean;
}

/** One pass without recursion; accepts any text, valid JSON or not. */
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
  /** Returns the value of a number that would lose its text. */
  readExact(digits: string): unknown;
  /** Called for a key that its object already has; the later value counts unless this throws. */
  onRepeatedKey?(key: string): void;
}

/** Reads a text that JSON.parse has accepted, without validation. Recursive, so its depth must be bounded. */
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

  /** Consumes `,` or `close`. Returns whether another item follows. */
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

/** `__proto__` is an ordinary key, as in JSON.parse. */
function setField(fields: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(fields, key, { value, writable: true, enumerable: true, configurable: true });
  else fields[key] = value;
}

/** Returns the index of the quote that ends the string at `start`; the text's length when there is none. */
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

/** A decimal with this many digits survives a round trip: a double distinguishes all decimals of 15 digits. */
const SAFE_DIGITS = 15;

/** Whether JavaScript writes the number with the same text. Most are decided by their shape, which is cheaper. */
export function keepsText(text: string, start: number, end: number): boolean {
  let point = -1;
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === POINT) point = at;
    else if (code === LETTER_E || code === CAPITAL_E) return survivesRoundTrip(text.slice(start, end));
  }
  const first = text.charCodeAt(start) === MINUS ? start + 1 : start;
  if (end - first > SAFE_DIGITS) return survivesRoundTrip(text.slice(start, end));
  if (point === -1) return first === start || text.charCodeAt(first) !== ZERO;
  // Below a millionth JavaScript writes an exponent.
  return text.charCodeAt(end - 1) !== ZERO && !text.startsWith('0.000000', first);
}

function survivesRoundTrip(digits: string): boolean {
  return String(Number(digits)) === digits;
}

/** Excludes letters: the `e` of `true` and `false` is not part of a number. */
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
