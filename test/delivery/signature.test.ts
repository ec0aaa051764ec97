// The signature of Standard Webhooks, against the published cases.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { beginSignature, finishSignature, readSigningSecret } from '../../src/delivery/http/signature.ts';

interface Case {
  id: string;
  secret: string;
  headers: Record<string, string>;
  body: string;
  valid: boolean;
  note: string;
}

const cases = JSON.parse(readFileSync(new URL('../vectors/standard_webhooks.json', import.meta.url), 'utf8')) as Case[];

for (const { id, secret, headers, body, valid, note } of cases) {
  test(`${id} is ${valid ? 'what we send' : 'not what we send'}: ${note}`, () => {
    const key = readSigningSecret(secret) as Uint8Array;
    const signature = beginSignature(key, headers['webhook-id'] as string, headers['webhook-timestamp'] as string).update(body);
    expect(finishSignature(signature) === headers['webhook-signature']).toBe(valid);
  });
}

test.each(['', 'whsec_', 'whsec_a', 'whsec_not base64', 'whsec_YWJj=', 'whsec_-_-_', 'whsec_YQ===', 'whsec_YW\nJj'])(
  '%j is no secret',
  (secret) => {
    expect(readSigningSecret(secret)).toBeNull();
  },
);

test('a secret is base64, with its prefix or without, padded or not', () => {
  const secrets = ['whsec_c2VjcmV0IQ==', 'c2VjcmV0IQ==', 'whsec_c2VjcmV0IQ'];
  expect(secrets.map((secret) => Buffer.from(readSigningSecret(secret) as Uint8Array).toString())).toEqual([
    'secret!',
    'secret!',
    'secret!',
  ]);
});
