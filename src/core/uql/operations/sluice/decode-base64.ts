// sluice/decode_base64: the text in base64 text, as in the messages of Pub/Sub.

import { BASE64_VARIANTS, Base64Fault, type Base64Variant, decodeBase64 as decode } from '../../../values/base64.ts';
import { choiceParameter } from '../parameter.ts';
import { defineOwnOperation, type Refuse, readText } from './own-operation.ts';

/** Drops a byte order mark. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

export const decodeBase64 = defineOwnOperation({
  name: 'decode_base64',
  summary: 'Decodes base64 text to the text in it, which must be UTF-8.',
  parameters: {
    variant: choiceParameter(BASE64_VARIANTS, {
      description: 'The alphabet; base64 needs its padding, base64url may omit it',
      fallback: 'base64',
    }),
  },
  apply: (value, { variant }, refuse) => {
    const bytes = decodeBytes(readText(value, refuse), variant, refuse);
    try {
      return UTF8.decode(bytes);
    } catch {
      throw refuse('the bytes in the base64 text are not UTF-8 text');
    }
  },
});

function decodeBytes(text: string, variant: Base64Variant, refuse: Refuse): Uint8Array {
  try {
    return decode(text, variant);
  } catch (error) {
    if (error instanceof Base64Fault) throw refuse(`the text ${error.message}`);
    throw error;
  }
}
