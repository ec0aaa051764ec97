// Mandrill: requests that are signed here, without code of src/presets.

import { describe, expect, test } from 'vitest';
import { FORM, hmac, KEY, refused, secret, URL_SENT, verify } from './hmac-request.ts';

describe('Mandrill', () => {
  const events = '[{"event":"send","_id":"1","msg":{"subject":"Grüße"}}]';
  const body = `mandrill_events=${encodeURIComponent(events)}`;
  const headers = { 'content-type': FORM, 'x-mandrill-signature': hmac('sha1', KEY, `${URL_SENT}mandrill_events${events}`, 'base64') };

  test('signs the URL and the fields', async () => {
    expect(await verify('mandrill', { headers, body })).toMatchObject({ isProven: true, secret: 0, signed: { coversBody: true } });
    expect(await verify('mandrill', { headers, body }, { secrets: [secret('other')] })).toEqual(refused('does not match'));
    expect(await verify('mandrill', { headers, body: `${body}&x=1` })).toEqual(refused('does not match'));
    expect(await verify('mandrill', { headers, body, url: 'https://hooks.example.org/other' })).toEqual(refused('does not match'));
  });

  test('is refused without fields, and without a signature', async () => {
    const empty = { ...headers, 'x-mandrill-signature': hmac('sha1', KEY, URL_SENT, 'base64') };
    expect(await verify('mandrill', { headers: empty })).toEqual(refused('no signed fields'));
    expect(await verify('mandrill', { headers: { 'content-type': FORM }, body })).toEqual(refused('x-mandrill-signature is missing'));
  });
});
