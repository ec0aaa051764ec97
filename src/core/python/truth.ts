// Python's `bool(value)`: zero, None and empty values are false.

import type { Bytes } from '../values/bytes.ts';
import { isDict, kindOf } from './kind.ts';
import { readNumber } from './number.ts';

export function isTruthy(value: unknown): boolean {
  const number = readNumber(value);
  // NaN is true.
  if (number !== null) return number !== 0n && number !== 0;
  switch (kindOf(value)) {
    case 'NoneType':
      return false;
    case 'datetime':
      return true;
    case 'bytes':
      return (value as Bytes).data.length > 0;
    default:
      return isDict(value) ? Object.keys(value).length > 0 : (value as string | unknown[]).length > 0;
  }
}
