// Mandrill: HMAC-SHA1 over the URL of the webhook and the fields of the form.

import { headerAt } from '../place.ts';
import { refusal, type Secret, type Verifier } from '../proofs/proof.ts';
import { formOf, sortedText } from './seen-body.ts';
import { matchingSecret, readTextKeys } from './text-hmac.ts';

const HEADER = 'x-mandrill-signature';

export function mandrillVerifier(secrets: readonly Secret[]): Verifier {
  const keys = readTextKeys(secrets, 'utf8');
  return {
    begin(head, now) {
      const signature = headerAt(HEADER, head);
      if (signature === null) return refusal('signature_missing', `the request has no signature: header ${HEADER} is missing`);
      return {
        update: null,
        finish(request) {
          const form = formOf(request);
          if (form === null || form.size === 0)
            return refusal('signature_malformed', 'the request has no signed fields: its body is no form of UTF-8');
          const texts = [{ forms: [head.url + sortedText(form)], signature }];
          const secret = matchingSecret(keys, texts, { hash: 'sha1', encoding: 'base64' }, now);
          if (secret === null)
            return refusal('signature_mismatch', `the signature in ${HEADER} does not match the request and the sink's secret`);
          return { isProven: true, secret, signed: { name: signature, coversBody: true } };
        },
      };
    },
  };
}
