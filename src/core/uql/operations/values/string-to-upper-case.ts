// StringToUpperCase: text in upper case, by Unicode's full mapping.

import { classText } from '../../../python/kind.ts';
import { defineOperation } from '../operation.ts';
import { wrongInput } from '../operation-fault.ts';

export const stringToUpperCase = defineOperation({
  type: 'StringToUpperCase',
  summary: 'Converts text to upper case.',
  parameters: {},
  apply: (value, _settings, _context, place) => {
    if (typeof value === 'string') return value.toUpperCase();
    throw wrongInput(
      `Using operation string_to_upper(...) in context ${place} which requires string as input data, got: ${classText(value)}`,
    );
  },
});
