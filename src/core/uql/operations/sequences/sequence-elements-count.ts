// SequenceElementsCount: how often each item occurs in a sequence, by its text.

import { isPythonError } from '../../../python/error.ts';
import { classText } from '../../../python/kind.ts';
import { excerptOf } from '../../../python/text.ts';
import { defineOperation } from '../operation.ts';
import { wrongInput } from '../operation-fault.ts';
import { itemsOf } from './sequence.ts';

export const sequenceElementsCount = defineOperation({
  type: 'SequenceElementsCount',
  summary: 'Counts how often each item occurs in a sequence, by its text.',
  parameters: {},
  apply: (value, _settings, _context, place) => {
    try {
      const counts = new Map<string, number>();
      for (const item of itemsOf(value)) {
        const text = excerptOf(item);
        counts.set(text, (counts.get(text) ?? 0) + 1);
      }
      return Object.fromEntries(counts);
    } catch (error) {
      if (!isPythonError(error, 'TypeError', 'ValueError')) throw error;
      throw wrongInput(
        `While executing get_sequence_elements_count(...) in context ${place}, encountered value of type ${classText(value)} which is not suited to execute operation. Details: ${error.message}`,
      );
    }
  },
});
