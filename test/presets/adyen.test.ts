// Adyen: a notification of its own tests, and others that are signed here.

import { describe, expect, test } from 'vitest';
import { secretFault } from '../../src/presets/proofs/secret-fault.ts';
import { hmac, KEY, refused, type Sent, secret, verify } from './hmac-request.ts';

describe('Adyen', () => {
  const KEY_HEX = 'DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00';
  const secrets = [secret(KEY_HEX)];
  /** Of the tests of Adyen's library for PHP. */
  const published = {
    pspReference: '7914073381342284',
    merchantAccountCode: 'TestMerchant',
    merchantReference: 'TestPayment-1407325143704',
    amount: { value: 1130, currency: 'EUR' },
    eventCode: 'AUTHORISATION',
    success: 'true',
    additionalData: { hmacSignature: 'Ny9gS2veKo5E4w8/OL6xz1/wvT/hYkAXy1xNc/QvO4I=' },
  };
  const notify = (...items: unknown[]): Sent => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ live: 'false', notificationItems: items.map((item) => ({ NotificationRequestItem: item })) }),
  });
  const signed = (text: string, item: object) => ({
    ...item,
    additionalData: { hmacSignature: hmac('sha256', Buffer.from(KEY_HEX, 'hex'), text, 'base64') },
  });

  test('signs some fields of each notification', async () => {
    expect(await verify('adyen', notify(published), { secrets })).toEqual({
      isProven: true,
      secret: 0,
      signed: { name: published.additionalData.hmacSignature, coversBody: true },
    });
    const isTrue = { ...published, success: true };
    expect(await verify('adyen', notify(published, isTrue), { secrets })).toMatchObject({ isProven: true });
  });

  test('signs a separator in a value as it is, or escaped', async () => {
    const item = { pspReference: 'a:b\\c', originalReference: 'o', eventCode: 'REFUND', success: false };
    for (const text of ['a:b\\c:o:::::REFUND:false', 'a\\:b\\\\c:o:::::REFUND:false'])
      expect(await verify('adyen', notify(signed(text, item)), { secrets })).toMatchObject({ isProven: true });
  });

  test('is refused when one notification is not signed by the same secret', async () => {
    const other = { ...published, amount: { value: 9999, currency: 'EUR' } };
    expect(await verify('adyen', notify(published, other), { secrets })).toEqual(refused('does not match'));
    const unsigned = { ...published, additionalData: {} };
    expect(await verify('adyen', notify(published, unsigned), { secrets })).toEqual(refused('hmacSignature is missing'));
  });

  test('is refused without notifications', async () => {
    for (const body of [
      '{}',
      '{"notificationItems":[]}',
      '{"notificationItems":{"0":1}}',
      '[]',
      'null',
      '"x"',
      '',
      '{"notificationItems":[null]}',
    ])
      expect(await verify('adyen', { headers: {}, body }, { secrets })).toMatchObject({ isProven: false });
  });

  test('has a secret of hexadecimal digits', () => {
    const proof = { kind: 'code', scheme: 'adyen' } as const;
    expect(secretFault(proof, KEY_HEX)).toBeNull();
    expect(secretFault(proof, KEY)).toBe('must be hexadecimal');
  });
});
