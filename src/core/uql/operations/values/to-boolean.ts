// ToBoolean: Python's bool.

import { defineOperation } from '../operation.ts';
import { isTruthy } from '../sequences/sequence.ts';

export const toBoolean = defineOperation({
  type: 'ToBoolean',
  summary: 'Gives false for zero, null, and what is empty, and true for all else, the text "false" included.',
  parameters: {},
  apply: isTruthy,
});
