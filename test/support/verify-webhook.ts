// Verifies a request with the verifier of a preset, as a sink does: the head first, then the body in small chunks.

import type { Preset } from '../../src/presets/preset.ts';
import { basicVerifier } from '../../src/presets/proofs/basic-proof.ts';
import { equalVerifier } from '../../src/presets/proofs/equal-proof.ts';
import type { Secret, Verdict, Verifier } from '../../src/presets/proofs/proof.ts';
import { signatureVerifier } from '../../src/presets/proofs/signature-proof.ts';
import type { WebhookRequest } from './sign-webhook.ts';

const CHUNK_BYTES = 7;

/** `now` is wall time in ms. */
export async function verifyWebhook(preset: Preset, secrets: readonly Secret[], request: WebhookRequest, now: number): Promise<Verdict> {
  const { body, ...head } = request;
  const begun = verifierOf(preset, secrets).begin(head, now);
  if ('isProven' in begun) return begun;
  if (begun.update !== null)
    for (let start = 0; start < body.length; start += CHUNK_BYTES) begun.update(body.subarray(start, start + CHUNK_BYTES));
  return begun.finish({ ...head, body: decode(body) });
}

function verifierOf({ id, proof, deliveryId }: Preset, secrets: readonly Secret[]): Verifier {
  switch (proof.kind) {
    case 'signature':
      return signatureVerifier({ ...proof, deliveryId }, secrets);
    case 'equal':
      return equalVerifier(proof, secrets);
    case 'basic':
      return basicVerifier(secrets);
    default:
      throw new Error(`${id} needs a verifier of its own`);
  }
}

function decode(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
