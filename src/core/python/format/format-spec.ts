// Parses Python's format mini-language: `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`.

import { PythonError } from '../error.ts';

export type Align = '<' | '>' | '^' | '=';
export type Grouping = '' | ',' | '_';

export interface FormatSpec {
  fill: string;
  align: Align;
  /** Empty if none is written, which means `-`. */
  sign: string;
  /** Removes the sign of a number that rounds to `-0`. */
  coercesNegativeZero: boolean;
  isAlternate: boolean;
  width: number;
  grouping: Grouping;
  precision: number | null;
  /** One character; empty for a float without a type. */
  type: string;
}

/** The defaults that depend on the type of the value, and the type's name for messages. */
export interface SpecDefaults {
  typeName: string;
  align: Align;
  type: string;
}

/** Bounds width and precision, because a short spec could produce a huge text. */
const MAX_SPEC_NUMBER = 10_000;

/** Throws Python's ValueError. */
export function parseFormatSpec(text: string, defaults: SpecDefaults): FormatSpec {
  const reader = new SpecReader(text);
  const { fill, align } = readAlign(reader);
  const sign = reader.takeOneOf('+- ');
  const coercesNegativeZero = reader.takeOneOf('z') !== '';
  const isAlternate = reader.takeOneOf('#') !== '';
  const isZeroFilled = fill === '' && reader.takeOneOf('0') !== '';
  const width = reader.takeNumber() ?? 0;
  const grouping = readGrouping(reader);
  const precision = readPrecision(reader);
  const type = reader.takeType();
  if (type === null) {
    throw new PythonError('ValueError', `Invalid format specifier '${text.slice(0, 200)}' for object of type '${defaults.typeName}'`);
  }
  refuseGrouping(grouping, type || defaults.type);
  return {
    fill: fill || (isZeroFilled ? '0' : ' '),
    align: align ?? (isZeroFilled && defaults.align === '>' ? '=' : defaults.align),
    sign,
    coercesNegativeZero,
    isAlternate,
    width,
    grouping,
    precision,
    type: type || defaults.type,
  };
}

function readAlign(reader: SpecReader): { fill: string; align: Align | null } {
  const fill = isAlign(reader.ahead(1)) ? reader.take() : '';
  return { fill, align: isAlign(reader.ahead(0)) ? (reader.take() as Align) : null };
}

function isAlign(character: string): boolean {
  return character !== '' && '<>^='.includes(character);
}

function readGrouping(reader: SpecReader): Grouping {
  const grouping = reader.takeOneOf(',_') as Grouping;
  const other = grouping === ',' ? '_' : ',';
  if (grouping !== '' && reader.ahead(0) === other) throw new PythonError('ValueError', "Cannot specify both ',' and '_'.");
  return grouping;
}

function readPrecision(reader: SpecReader): number | null {
  if (reader.takeOneOf('.') === '') return null;
  const precision = reader.takeNumber();
  if (precision === null) throw new PythonError('ValueError', 'Format specifier missing precision');
  return precision;
}

function refuseGrouping(grouping: Grouping, type: string): void {
  const allowed = grouping === '_' ? 'defgEGF%boxX' : 'defgEGF%';
  if (grouping === '' || type === '' || allowed.includes(type)) return;
  throw new PythonError('ValueError', `Cannot specify '${grouping}' with '${type}'.`);
}

/** Reads a spec from left to right, by code point, because any character may be the fill. */
class SpecReader {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#characters = Array.from(text);
  }

  /** The character at that offset; empty after the end. */
  ahead(places: number): string {
    return this.#characters[this.#at + places] ?? '';
  }

  take(): string {
    const character = this.ahead(0);
    this.#at += 1;
    return character;
  }

  /** Empty if the next character is not one of these. */
  takeOneOf(characters: string): string {
    const next = this.ahead(0);
    return next !== '' && characters.includes(next) ? this.take() : '';
  }

  takeNumber(): number | null {
    let digits = '';
    while (/^\d$/.test(this.ahead(0))) digits += this.take();
    if (digits === '') return null;
    if (Number(digits) <= MAX_SPEC_NUMBER) return Number(digits);
    const shown = digits.length <= 20 ? digits : `of ${digits.length} digits`;
    throw new PythonError('ValueError', `the number ${shown} in a format specifier is larger than ${MAX_SPEC_NUMBER}`);
  }

  /** The last character; empty if none is left, null if more than one is left. */
  takeType(): string | null {
    return this.#at + 1 < this.#characters.length ? null : this.take();
  }
}
