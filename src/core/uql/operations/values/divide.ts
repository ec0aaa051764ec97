// Divide: Python's `/`, which always gives a float.

import { divideNumbers } from '../../../python/arithmetic.ts';
import { isPythonError } from '../../../python/error.ts';
import { classText } from '../../../python/kind.ts';
import { type PythonNumber, readNumber, toValue } from '../../../python/number.ts';
import { excerptOf, strOf } from '../../../python/text.ts';
import { defineOperation } from '../operation.ts';
import { type OperationFault, wrongInput } from '../operation-fault.ts';
import { numberParameter } from '../parameter.ts';

export const divide = defineOperation({
  type: 'Divide',
  summary: 'Divides a number; the result is a float.',
  parameters: { other: numberParameter({ description: 'The divisor' }) },
  apply: (value, { other }, _context, place) => {
    const number = readNumber(value);
    if (number === null) throw notDivisible(value, other, place);
    try {
      return toValue(divideNumbers(number, other));
    } catch (error) {
      if (!isPythonError(error, 'ZeroDivisionError')) throw error;
      throw notDivisible(value, other, place);
    }
  },
});

function notDivisible(value: unknown, other: PythonNumber, place: string): OperationFault {
  return wrongInput(
    `While executing divide(...) in context ${place}, encountered value \`${excerptOf(value)}\` of type ${classText(value)} which cannot be divided by ${strOf(toValue(other))}`,
  );
}
