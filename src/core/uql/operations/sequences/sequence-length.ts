// SequenceLength: Python's `len`; for detections, the number of predictions.

import { isPythonError } from '../../../python/error.ts';
import { classText } from '../../../python/kind.ts';
import { defineOperation } from '../operation.ts';
import { wrongInput } from '../operation-fault.ts';
import { lengthOf } from './sequence.ts';

export const sequenceLength = defineOperation({
  type: 'SequenceLength',
  summary: 'Counts the items of a list, the characters of text, the keys of an object or the predictions of detections.',
  parameters: {},
  apply: (value, _settings, _context, place) => {
    try {
      return lengthOf(value);
    } catch (error) {
      if (!isPythonError(error, 'TypeError')) throw error;
      throw wrongInput(
        `While executing get_sequence_length(...) in context ${place}, encountered value of type ${classText(value)} which is not suited to execute operation. Details: ${error.message}`,
      );
    }
  },
});
