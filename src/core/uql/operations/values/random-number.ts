// RandomNumber: a number that does not depend on the value, to take samples by.

import { toValue } from '../../../python/number.ts';
import { defineOperation } from '../operation.ts';
import { floatParameter } from '../parameter.ts';

export const randomNumber = defineOperation({
  type: 'RandomNumber',
  summary: 'Gives a random number, whatever the value is.',
  parameters: {
    min_value: floatParameter({ description: 'The least number', fallback: 0 }),
    max_value: floatParameter({ description: 'The number below which it stays', fallback: 1 }),
  },
  apply: (_value, { min_value: least, max_value: limit }, { random }) =>
    toValue(least === limit ? least : least + random() * Math.abs(limit - least)),
});
