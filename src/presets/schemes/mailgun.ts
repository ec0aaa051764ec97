// Mailgun: HMAC-SHA256 over a time and a token. The event is not signed, so a token is good for one request.

import { type SeenRequest, textAt } from '../place.ts';
import type { Place } from '../preset.ts';
import { refusal, type Secret, type Verdict, type Verifier } from '../proofs/proof.ts';
import { timestampFault } from '../proofs/timestamps.ts';
import { documentOf, formOf, isForm } from './seen-body.ts';
import { matchingSecret, readTextKeys, type TextKey } from './text-hmac.ts';

/** Mailgun retries for eight hours. */
const TOLERANCE_SECONDS = 43_200;

export function mailgunVerifier(secrets: readonly Secret[]): Verifier {
  const keys = readTextKeys(secrets, 'utf8');
  return { begin: (_head, now) => ({ update: null, finish: (request) => check(readFields(request), keys, now) }) };
}

interface SignedFields {
  timestamp: string | null;
  token: string | null;
  signature: string | null;
}

/** Webhooks have an object `signature`; routes of inbound mail have the three as fields of a form. */
function readFields(request: SeenRequest): SignedFields {
  const body = isForm(request) ? asDocument(formOf(request)) : documentOf(request);
  const seen = { ...request, body };
  const isFlat = textAt('body:signature', seen) !== null;
  const field = (name: string): string | null => textAt(`body:${isFlat ? '' : 'signature.'}${name}` as Place, seen);
  return { timestamp: field('timestamp'), token: field('token'), signature: field('signature') };
}

/** A field that comes twice is read as missing. */
function asDocument(form: ReadonlyMap<string, readonly string[]> | null): unknown {
  return Object.fromEntries([...(form ?? [])].filter(([, values]) => values.length === 1).map(([name, [value]]) => [name, value]));
}

function check({ timestamp, token, signature }: SignedFields, keys: readonly TextKey[], now: number): Verdict {
  if (timestamp === null || token === null || signature === null)
    return refusal('signature_missing', 'the request has no signature: timestamp, token and signature are missing in its body');
  const fault = timestampFault(timestamp, 's', TOLERANCE_SECONDS, now);
  if (fault !== null) return refusal(fault.kind, `the signature is refused: ${fault.why}`);
  const signed = timestamp + token;
  const secret = matchingSecret(keys, [{ forms: [signed], signature }], { hash: 'sha256', encoding: 'hex' }, now);
  if (secret === null) return refusal('signature_mismatch', "the signature does not match the request and the sink's secret");
  return { isProven: true, secret, signed: { name: signed, coversBody: false, goodForMs: 2 * TOLERANCE_SECONDS * 1000 } };
}
