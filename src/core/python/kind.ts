// The Python type of a value. The text of a number decides whether it is an int or a float.

import { ExactNumber } from '../json/json.ts';
import { Bytes } from '../values/bytes.ts';
import { Timestamp } from '../values/timestamp.ts';
import { Tuple } from './tuple.ts';

export type Kind = 'NoneType' | 'bool' | 'int' | 'float' | 'str' | 'list' | 'tuple' | 'dict' | 'bytes' | 'datetime';

export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'string':
      return 'str';
    case 'number':
      return isIntegerText(value) ? 'int' : 'float';
    case 'object':
      return value === null ? 'NoneType' : kindOfObject(value);
    default:
      return 'NoneType';
  }
}

function kindOfObject(value: object): Kind {
  if (Array.isArray(value)) return value instanceof Tuple ? 'tuple' : 'list';
  if (value instanceof ExactNumber) return FLOAT_TEXT.test(value.text) ? 'float' : 'int';
  if (value instanceof Bytes) return 'bytes';
  return value instanceof Timestamp ? 'datetime' : 'dict';
}

const FLOAT_TEXT = /[.eE]/;

/** From 1e21 JavaScript writes an exponent, which makes the text that of a float. */
function isIntegerText(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 1e21;
}

/** The type's name in Python's messages. */
export function typeName(value: unknown): string {
  const kind = kindOf(value);
  return kind === 'datetime' ? 'datetime.datetime' : kind;
}

/** Python's `str(type(value))`: `<class 'int'>`. */
export function classText(value: unknown): string {
  return `<class '${typeName(value)}'>`;
}

export function isDict(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return Object.getPrototypeOf(value) === Object.prototype || kindOfObject(value) === 'dict';
}
