// ConvertDictionaryToJSON: an object as JSON text, as Python's `json.dumps` writes it.

import { pythonJsonWithNaN } from '../../../python/json-text.ts';
import { isDict } from '../../../python/kind.ts';
import { defineOperation } from '../operation.ts';
import { OperationFault, shownValue, wrongInput } from '../operation-fault.ts';

export const convertDictionaryToJson = defineOperation({
  type: 'ConvertDictionaryToJSON',
  summary: "Converts an object to JSON text as Python's `json.dumps` does.",
  parameters: {},
  apply: (value, _settings, _context, place) => {
    if (!isDict(value)) {
      throw wrongInput(`Executing dictionary_to_json(...) in context ${place}, expected dict object as value, got ${shownValue(value)}`);
    }
    try {
      return pythonJsonWithNaN(value);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new OperationFault(
        'OperationError',
        `While Using operation dictionary_to_json(...) in context ${place} encountered error: ${error.message}`,
      );
    }
  },
});
