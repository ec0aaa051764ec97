// Python's `==`: deep and by value. Numbers are equal across int, float and bool; text never equals a number.

import type { Bytes } from '../values/bytes.ts';
import type { Timestamp } from '../values/timestamp.ts';
import { isDict, kindOf } from './kind.ts';
import { readNumber } from './number.ts';

export function isEqual(left: unknown, right: unknown): boolean {
  const leftNumber = readNumber(left);
  if (leftNumber !== null) {
    const rightNumber = readNumber(right);
    // biome-ignore lint/suspicious/noDoubleEquals: `===` is false for a bigint and a number.
    return rightNumber !== null && leftNumber == rightNumber;
  }
  const kind = kindOf(left);
  if (kind !== kindOf(right)) return false;
  switch (kind) {
    case 'NoneType':
      return true;
    case 'list':
    case 'tuple':
      return areListsEqual(left as unknown[], right as unknown[]);
    case 'bytes':
      return areListsEqual(Array.from((left as Bytes).data), Array.from((right as Bytes).data));
    case 'datetime':
      return areTimestampsEqual(left as Timestamp, right as Timestamp);
    default:
      return isDict(left) && isDict(right) ? areDictsEqual(left, right) : left === right;
  }
}

function areListsEqual(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((item, index) => isEqual(item, right[index]));
}

function areDictsEqual(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => Object.hasOwn(right, key) && isEqual(left[key], right[key]));
}

function areTimestampsEqual(left: Timestamp, right: Timestamp): boolean {
  if (left.offsetSeconds === null || right.offsetSeconds === null) {
    return left.offsetSeconds === right.offsetSeconds && left.wallMicroseconds === right.wallMicroseconds;
  }
  return left.epochMicroseconds === right.epochMicroseconds;
}
