// Multiply: Python's `*`, which also repeats text and lists.

import { multiplyNumbers } from '../../../python/arithmetic.ts';
import { classText } from '../../../python/kind.ts';
import { readNumber, toValue } from '../../../python/number.ts';
import { excerptOf, strOf } from '../../../python/text.ts';
import { Tuple } from '../../../python/tuple.ts';
import { defineOperation } from '../operation.ts';
import { OperationFault, wrongInput } from '../operation-fault.ts';
import { numberParameter } from '../parameter.ts';

/** Bounds repetition. Roboflow has no limit, so a definition could use up all memory. */
const MAX_LENGTH = 1_000_000;

export const multiply = defineOperation({
  type: 'Multiply',
  summary: 'Multiplies a number, or repeats text or a list.',
  parameters: { other: numberParameter({ description: 'The factor' }) },
  apply: (value, { other }, _context, place) => {
    const number = readNumber(value);
    if (number !== null) return toValue(multiplyNumbers(number, other));
    if (typeof other === 'bigint' && (typeof value === 'string' || Array.isArray(value))) return repeat(value, other, place);
    throw wrongInput(
      `While executing multiply to_number(...) in context ${place}, encountered value \`${excerptOf(value)}\` of type ${classText(value)} which cannot be multiplied with ${strOf(toValue(other))}`,
    );
  },
});

function repeat(value: string | unknown[], times: bigint, place: string): string | unknown[] {
  if (typeof value === 'string') return value.repeat(timesFor(value, times, place));
  const items = new Array<unknown[]>(timesFor(value, times, place)).fill(value).flat();
  return value instanceof Tuple ? Tuple.from(items) : items;
}

/** 0 for a negative number. Throws OperationFault if the result would be too long. */
function timesFor(value: string | unknown[], times: bigint, place: string): number {
  if (times <= 0n || value.length === 0) return 0;
  const length = BigInt(value.length) * times;
  if (length > MAX_LENGTH) {
    throw new OperationFault(
      'OperationError',
      `While executing multiply(...) in context ${place}, attempted to build a value of length ${length}, which exceeds the maximum allowed length of ${MAX_LENGTH}`,
    );
  }
  return Number(times);
}
