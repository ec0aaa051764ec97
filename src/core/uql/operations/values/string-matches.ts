// StringMatches: whether a regular expression matches anywhere in a text.

import { classText } from '../../../python/kind.ts';
import { excerptOf } from '../../../python/text.ts';
import { defineOperation } from '../operation.ts';
import { wrongInput } from '../operation-fault.ts';
import { regexParameter } from '../parameter.ts';

export const stringMatches = defineOperation({
  type: 'StringMatches',
  summary: 'Returns whether a regular expression matches anywhere in a text.',
  parameters: { regex: regexParameter({ description: "A regular expression of Python's `re`, without lookaround or backreferences" }) },
  apply: (value, { regex }, _context, place) => {
    if (typeof value === 'string') return regex.isFoundIn(value);
    throw wrongInput(
      `While executing string_matches(...) in context ${place}, got value which of type ${classText(value)}: ${excerptOf(value)}`,
    );
  },
});
