// Creates the verifier of a sink, from its scheme and its secrets.

import { idPlace } from '../generic.ts';
import type { Proof } from '../preset.ts';
import type { Scheme, SettingValues } from '../scheme.ts';
import { basicSecretFault, basicVerifier } from './basic-proof.ts';
import { equalVerifier } from './equal-proof.ts';
import type { Secret, Verifier } from './proof.ts';
import { signatureSecretFault, signatureVerifier } from './signature-proof.ts';

/** Throws an Error for a secret that is no key. */
export function createVerifier(scheme: Scheme, secrets: readonly Secret[], settings: SettingValues): Verifier {
  const proof = scheme.proofOf(settings);
  switch (proof.kind) {
    case 'signature':
      return signatureVerifier({ ...proof, deliveryId: scheme.preset?.deliveryId ?? idPlace(settings) }, secrets);
    case 'equal':
      return equalVerifier(proof, secrets);
    case 'basic':
      return basicVerifier(secrets);
    default:
      throw new Error(`scheme ${scheme.id} has no verifier`);
  }
}

/** A fault of one secret, or null. */
export function secretFault(proof: Proof, secret: string): string | null {
  switch (proof.kind) {
    case 'signature':
      return signatureSecretFault(proof, secret);
    case 'basic':
      return basicSecretFault(secret);
    default:
      return null;
  }
}

/** True when the proof covers the public URL of the sink. */
export function signsUrl(proof: Proof): boolean {
  if (proof.kind === 'signature') return /\{(?:hubspot_)?url\}/.test(proof.signed);
  return proof.kind === 'code' && (proof.scheme === 'twilio' || proof.scheme === 'mandrill');
}
