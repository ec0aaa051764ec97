// HMACs of a text that is known only once the whole request has been read.

import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { readKey } from '../proofs/keys.ts';
import { type Secret, validSecrets } from '../proofs/proof.ts';

export interface TextHmac {
  hash: 'sha1' | 'sha256';
  encoding: 'hex' | 'base64';
}

export interface TextKey {
  key: KeyObject;
  endsAt: number | null;
}

/** Throws an Error for a secret that is no key. */
export function readTextKeys(secrets: readonly Secret[], encoding: 'utf8' | 'hex'): TextKey[] {
  return secrets.map(({ value, endsAt }) => ({ key: readKey(encoding, value), endsAt }));
}

/**
 * Returns the position of the secret that signed each of the texts, or null. An item of `texts` lists the forms of one text, with
 * the signature that one of them must have. All secrets are tried.
 */
export function matchingSecret(
  keys: readonly TextKey[],
  texts: readonly { forms: readonly string[]; signature: string }[],
  { hash, encoding }: TextHmac,
  now: number,
): number | null {
  const matching = validSecrets(keys, now).filter(([, { key }]) =>
    texts
      .map(({ forms, signature }) =>
        forms.map((form) => isEqual(signature, createHmac(hash, key).update(form).digest(encoding))).includes(true),
      )
      .every(Boolean),
  );
  return texts.length === 0 ? null : (matching[0]?.[0] ?? null);
}

/** Exact, so that a signature has one spelling. */
function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
