// SequenceApply: a chain of operations on each item of a sequence.

import { isPythonError } from '../../../python/error.ts';
import { classText } from '../../../python/kind.ts';
import { itemsOf } from '../../../python/sequence.ts';
import { mapCollectingWants } from '../../collect-image-wants.ts';
import { readDetections } from '../../detections.ts';
import { defineOperation } from '../operation.ts';
import { wrongInput } from '../operation-fault.ts';
import { operationsParameter } from '../parameter.ts';

export const sequenceApply = defineOperation({
  type: 'SequenceApply',
  summary: 'Runs operations on each item of a sequence; the items of detections are single detections.',
  takesDetections: true,
  parameters: { operations: operationsParameter({ description: 'The operations to run on each item' }) },
  apply: (value, { operations }, context, place) => {
    try {
      return mapCollectingWants(readDetections(value)?.items ?? itemsOf(value), (item) => operations(item, context));
    } catch (error) {
      if (!isPythonError(error, 'TypeError', 'ValueError')) throw error;
      throw wrongInput(
        `While executing sequence_apply(...) in context ${place}, encountered value of type ${classText(value)} which is not a sequence to be iterated`,
      );
    }
  },
});
