// StringSubSequence: a slice of a text, by code point.

import { classText } from '../../../python/kind.ts';
import { excerptOf } from '../../../python/text.ts';
import { defineOperation } from '../operation.ts';
import { wrongInput } from '../operation-fault.ts';
import { integerParameter } from '../parameter.ts';

export const stringSubSequence = defineOperation({
  type: 'StringSubSequence',
  summary: 'Returns a slice of a text. By default it drops the last character.',
  parameters: {
    start: integerParameter({ description: 'The index of the first character, from 0; a negative index counts from the end', fallback: 0 }),
    end: integerParameter({ description: 'The index after the last character; a negative index counts from the end', fallback: -1 }),
  },
  apply: (value, { start, end }, _context, place) => {
    if (typeof value === 'string') return Array.from(value).slice(start, end).join('');
    throw wrongInput(
      `While executing string_sub_sequence(...) in context ${place},got value which of type ${classText(value)}: ${excerptOf(value)}`,
    );
  },
});
