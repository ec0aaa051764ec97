// sluice/encode_base64: text or bytes as base64 text.

import { BASE64_VARIANTS, encodeBase64 as encode } from '../../../values/base64.ts';
import { choiceParameter } from '../parameter.ts';
import { defineOwnOperation, readBytes } from './own-operation.ts';

export const encodeBase64 = defineOwnOperation({
  name: 'encode_base64',
  summary: 'Encodes text, as UTF-8, or bytes as base64 text.',
  parameters: {
    variant: choiceParameter(BASE64_VARIANTS, { description: 'The alphabet; base64url is written without padding', fallback: 'base64' }),
  },
  apply: (value, { variant }, refuse) => encode(readBytes(value, refuse), variant),
});
