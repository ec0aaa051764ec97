// LookupTable: the entry of a table whose key is the value.

import { isPythonError } from '../../../python/error.ts';
import { classText } from '../../../python/kind.ts';
import { hasKey } from '../../../python/sequence.ts';
import { excerptOf, reprOf } from '../../../python/text.ts';
import { defineOperation } from '../operation.ts';
import { wrongInput } from '../operation-fault.ts';
import { objectParameter } from '../parameter.ts';

export const lookupTable = defineOperation({
  type: 'LookupTable',
  summary: 'Replaces the value with its entry in a table.',
  parameters: { lookup_table: objectParameter({ description: 'The result for each value; the keys are text' }) },
  apply: (value, { lookup_table: table }, _context, place) => {
    if (holdsKey(table, value, place)) return table[value];
    throw wrongInput(
      `While executing operation apply_lookup(...) in context ${place}, encountered value \`${excerptOf(value)}\` of type ${classText(value)} which cannot be found in lookup table with keys: ${reprOf(Object.keys(table))}`,
    );
  },
});

function holdsKey(table: Record<string, unknown>, value: unknown, place: string): value is string {
  try {
    return hasKey(table, value);
  } catch (error) {
    if (!isPythonError(error, 'TypeError')) throw error;
    throw wrongInput(
      `While executing operation apply_lookup(...) in context ${place}, passed value of type ${classText(value)} which does not let it be searched in lookup table.`,
    );
  }
}
