// Python's numbers: an int is a bigint, exact at any size; a float is a JavaScript number. JavaScript compares a bigint
// with a number exactly, as Python does.

import { ExactNumber } from '../json/json.ts';
import { floatText } from './format/float-text.ts';
import { kindOf } from './kind.ts';

export type PythonNumber = bigint | number;

/** Null if the value is not a number. A bool is the int 1 or 0. */
export function readNumber(value: unknown): PythonNumber | null {
  switch (kindOf(value)) {
    case 'bool':
      return value === true ? 1n : 0n;
    case 'int':
      // Read from its text, because an exact number beyond 2^53 means the digits that were written.
      return BigInt(String(value));
    case 'float':
      return Number(value);
    default:
      return null;
  }
}

/** The JSON value of the number. An integral float stays a float: `2.0`, not `2`. */
export function toValue(number: PythonNumber): unknown {
  if (typeof number === 'bigint') {
    const plain = Number(number);
    return Number.isSafeInteger(plain) ? plain : new ExactNumber(String(number));
  }
  return Number.isInteger(number) ? new ExactNumber(floatText(number)) : number;
}
