// Mailgun: requests that are signed here, without code of src/presets.

import { describe, expect, test } from 'vitest';
import { FORM, hmac, KEY, NOW, refused, type Sent, verify } from './hmac-request.ts';

describe('Mailgun', () => {
  const TOKEN = 'c4dc1ea5cc8ba3a1bd2b1c9b7ad0f5fe4d1a0b6d9a55a8ff2b';
  const signed = (timestamp: string, token = TOKEN) => ({ timestamp, token, signature: hmac('sha256', KEY, timestamp + token, 'hex') });
  const seconds = (offset: number): string => String(NOW / 1000 + offset);
  const json = (signature: object): Sent => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ signature, 'event-data': { event: 'opened' } }),
  });

  test('signs a time and a token, which do not cover the body', async () => {
    expect(await verify('mailgun', json(signed(seconds(0))))).toEqual({
      isProven: true,
      secret: 0,
      signed: { name: seconds(0) + TOKEN, coversBody: false, goodForMs: 86_400_000 },
    });
  });

  test('has the three as fields of a form for inbound mail', async () => {
    const fields = { subject: 'hi', ...signed(seconds(0)) };
    const headers = { 'content-type': FORM };
    const body = new URLSearchParams(fields).toString();
    expect(await verify('mailgun', { headers, body })).toMatchObject({ isProven: true });
    expect(await verify('mailgun', { headers, body: `${body}&token=x` })).toEqual(refused('are missing in its body'));
    const parts = { headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: JSON.stringify(fields) };
    expect(await verify('mailgun', parts)).toMatchObject({ isProven: true });
  });

  test('is refused half a day before and after its time', async () => {
    expect(await verify('mailgun', json(signed(seconds(-43_200))))).toMatchObject({ isProven: true });
    expect(await verify('mailgun', json(signed(seconds(-43_201))))).toEqual(refused('it was signed 43201 s ago'));
    expect(await verify('mailgun', json(signed(seconds(43_201))))).toEqual(refused('ahead of this server'));
  });

  test('is refused when the time gives a digit to the token', async () => {
    const { timestamp, token, signature } = signed(seconds(0), `7${TOKEN}`);
    const shifted = { timestamp: `${timestamp}7`, token: token.slice(1), signature };
    expect(await verify('mailgun', json(shifted))).toEqual(refused('ahead of this server'));
  });

  const right = signed(seconds(0));
  for (const [what, signature] of [
    ['no token', { ...right, token: undefined }],
    ['an empty token', { ...right, token: '' }],
    ['another token', { ...right, token: `${TOKEN}0` }],
    ['no signature', { ...right, signature: undefined }],
    ['an empty signature', { ...right, signature: '' }],
    ['an upper-case signature', { ...right, signature: right.signature.toUpperCase() }],
    ['a signature that is an object', { ...right, signature: { length: 64 } }],
    ['a time that is no number', { ...right, timestamp: 'now' }],
    ['nothing', {}],
    ['a list', []],
  ] as const) {
    test(`is refused with ${what}`, async () => {
      expect(await verify('mailgun', json(signature))).toMatchObject({ isProven: false });
    });
  }
});
