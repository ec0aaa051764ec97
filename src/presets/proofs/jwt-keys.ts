// The keys that verify JSON Web Tokens: shared secrets, or public keys of the type that the algorithms need.

import type { KeyObject } from 'node:crypto';
import type { JwtProof } from '../preset.ts';
import { readKey } from './keys.ts';

/** Throws an Error that names the right form. */
export function readJwtKey({ algorithms }: Pick<JwtProof, 'algorithms'>, secret: string): KeyObject {
  const key = readKey(usesSharedSecret(algorithms) ? 'utf8' : 'spki', secret);
  const types = [...new Set(algorithms.map((algorithm) => KEY_TYPES[algorithm.slice(0, 2)]))];
  if (key.asymmetricKeyType === undefined || types.includes(key.asymmetricKeyType)) return key;
  throw new Error(`must be a public key of type ${types.join(' or ')}`);
}

function usesSharedSecret([algorithm = '']: readonly string[]): boolean {
  return algorithm.startsWith('HS');
}

const KEY_TYPES: Readonly<Record<string, string>> = { RS: 'rsa', PS: 'rsa', ES: 'ec', Ed: 'ed25519' };
