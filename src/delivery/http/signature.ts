// The signature of Standard Webhooks: HMAC-SHA256 over id, timestamp and body, with the key of a `whsec_` secret.

import { createHmac, type Hmac } from 'node:crypto';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** Returns the key, or null when the secret is not base64. The prefix is optional. */
export function readSigningSecret(secret: string): Uint8Array | null {
  const text = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : secret;
  return text !== '' && BASE64.test(text) ? Buffer.from(text, 'base64') : null;
}

/** Update the result with the body, then pass it to `finishSignature`. `timestamp` is in seconds. */
export function beginSignature(key: Uint8Array, id: string, timestamp: string): Hmac {
  return createHmac('sha256', key).update(`${id}.${timestamp}.`);
}

/** The value of `webhook-signature`. */
export function finishSignature(hmac: Hmac): string {
  return `v1,${hmac.digest('base64')}`;
}
