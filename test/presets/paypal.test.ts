// PayPal: transmissions that are signed here with certificates of the tests.

import { createSign } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Unreachable } from '../../src/presets/remote/fetch-text.ts';
import { makeVerifier, verifyWith } from '../support/verify-webhook.ts';
import { EXPIRED, publish, SIGNER } from './sender-certificate.ts';

const NOW = Date.UTC(2026, 10, 29);
const WEBHOOK_ID = '1JE4291016473214C';
const CERT_URL = 'https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594';
const BODY = '{"id":"WH-1","event_type":"PAYMENT.CAPTURE.COMPLETED","summary":"Grüße"}';

interface Transmission {
  id?: string;
  time?: string;
  webhookId?: string;
  key?: string;
  body?: string;
}

function transmit({
  id = 't-1',
  time = new Date(NOW).toISOString(),
  webhookId = WEBHOOK_ID,
  key = SIGNER.key,
  body = BODY,
}: Transmission = {}) {
  const text = `${id}|${time}|${webhookId}|${crc32(body)}`;
  return {
    'paypal-transmission-id': id,
    'paypal-transmission-time': time,
    'paypal-transmission-sig': createSign('sha256').update(text).sign(key, 'base64'),
    'paypal-auth-algo': 'SHA256withRSA',
    'paypal-cert-url': CERT_URL,
  };
}

async function verify(headers: Record<string, string>, { body = BODY, cert = SIGNER.cert as string | Error } = {}) {
  const { fetched, fetchText } = publish({ [CERT_URL]: cert });
  const verifier = makeVerifier('paypal', { settings: { webhook_id: WEBHOOK_ID }, fetchText });
  const request = { method: 'POST', url: 'https://hooks.example/paypal', headers, query: {}, body: Buffer.from(body) };
  return { verdict: await verifyWith(verifier, request, NOW), fetched };
}

const refused = (reason: string) => ({ isProven: false, kind: expect.any(String), reason: expect.stringContaining(reason) });

test('a transmission is proven, and names itself', async () => {
  expect((await verify(transmit())).verdict).toEqual({
    isProven: true,
    secret: 0,
    signed: { name: 't-1', coversBody: false, goodForMs: 8 * 86_400_000 },
  });
  expect((await verify(transmit({ body: '' }), { body: '' })).verdict).toMatchObject({ isProven: true });
});

test('another body with the same checksum is proven too, so that the name is good for one body', async () => {
  const [body, other] = ['plumless', 'buckeroo'];
  expect(crc32(body)).toBe(crc32(other));
  const headers = transmit({ body });
  expect((await verify(headers, { body: other })).verdict).toMatchObject({ signed: { name: 't-1', coversBody: false } });
});

describe('a transmission is refused without a fetch', () => {
  const right = transmit();
  const cases: [string, Record<string, string>, string][] = [
    ['without headers', {}, 'paypal-transmission-id is missing'],
    ['with an id that has a separator', { ...right, 'paypal-transmission-id': 't-1|x' }, 'paypal-transmission-id is missing or malformed'],
    ['without a time', { ...right, 'paypal-transmission-time': '' }, 'the time that it signs is missing'],
    ['with a time that is none', { ...right, 'paypal-transmission-time': '1|2' }, 'the time that it signs is malformed'],
    ['after four days', transmit({ time: new Date(NOW - 4 * 86_400_000 - 1000).toISOString() }), 'ago, and 345600 s are allowed'],
    ['with another algorithm', { ...right, 'paypal-auth-algo': 'none' }, 'paypal-auth-algo is not SHA256withRSA'],
    ['with a signature that is not base64', { ...right, 'paypal-transmission-sig': '%%%' }, 'is not base64'],
  ];
  for (const [what, headers, reason] of cases) {
    test(what, async () => {
      expect(await verify(headers)).toEqual({ verdict: refused(reason), fetched: [] });
    });
  }

  const urls = [
    'https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1',
    'https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1',
    'https://evilpaypal.com/v1/notifications/certs/CERT-1',
    'https://www.paypal.com/v1/notifications/certs/CERT-1',
    'https://api.paypal.com/v1/notifications/certs/../../other',
    'https://api.paypal.com/v1/notifications/certs/CERT-1?x=1',
    'https://api.paypal.com/other/CERT-1',
    'https://api.paypal.com:8443/v1/notifications/certs/CERT-1',
    'http://api.paypal.com/v1/notifications/certs/CERT-1',
    '',
  ];
  for (const url of urls) {
    test(`with a certificate at ${JSON.stringify(url)}`, async () => {
      expect(await verify({ ...right, 'paypal-cert-url': url })).toEqual({
        verdict: refused('paypal-cert-url is no address'),
        fetched: [],
      });
    });
  }
});

describe('a transmission is refused', () => {
  test('for another webhook, body, id or time, and with an empty signature', async () => {
    for (const headers of [
      transmit({ webhookId: 'other' }),
      transmit({ body: `${BODY} ` }),
      { ...transmit(), 'paypal-transmission-id': 't-2' },
      { ...transmit(), 'paypal-transmission-time': new Date(NOW + 1000).toISOString() },
      { ...transmit(), 'paypal-transmission-sig': '' },
    ])
      expect((await verify(headers)).verdict).toEqual(refused('does not match the request and webhook_id'));
  });

  test('when its certificate has expired', async () => {
    expect((await verify(transmit({ key: EXPIRED.key }), { cert: EXPIRED.cert })).verdict).toEqual(refused('its certificate has expired'));
  });
});

test('a transmission is neither proven nor refused while its certificate cannot be fetched', async () => {
  await expect(verify(transmit(), { cert: new Error('the answer is longer than 65536 bytes') })).rejects.toThrow(Unreachable);
});
