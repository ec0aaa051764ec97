// RandomNumber: a random number that does not depend on the value, for sampling.

import { toValue } from '../../../python/number.ts';
import { defineOperation } from '../operation.ts';
import { floatParameter } from '../parameter.ts';

export const randomNumber = defineOperation({
  type: 'RandomNumber',
  summary: 'Returns a random number, independent of the value.',
  parameters: {
    min_value: floatParameter({ description: 'The lower bound, included', fallback: 0 }),
    max_value: floatParameter({ description: 'The upper bound, excluded', fallback: 1 }),
  },
  apply: (_value, { min_value: least, max_value: limit }, { random }) =>
    toValue(least === limit ? least : least + random() * Math.abs(limit - least)),
});
