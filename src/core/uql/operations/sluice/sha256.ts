// sluice/sha256: the SHA-256 digest of text or bytes.

import { createHash } from 'node:crypto';
import { choiceParameter } from '../parameter.ts';
import { defineOwnOperation, readBytes } from './own-operation.ts';

export const sha256 = defineOwnOperation({
  name: 'sha256',
  summary: 'Returns the SHA-256 digest of text, as UTF-8, or of bytes.',
  parameters: {
    encoding: choiceParameter(['hex', 'base64', 'base64url'], { description: 'How the digest is written', fallback: 'hex' }),
  },
  apply: (value, { encoding }, refuse) => createHash('sha256').update(readBytes(value, refuse)).digest(encoding),
});
