// Verifies a request with the verifier of a preset, as a sink does: the head first, then the body in small chunks.

import type { Preset } from '../../src/presets/preset.ts';
import type { Secret, Verdict, Verifier } from '../../src/presets/proofs/proof.ts';
import { createVerifier } from '../../src/presets/proofs/verifier.ts';
import type { FetchText } from '../../src/presets/remote/fetch-text.ts';
import { createSenderKeys } from '../../src/presets/remote/sender-keys.ts';
import type { Scheme, SettingValues } from '../../src/presets/scheme.ts';
import { findScheme } from '../../src/presets/schemes.ts';
import type { WebhookRequest } from './sign-webhook.ts';

const CHUNK_BYTES = 7;

/** `now` is wall time in ms. */
export function verifyWebhook({ id }: Preset, secrets: readonly Secret[], request: WebhookRequest, now: number): Promise<Verdict> {
  return verifyWith(makeVerifier(id, { secrets }), request, now);
}

export interface VerifierOptions {
  secrets?: readonly Secret[];
  settings?: SettingValues;
  fetchText?: FetchText;
}

export function makeVerifier(scheme: string, { secrets = [], settings = {}, fetchText = fetchNothing }: VerifierOptions): Verifier {
  return createVerifier(findScheme(scheme) as Scheme, secrets, settings, createSenderKeys(fetchText));
}

function fetchNothing(url: string): Promise<string> {
  return Promise.reject(new Error(`the test fetches nothing, and not ${url}`));
}

export async function verifyWith(verifier: Verifier, request: WebhookRequest, now: number): Promise<Verdict> {
  const { body, ...head } = request;
  const begun = verifier.begin(head, now);
  if ('isProven' in begun) return begun;
  if (begun.update !== null)
    for (let start = 0; start < body.length; start += CHUNK_BYTES) begun.update(body.subarray(start, start + CHUNK_BYTES));
  return begun.finish({ ...head, body: decode(body), bytes: body });
}

function decode(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
