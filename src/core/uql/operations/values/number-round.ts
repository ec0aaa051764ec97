// NumberRound: Python's `round`, half to even.

import { classText } from '../../../python/kind.ts';
import { readNumber, toValue } from '../../../python/number.ts';
import { roundTo } from '../../../python/rounding.ts';
import { excerptOf } from '../../../python/text.ts';
import { defineOperation } from '../operation.ts';
import { wrongInput } from '../operation-fault.ts';
import { integerParameter } from '../parameter.ts';

export const numberRound = defineOperation({
  type: 'NumberRound',
  summary: 'Rounds a number, half to even; an integer stays an integer.',
  parameters: {
    decimal_digits: integerParameter({ description: 'The number of digits after the point; a negative number rounds before the point' }),
  },
  apply: (value, { decimal_digits: digits }, _context, place) => {
    const number = readNumber(value);
    if (number !== null) return toValue(roundTo(number, digits));
    throw wrongInput(
      `While executing number_round to_number(...) in context ${place}, encountered value \`${excerptOf(value)}\` of type ${classText(value)} which cannot be rounded`,
    );
  },
});
