// The public keys that a provider publishes as a JSON Web Key Set (RFC 7517).

import { createLocalJWKSet } from 'jose/jwks/local';

export type KeySet = ReturnType<typeof createLocalJWKSet>;

/** Throws an Error that names the fault. */
export function readKeySet(text: string): KeySet {
  try {
    return createLocalJWKSet(JSON.parse(text) as Parameters<typeof createLocalJWKSet>[0]);
  } catch {
    throw new Error('the answer is no JSON Web Key Set');
  }
}
