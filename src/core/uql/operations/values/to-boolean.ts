// ToBoolean: Python's `bool`.

import { defineOperation } from '../operation.ts';
import { isTruthy } from '../sequences/sequence.ts';

export const toBoolean = defineOperation({
  type: 'ToBoolean',
  summary: 'Returns false for zero, null and empty values, and true for all others, including the text "false".',
  parameters: {},
  apply: isTruthy,
});
