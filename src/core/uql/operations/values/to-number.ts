// ToNumber: text, a boolean or a number as a number. The number passes through a double, as in Roboflow, so integers
// beyond 2^53 lose digits.

import { toFloat, toInteger } from '../../../python/arithmetic.ts';
import { isPythonError } from '../../../python/error.ts';
import { classText } from '../../../python/kind.ts';
import { readNumber, toValue } from '../../../python/number.ts';
import { parseFloatText } from '../../../python/parse-float.ts';
import { excerptOf } from '../../../python/text.ts';
import { defineOperation } from '../operation.ts';
import { type OperationFault, wrongInput } from '../operation-fault.ts';
import { choiceParameter } from '../parameter.ts';

export const toNumber = defineOperation({
  type: 'ToNumber',
  summary: 'Converts the value to a number.',
  parameters: {
    cast_to: choiceParameter(['int', 'float'], { description: 'The type of the result; `int` drops the digits after the point' }),
  },
  apply: (value, { cast_to: target }, _context, place) => {
    const number = readNumber(value);
    const float = number === null ? textAsFloat(value) : toFloat(number);
    if (float === null) throw notCastable(value, target, place);
    if (target === 'float') return toValue(float);
    try {
      return toValue(toInteger(float));
    } catch (error) {
      if (!isPythonError(error, 'ValueError')) throw error;
      throw notCastable(float, target, place);
    }
  },
});

function textAsFloat(value: unknown): number | null {
  return typeof value === 'string' ? parseFloatText(value) : null;
}

function notCastable(value: unknown, target: string, place: string): OperationFault {
  return wrongInput(
    `While executing operation to_number(...) in context ${place}, encountered value \`${excerptOf(value)}\` of type ${classText(value)} which cannot be casted into ${target}`,
  );
}
