// StringToLowerCase: text in lower case, by Unicode's full mapping.

import { classText } from '../../../python/kind.ts';
import { defineOperation } from '../operation.ts';
import { wrongInput } from '../operation-fault.ts';

export const stringToLowerCase = defineOperation({
  type: 'StringToLowerCase',
  summary: 'Converts text to lower case.',
  parameters: {},
  apply: (value, _settings, _context, place) => {
    if (typeof value === 'string') return value.toLowerCase();
    throw wrongInput(
      `Using operation string_to_lower(...) in context ${place} which requires string as input data, got: ${classText(value)}`,
    );
  },
});
