// SequenceMap: LookupTable for each item of a sequence.

import { isPythonError } from '../../../python/error.ts';
import { classText } from '../../../python/kind.ts';
import { hasKey } from '../../../python/sequence.ts';
import { reprOf } from '../../../python/text.ts';
import { defineOperation } from '../operation.ts';
import { wrongInput } from '../operation-fault.ts';
import { objectParameter } from '../parameter.ts';
import { itemsOf } from './sequence.ts';

export const sequenceMap = defineOperation({
  type: 'SequenceMap',
  summary: 'Replaces each item of a sequence with its value in a table.',
  parameters: { lookup_table: objectParameter({ description: 'The new value of each item; the keys are text' }) },
  apply: (value, { lookup_table: table }, _context, place) => {
    try {
      return itemsOf(value).map((item) => {
        if (hasKey(table, item)) return table[item as string];
        throw wrongInput(
          `While executing operation sequence_map(...) in context ${place}, encountered value \`${reprOf(item)}\` which cannot be found in lookup table with keys: ${reprOf(Object.keys(table))}`,
        );
      });
    } catch (error) {
      if (!isPythonError(error, 'TypeError')) throw error;
      throw wrongInput(
        `While executing sequence_map(...) in context ${place}, encountered value of type ${classText(value)} which is not a sequence to be iterated`,
      );
    }
  },
});
