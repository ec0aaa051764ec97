// Twilio: requests that are signed here, without code of src/presets.

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { makeVerifier } from '../support/verify-webhook.ts';
import { FORM, hmac, KEY, NOW, refused, secret, URL_SENT, verify } from './hmac-request.ts';

describe('Twilio', () => {
  const FIELDS = 'To=%2B1+800&Body=Gr%C3%BC%C3%9Fe+%26+mehr&Media=b&Media=a&Media=b';
  const TEXT = 'BodyGrüße & mehrMediaaMediabTo+1 800';
  const sign = (text: string): Record<string, string> => ({
    'content-type': FORM,
    'x-twilio-signature': hmac('sha1', KEY, text, 'base64'),
  });

  test('signs sorted fields, and each distinct value of one that is repeated', async () => {
    const headers = sign(URL_SENT + TEXT);
    expect(await verify('twilio', { headers, body: FIELDS })).toEqual({
      isProven: true,
      secret: 0,
      signed: { name: headers['x-twilio-signature'], coversBody: true },
    });
    const charset = { ...headers, 'content-type': `${FORM}; charset=UTF-8` };
    expect(await verify('twilio', { headers: charset, body: FIELDS })).toMatchObject({ isProven: true });
  });

  const urls: [string, string, string][] = [
    ['with the standard port', URL_SENT, 'https://hooks.example.org:443/in?a=1'],
    ['without the port of the sink', 'https://hooks.example.org:8443/in', 'https://hooks.example.org/in'],
    ['with the port of the sink', 'https://hooks.example.org:8443/in', 'https://hooks.example.org:8443/in'],
    ['with the port of http', 'http://hooks.example.org/in', 'http://hooks.example.org:80/in'],
  ];
  for (const [what, url, signed] of urls) {
    test(`signs the URL ${what}`, async () => {
      expect(await verify('twilio', { headers: sign(signed + TEXT), body: FIELDS, url })).toMatchObject({ isProven: true });
      expect(await verify('twilio', { headers: sign(`${signed}x${TEXT}`), body: FIELDS, url })).toEqual(refused('does not match'));
    });
  }

  test('is proven by each secret that has not ended', async () => {
    const headers = sign(URL_SENT + TEXT);
    const secrets = [secret('other'), secret(KEY, NOW + 1)];
    expect(await verify('twilio', { headers, body: FIELDS }, { secrets })).toMatchObject({ secret: 1 });
    expect(await verify('twilio', { headers, body: FIELDS }, { secrets, now: NOW + 1 })).toEqual(refused('does not match'));
  });

  test('signs the URL alone when there is no body', async () => {
    expect(await verify('twilio', { headers: sign(URL_SENT) })).toMatchObject({ isProven: true });
  });

  const signature = sign(URL_SENT + TEXT)['x-twilio-signature'] as string;
  for (const [what, given] of [
    ['empty', ''],
    ['without padding', signature.replace(/=+$/, '')],
    ['in another spelling', signature.replaceAll('+', '-').replaceAll('/', '_').replace('=', '')],
    ['cut', signature.slice(0, 8)],
    ['longer', `${signature}A`],
    ['repeated', `${signature}, ${signature}`],
    ['no base64', '%%%'],
  ] as const) {
    test(`is refused with a signature that is ${what}`, async () => {
      const headers = { 'content-type': FORM, 'x-twilio-signature': given };
      expect(await verify('twilio', { headers, body: FIELDS })).toEqual(refused('does not match'));
    });
  }

  test('is refused on its head without a signature', () => {
    const head = { method: 'POST', url: URL_SENT, headers: {}, query: {} };
    expect(makeVerifier('twilio', { secrets: [secret(KEY)] }).begin(head, NOW)).toEqual(refused('x-twilio-signature is missing'));
  });

  test('is refused with a field that was added or altered', async () => {
    const headers = sign(URL_SENT + TEXT);
    for (const body of [`${FIELDS}&X=1`, FIELDS.replace('Media=b', 'Media=c'), FIELDS.replace('To=', 'From=')])
      expect(await verify('twilio', { headers, body })).toEqual(refused('does not match'));
  });

  test('does not sign where a name ends, so that such a copy has the name of the message', async () => {
    const headers = sign(URL_SENT + TEXT);
    const verdicts = [FIELDS, FIELDS.replace('To=%2B1', 'To%2B1=')].map((body) => verify('twilio', { headers, body }));
    const [message, copy] = await Promise.all(verdicts);
    expect(copy).toEqual(message);
  });

  test('is refused with a body that the signature cannot cover', async () => {
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', `${FORM}; charset=utf-16`, '']) {
      const headers = { ...sign(URL_SENT), 'content-type': type };
      expect(await verify('twilio', { headers, body: '{"a":1}' })).toEqual(refused('the body is not signed'));
    }
  });

  test('binds JSON by a hash in the signed URL', async () => {
    const body = '{"a":1}';
    const hashed = `${URL_SENT}&bodySHA256=${createHash('sha256').update(body).digest('hex')}`;
    const headers = { ...sign(hashed), 'content-type': 'application/json' };
    expect(await verify('twilio', { headers, body, url: hashed })).toMatchObject({ isProven: true });
    expect(await verify('twilio', { headers, body: '{"a":2}', url: hashed })).toEqual(refused('bodySHA256'));
    const unsigned = hashed.replace(/[0-9a-f]{64}$/, createHash('sha256').update('{"a":2}').digest('hex'));
    expect(await verify('twilio', { headers, body: '{"a":2}', url: unsigned })).toEqual(refused('does not match'));
  });

  test('is refused with a form that is too large to read at once', async () => {
    const value = 'x'.repeat(4 * 2 ** 20);
    expect(await verify('twilio', { headers: sign(`${URL_SENT}a${value}`), body: `a=${value}` })).toEqual(
      refused('the body is not signed'),
    );
  });
});
