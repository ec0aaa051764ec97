// StringSubSequence: a part of a text, by code point.

import { classText } from '../../../python/kind.ts';
import { excerptOf } from '../../../python/text.ts';
import { defineOperation } from '../operation.ts';
import { wrongInput } from '../operation-fault.ts';
import { integerParameter } from '../parameter.ts';

export const stringSubSequence = defineOperation({
  type: 'StringSubSequence',
  summary: 'Cuts a part out of a text. As it comes, it drops the last character.',
  parameters: {
    start: integerParameter({ description: 'The first character, from 0; negative ones count from the end', fallback: 0 }),
    end: integerParameter({ description: 'The character after the last; negative ones count from the end', fallback: -1 }),
  },
  apply: (value, { start, end }, _context, place) => {
    if (typeof value === 'string') return Array.from(value).slice(start, end).join('');
    throw wrongInput(
      `While executing string_sub_sequence(...) in context ${place},got value which of type ${classText(value)}: ${excerptOf(value)}`,
    );
  },
});
