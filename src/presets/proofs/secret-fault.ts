// Finds faults of secrets when a sink is saved: a secret that is no key would refuse every request.

import type { Proof } from '../preset.ts';
import { basicSecretFault } from './basic-proof.ts';
import { readJwtKey } from './jwt-keys.ts';
import { readKey } from './keys.ts';
import { signatureSecretFault } from './signature-proof.ts';

/** A fault of one secret, or null. */
export function secretFault(proof: Proof, secret: string): string | null {
  switch (proof.kind) {
    case 'signature':
      return signatureSecretFault(proof, secret);
    case 'basic':
      return basicSecretFault(secret);
    case 'jwt':
      return faultOf(() => readJwtKey(proof, secret));
    case 'code':
      return proof.scheme === 'adyen' ? faultOf(() => readKey('hex', secret)) : null;
    default:
      return null;
  }
}

function faultOf(read: () => unknown): string | null {
  try {
    read();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
