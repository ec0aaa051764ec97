// NumericSequenceAggregate: the minimum, maximum or sum of a sequence.

import { addNumbers } from '../../../python/arithmetic.ts';
import { isPythonError, PythonError } from '../../../python/error.ts';
import { classText, typeName } from '../../../python/kind.ts';
import { type PythonNumber, readNumber, toValue } from '../../../python/number.ts';
import { isOrdered } from '../../../python/ordering.ts';
import { defineOperation } from '../operation.ts';
import { wrongInput } from '../operation-fault.ts';
import { anyParameter, choiceParameter } from '../parameter.ts';
import { itemsOf, lengthOf } from './sequence.ts';

export const numericSequenceAggregate = defineOperation({
  type: 'NumericSequenceAggregate',
  summary: 'Returns the smallest or largest item of a sequence, or the sum of its numbers.',
  parameters: {
    function: choiceParameter(['min', 'max', 'sum'], { description: 'The function of the items' }),
    neutral_value: anyParameter({ description: 'The result for an empty sequence', fallback: null }),
  },
  apply: (value, { function: name, neutral_value: neutral }, _context, place) => {
    try {
      if (lengthOf(value) === 0) return neutral;
      const items = itemsOf(value);
      return name === 'sum' ? sumOf(items) : extremeOf(items, name === 'min' ? '<' : '>');
    } catch (error) {
      if (!isPythonError(error, 'TypeError', 'ValueError')) throw error;
      throw wrongInput(
        `While executing aggregate_numeric_sequence(...) in context ${place}, encountered value of type ${classText(value)} which is not suited to execute operation. Details: ${error.message}`,
      );
    }
  },
});

/** Returns the first of equal items. */
function extremeOf(items: readonly unknown[], sign: '<' | '>'): unknown {
  return items.reduce((best, item) => (isOrdered(item, sign, best) ? item : best));
}

function sumOf(items: readonly unknown[]): unknown {
  let sum: PythonNumber = 0n;
  for (const item of items) {
    const number = readNumber(item);
    if (number === null) {
      throw new PythonError('TypeError', `unsupported operand type(s) for +: '${typeName(toValue(sum))}' and '${typeName(item)}'`);
    }
    sum = addNumbers(sum, number);
  }
  return toValue(sum);
}
