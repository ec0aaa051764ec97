// A value inside a JSON document, with its path. Each reader returns the type it names or throws BadPayload with the path.
// A reader with `IfAny` returns null or an empty list instead. Only own properties are read.

import { ExactNumber } from '../core/json/json.ts';
import { BadPayload, shownText } from './bad-payload.ts';

export class JsonCursor {
  readonly value: unknown;
  readonly #parent: JsonCursor | null;
  readonly key: string | number;

  /** Without a parent, `key` is the name of the request's part. */
  constructor(value: unknown, key: string | number, parent: JsonCursor | null = null) {
    this.value = value;
    this.key = key;
    this.#parent = parent;
  }

  get isGiven(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  get isList(): boolean {
    return Array.isArray(this.value);
  }

  get isObject(): boolean {
    return isDict(this.value);
  }

  /** Never throws: the result is not given if this is not an object or lacks the key. */
  at(key: string): JsonCursor {
    const value = this.isObject && Object.hasOwn(this.value as object, key) ? (this.value as Record<string, unknown>)[key] : undefined;
    return new JsonCursor(value, key, this);
  }

  /** The first key that is given; if none is, the first key, so that an error names it. */
  firstOf(keys: readonly [string, ...string[]]): JsonCursor {
    const found = keys.map((key) => this.at(key));
    return found.find(({ isGiven }) => isGiven) ?? (found[0] as JsonCursor);
  }

  items(): JsonCursor[] {
    if (!Array.isArray(this.value)) return this.refuse('must be a list');
    if (this.value.length > MAX_ITEMS) return this.refuse(`must have at most ${MAX_ITEMS} entries, not ${this.value.length}`);
    return this.value.map((item, index) => new JsonCursor(item, index, this));
  }

  /** Still refuses a list that is too long. */
  itemsIfAny(): JsonCursor[] {
    return Array.isArray(this.value) ? this.items() : [];
  }

  /** Empty if this is not an object. */
  entries(): [string, JsonCursor][] {
    return this.isObject ? Object.keys(this.value as object).map((key) => [key, this.at(key)]) : [];
  }

  text(): string {
    return typeof this.value === 'string' ? this.value : this.refuse('must be text');
  }

  /** Text, or a number as text, because platforms write ids as either. */
  textIfAny(): string | null {
    if (typeof this.value === 'string') return this.value;
    return this.numberIfAny() === null ? null : String(this.value);
  }

  number(): number {
    const number = this.numberIfAny();
    return number === null || Math.abs(number) > MAX_NUMBER ? this.refuse('must be a number from -1000000000 to 1000000000') : number;
  }

  numberIfAny(): number | null {
    const number = numberOf(this.value);
    return number !== null && Number.isFinite(number) ? number : null;
  }

  /** A length in pixels, above 0. */
  sizeIfAny(): number | null {
    const size = this.numberIfAny();
    return size !== null && size > 0 && size <= MAX_NUMBER ? size : null;
  }

  /** Null if not given. */
  confidence(): number | null {
    return this.isGiven ? (this.confidenceIfAny() ?? this.refuse('must be a number from 0 to 1')) : null;
  }

  /** Values within 1e-6 of 0 or 1 are clamped, because sums of floats overshoot. */
  confidenceIfAny(): number | null {
    const number = this.numberIfAny();
    return number === null || number < -FLOAT_ERROR || number > 1 + FLOAT_ERROR ? null : Math.min(1, Math.max(0, number));
  }

  /** Throws BadPayload. Appends the value: `must be text; got 5`. */
  refuse(message: string): never {
    throw new BadPayload(this.path, `${message}; got ${describe(this.value)}`);
  }

  /** For example `predictions.objects[3].boundingBox`. */
  get path(): string {
    if (this.#parent === null) return shownText(String(this.key));
    if (typeof this.key === 'number') return `${this.#parent.path}[${this.key}]`;
    return /^[\w-]{1,60}$/.test(this.key)
      ? `${this.#parent.path}.${this.key}`
      : `${this.#parent.path}[${JSON.stringify(shownText(this.key))}]`;
  }
}

const FLOAT_ERROR = 1e-6;

/** More than any platform sends, and still fast to read. */
const MAX_ITEMS = 500_000;

/** Larger than any image, and small enough for exact arithmetic. */
const MAX_NUMBER = 1e9;

export function isDict(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  return value instanceof ExactNumber ? value.valueOf() : null;
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(shownText(value));
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return isDict(value) ? 'an object' : String(value);
}
