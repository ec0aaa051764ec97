// SequenceJoin: the texts of all items as one text.

import { isPythonError } from '../../../python/error.ts';
import { classText } from '../../../python/kind.ts';
import { strOf } from '../../../python/text.ts';
import { defineOperation } from '../operation.ts';
import { OperationFault, wrongInput } from '../operation-fault.ts';
import { textParameter } from '../parameter.ts';
import { itemsOf } from './sequence.ts';

const MAX_CHARACTERS = 1_000_000;

export const sequenceJoin = defineOperation({
  type: 'SequenceJoin',
  summary: 'Joins the texts of all items of a sequence.',
  parameters: { separator: textParameter({ description: 'The text between two items', fallback: ', ' }) },
  apply: (value, { separator }, _context, place) => {
    const joined = textsOf(value, place).join(separator);
    const length = joined.length > MAX_CHARACTERS ? Array.from(joined).length : 0;
    if (length <= MAX_CHARACTERS) return joined;
    throw new OperationFault(
      'OperationError',
      `While executing join_sequence(...) in context ${place}, attempted to build a string of ${length} characters, which exceeds the maximum allowed length of ${MAX_CHARACTERS} characters`,
    );
  },
});

function textsOf(value: unknown, place: string): string[] {
  try {
    return itemsOf(value).map(strOf);
  } catch (error) {
    if (!isPythonError(error, 'TypeError')) throw error;
    throw wrongInput(
      `While executing join_sequence(...) in context ${place}, encountered value of type ${classText(value)} which is not a sequence to be iterated`,
    );
  }
}
