// Twilio: HMAC-SHA1 over the public URL and the fields of the form. For another body, the signed URL has its hash in `bodySHA256`.

import { createHash } from 'node:crypto';
import { headerAt, textAt } from '../place.ts';
import { type ProofHead, type Proving, refusal, type Secret, type Verifier } from '../proofs/proof.ts';
import { formOf, sortedText } from './seen-body.ts';
import { matchingSecret, readTextKeys, type TextKey } from './text-hmac.ts';

const HEADER = 'x-twilio-signature';

export function twilioVerifier(secrets: readonly Secret[]): Verifier {
  const keys = readTextKeys(secrets, 'utf8');
  return {
    begin(head, now) {
      const seen = { ...head, body: undefined };
      const signature = headerAt(HEADER, seen);
      if (signature === null) return refusal('signature_missing', `the request has no signature: header ${HEADER} is missing`);
      const bodyHash = textAt('query:bodySHA256', seen);
      return bodyHash === null ? formProving(head, signature, keys, now) : hashProving(head, signature, keys, now, bodyHash);
    },
  };
}

function formProving(head: ProofHead, signature: string, keys: readonly TextKey[], now: number): Proving {
  return {
    update: null,
    finish(request) {
      const form = formOf(request);
      if (form === null)
        return refusal('signature_malformed', 'the body is not signed: it is no form of UTF-8, and the URL has no bodySHA256');
      return verdict(head, signature, keys, now, sortedText(form));
    },
  };
}

function hashProving(head: ProofHead, signature: string, keys: readonly TextKey[], now: number, bodyHash: string): Proving {
  const hash = createHash('sha256');
  return {
    update: (chunk) => void hash.update(chunk),
    finish() {
      if (hash.digest('hex') !== bodyHash)
        return refusal('signature_mismatch', 'the body is not the one whose hash is bodySHA256 of the signed URL');
      return verdict(head, signature, keys, now, '');
    },
  };
}

function verdict({ url }: ProofHead, signature: string, keys: readonly TextKey[], now: number, fields: string) {
  const forms = urlForms(url).map((form) => form + fields);
  const secret = matchingSecret(keys, [{ forms, signature }], { hash: 'sha1', encoding: 'base64' }, now);
  if (secret === null) return refusal('signature_mismatch', `the signature in ${HEADER} does not match the request and the sink's secret`);
  return { isProven: true as const, secret, signed: { name: signature, coversBody: true } };
}

/** Twilio signs the URL with the port or without it, and its library tries both. */
function urlForms(url: string): string[] {
  const [, origin = url, scheme, port, rest = ''] = /^((https?):\/\/[^/?#]*?)(:\d+)?([/?#].*)?$/.exec(url) ?? [];
  return [origin + rest, `${origin}${port ?? (scheme === 'http' ? ':80' : ':443')}${rest}`];
}
