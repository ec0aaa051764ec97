// Signatures of Standard Webhooks, against the published cases, with the reason for each that is refused.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { beginSignature, finishSignature, readSigningSecret } from '../../src/delivery/http/signature.ts';
import type { SignatureVerdict } from '../../src/receiver/arrival.ts';
import { beginSignatureCheck } from '../../src/receiver/signature-check.ts';

interface Case {
  id: string;
  secret: string;
  headers: Record<string, string>;
  body: string;
  valid: boolean;
}

const cases = JSON.parse(readFileSync(new URL('../vectors/standard_webhooks.json', import.meta.url), 'utf8')) as Case[];
const KEY = readSigningSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw') as Uint8Array;
const NOW = 1_614_265_330;

function check(
  headers: Record<string, string | undefined>,
  { key = KEY as Uint8Array | null, body = '{}', now = NOW } = {},
): SignatureVerdict {
  const checking = beginSignatureCheck(headers, key, now * 1000);
  for (const byte of Buffer.from(body)) checking.add(Buffer.from([byte]));
  return checking.verdict();
}

function signed(id = 'msg_1', timestamp = String(NOW)): Record<string, string> {
  const signature = finishSignature(beginSignature(KEY, id, timestamp).update('{}'));
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
}

for (const { id, secret, headers, body, valid } of cases) {
  test(`${id} is ${valid ? 'valid' : 'invalid'}`, () => {
    const { verdict } = check(headers, { key: readSigningSecret(secret), body, now: Number(headers['webhook-timestamp']) || NOW });
    expect(verdict).toBe(valid ? 'valid' : 'invalid');
  });
}

test('one of several is enough; those of other versions are passed over', () => {
  const right = signed();
  const others = { ...right, 'webhook-signature': `v1a,${'A'.repeat(88)} v1,AAAA ${right['webhook-signature']} v2,x` };
  expect(check(others).verdict).toBe('valid');
});

test('five minutes early or late are allowed, and no second more', () => {
  const verdicts = [-300, 300, -301, 301].map((seconds) => check(signed(), { now: NOW + seconds }));
  expect(verdicts).toEqual([
    { verdict: 'valid', reason: null },
    { verdict: 'valid', reason: null },
    { verdict: 'invalid', reason: 'webhook-timestamp is 301 s in the future, and 300 s are allowed' },
    { verdict: 'invalid', reason: 'webhook-timestamp is 301 s old, and 300 s are allowed' },
  ]);
});

test('what is wrong is named', () => {
  const right = signed();
  const reasonOf = (headers: Record<string, string | undefined>): string | null => check({ ...right, ...headers }).reason;
  expect(reasonOf({ 'webhook-id': undefined })).toBe('webhook-id is missing');
  expect(reasonOf({ 'webhook-timestamp': undefined })).toBe('webhook-timestamp is missing');
  expect(reasonOf({ 'webhook-signature': undefined })).toBe('webhook-signature is missing');
  expect(reasonOf({ 'webhook-timestamp': `${NOW}abc` })).toBe('webhook-timestamp is no number of seconds');
  expect(reasonOf(signed('msg_1', `${NOW}000`))).toMatch(/in the future.*; it is counted in seconds, not in milliseconds$/);
  expect(reasonOf({ 'webhook-signature': 'v1a,AAAA' })).toBe('webhook-signature holds none of version 1, written as v1,<base64>');
  expect(reasonOf({ 'webhook-signature': 'v1,AAAA v1,BBBB' })).toBe('none of the 2 signatures is of this body, id, timestamp and secret');
  expect(reasonOf(signed('a.b'))).toMatch(/^webhook-id holds a "\."/);
});

test('without headers there is none, and without a secret none is checked', () => {
  expect(check({}).verdict).toBe('none');
  expect(check({}, { key: null }).verdict).toBe('none');
  expect(check(signed(), { key: null }).verdict).toBe('unchecked');
});
