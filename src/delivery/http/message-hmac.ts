// The header with an HMAC that a message asks for, over its text or the body that is sent.

import { createHmac } from 'node:crypto';
import type { MessageHmac } from '../../core/delivery/outbound.ts';
import { mayHoldPlaceholder } from '../../core/secrets/placeholder.ts';
import { Refusal } from '../refusal.ts';
import { type OpenBlob, updateWithBody } from './message-body.ts';
import { addMessageHeaders } from './message-headers.ts';
import type { WireRequest } from './wire-request.ts';

/** Overrides a header of the same name. Throws Refusal. */
export async function addHmac(
  { headers, body }: WireRequest,
  { header, secret, text, ...form }: MessageHmac,
  openBlob: OpenBlob,
): Promise<void> {
  // Anyone could compute an HMAC with an empty key, or with text that only looks like a placeholder.
  if (secret === '' || mayHoldPlaceholder(secret)) throw new Refusal('the secret of the HMAC is empty or no longer set');
  const hmac = createHmac(form.algorithm, secret);
  if (text === null) await updateWithBody(hmac, body, openBlob);
  else hmac.update(text);
  addMessageHeaders(headers, { [header]: form.prefix + hmac.digest(form.encoding) });
}
