// ToString: Python's `str`.

import { strOf } from '../../../python/text.ts';
import { defineOperation } from '../operation.ts';

export const convertToString = defineOperation({
  type: 'ToString',
  summary: "Converts the value to text as Python's `str` does: `True`, `None`, `1.0`, `['a', 1]`.",
  parameters: {},
  apply: strOf,
});
