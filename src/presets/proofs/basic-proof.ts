// Verifies HTTP Basic authentication (RFC 7617). A secret is `user:password`.

import { headerAt } from '../place.ts';
import { equalVerifier } from './equal-proof.ts';
import { refusal, type Secret, type Verifier } from './proof.ts';

const FORM = /^basic +([A-Za-z0-9+/]+=*)$/i;

export function basicVerifier(secrets: readonly Secret[]): Verifier {
  const credentials = equalVerifier({ kind: 'equal', place: 'header:authorization' }, secrets);
  return {
    begin(head, now) {
      const header = headerAt('authorization', head);
      if (header === null) return refusal('missing_token', 'user and password are missing: send "Authorization: Basic …"');
      const encoded = FORM.exec(header.trim())?.[1];
      if (encoded === undefined) return refusal('wrong_token', 'the Authorization header is not "Basic" and base64 of "user:password"');
      const given = Buffer.from(encoded, 'base64').toString();
      const begun = credentials.begin({ ...head, headers: { authorization: given } }, now);
      return 'isProven' in begun ? refusal('wrong_token', 'user or password is wrong') : begun;
    },
  };
}

export function basicSecretFault(secret: string): string | null {
  return /^[^:]+:./.test(secret) ? null : 'must be "user:password"';
}
