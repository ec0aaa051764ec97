// Reads a JSON text so that every number keeps its text where a JavaScript number would lose it. The text is one that
// JSON.parse has accepted, so nothing is checked here; strings are found by search and not character by character,
// which keeps a large body with one `0.95` in it nearly as cheap as one without.

import { endOfString } from './json-text.ts';

export interface ExactReading {
  readNumber(digits: string): unknown;
  /** Called for a key that its object holds already; the later value counts unless this throws. */
  onRepeatedKey?(key: string): void;
}

export function readExactly(text: string, { readNumber, onRepeatedKey }: ExactReading): unknown {
  let at = 0;

  function skipSpace(): void {
    while (text.charCodeAt(at) <= SPACE) at += 1;
  }

  function value(): unknown {
    skipSpace();
    switch (text.charCodeAt(at)) {
      case QUOTE:
        return string();
      case OPEN_BRACE:
        return object();
      case OPEN_BRACKET:
        return array();
      case LETTER_T:
        at += 'true'.length;
        return true;
      case LETTER_F:
        at += 'false'.length;
        return false;
      case LETTER_N:
        at += 'null'.length;
        return null;
      default:
        return number();
    }
  }

  function string(): string {
    const start = at;
    at = endOfString(text, at) + 1;
    const inner = text.slice(start + 1, at - 1);
    return inner.includes('\\') ? (JSON.parse(text.slice(start, at)) as string) : inner;
  }

  function number(): unknown {
    const start = at;
    while (isPartOfNumber(text.charCodeAt(at))) at += 1;
    return readNumber(text.slice(start, at));
  }

  /** Steps over `,` and tells whether another item follows, or over `close` and tells that none does. */
  function hasNext(close: number): boolean {
    skipSpace();
    const isClosed = text.charCodeAt(at) === close;
    if (isClosed || text.charCodeAt(at) === COMMA) at += 1;
    return !isClosed;
  }

  function array(): unknown[] {
    const items: unknown[] = [];
    at += 1;
    while (hasNext(CLOSE_BRACKET)) items.push(value());
    return items;
  }

  function object(): Record<string, unknown> {
    const fields: Record<string, unknown> = {};
    at += 1;
    while (hasNext(CLOSE_BRACE)) {
      skipSpace();
      const key = string();
      skipSpace();
      at += ':'.length;
      if (onRepeatedKey !== undefined && Object.hasOwn(fields, key)) onRepeatedKey(key);
      setField(fields, key, value());
    }
    return fields;
  }

  return value();
}

/** As JSON.parse does it: `__proto__` is a key like any other. */
function setField(fields: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(fields, key, { value, writable: true, enumerable: true, configurable: true });
  else fields[key] = value;
}

const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const LETTER_F = 102;
const LETTER_N = 110;
const LETTER_T = 116;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** Digits, `+ - .` and `e E`. */
function isPartOfNumber(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 43 || code === 45 || code === 46 || code === 69 || code === 101;
}
