// ConvertDictionaryToJSON: an object as JSON text, as Python's json.dumps writes it.

import { withDetectionsAsJson } from '../detections-json.ts';
import { pythonJsonWithNaN } from '../python/json-text.ts';
import { isDict } from '../python/kind.ts';
import { defineOperation } from './operation.ts';
import { OperationFault, shownValue, wrongInput } from './operation-fault.ts';

export const convertDictionaryToJson = defineOperation({
  type: 'ConvertDictionaryToJSON',
  summary: "Writes an object as JSON text, as Python's `json.dumps` does.",
  parameters: {},
  apply: (value, _settings, _context, place) => {
    const dictionary = withDetectionsAsJson(value);
    if (!isDict(dictionary)) {
      throw wrongInput(`Executing dictionary_to_json(...) in context ${place}, expected dict object as value, got ${shownValue(value)}`);
    }
    try {
      return pythonJsonWithNaN(dictionary);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new OperationFault(
        'OperationError',
        `While Using operation dictionary_to_json(...) in context ${place} encountered error: ${error.message}`,
      );
    }
  },
});
