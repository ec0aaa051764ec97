// sluice/parse_json: the value in JSON text, as in the messages of SNS. It is as bounded as a JSON body.

import { parseUntrustedJson, UntrustedJsonFault } from '../../../json/untrusted-json.ts';
import { defineOwnOperation, readText } from './own-operation.ts';

export const parseJson = defineOwnOperation({
  name: 'parse_json',
  summary: 'Parses JSON text; numbers keep their text, and at most 100 levels are allowed.',
  parameters: {},
  apply: (value, _settings, refuse) => {
    const text = readText(value, refuse);
    try {
      return parseUntrustedJson(text);
    } catch (error) {
      if (error instanceof UntrustedJsonFault) throw refuse(`the text ${text === '' ? 'is empty' : error.message}`);
      throw error;
    }
  },
});
