// Python's numbers: an int is a bigint here, exact at any size, and a float a JavaScript number. JavaScript compares the
// two exactly, as Python does.

import { ExactNumber } from '../json/json.ts';
import { floatText } from './format/float-text.ts';
import { kindOf } from './kind.ts';

export type PythonNumber = bigint | number;

/** Null for what is no number; a bool is the int 1 or 0. */
export function readNumber(value: unknown): PythonNumber | null {
  switch (kindOf(value)) {
    case 'bool':
      return value === true ? 1n : 0n;
    case 'int':
      // By its text: a number beyond 2^53 that kept its text stands for the digits that were written.
      return BigInt(String(value));
    case 'float':
      return Number(value);
    default:
      return null;
  }
}

/** The value that carries the number through a workflow and onto the wire: an integral float stays a float. */
export function toValue(number: PythonNumber): unknown {
  if (typeof number === 'bigint') {
    const plain = Number(number);
    return Number.isSafeInteger(plain) ? plain : new ExactNumber(String(number));
  }
  return Number.isInteger(number) ? new ExactNumber(floatText(number)) : number;
}
