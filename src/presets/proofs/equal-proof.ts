// Verifies a shared secret that the provider sends with each request. The body is not bound to it.

import { createHash, timingSafeEqual } from 'node:crypto';
import { textAt, textsAt } from '../place.ts';
import type { EqualProof } from '../preset.ts';
import { type Proving, refusal, type Secret, type Verdict, type Verifier, validSecrets } from './proof.ts';

export function equalVerifier({ place }: EqualProof, secrets: readonly Secret[]): Verifier {
  const hashed = secrets.map(({ value, endsAt }) => ({ hash: sha256(value), endsAt }));
  const check = (texts: readonly (string | null)[], now: number): Verdict => {
    if (texts.length === 0 || texts.includes(null)) return refusal('missing_token', `the secret is missing: ${place} of the request`);
    // Every item of a list must have the same secret.
    const match = validSecrets(hashed, now).filter(([, { hash }]) => texts.map((text) => isHashOf(hash, text as string)).every(Boolean));
    return match[0] === undefined
      ? refusal('wrong_token', `the secret at ${place} of the request is wrong`)
      : { isProven: true, secret: match[0][0] };
  };
  return {
    begin(head, now) {
      if (place.startsWith('body:')) return { update: null, finish: (request) => check(textsAt(place, request), now) } satisfies Proving;
      const verdict = check([textAt(place, head)], now);
      return verdict.isProven ? { update: null, finish: () => verdict } : verdict;
    },
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function isHashOf(hash: Buffer, text: string): boolean {
  return timingSafeEqual(sha256(text), hash);
}
