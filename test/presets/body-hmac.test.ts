// The HMAC of a body is Node's own, whatever its length, the length of the key, and the chunks in which it comes.

import { createHmac, createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BodyHmac, readHmacKey } from '../../src/presets/proofs/body-hmac.ts';

const KEY_LENGTHS = [1, 20, 63, 64, 65, 127, 128, 129, 1000];
const BODY_LENGTHS = [0, 1, 1024, 8191, 8192, 8193, 65_535, 65_536, 65_537, 200_000];

describe.each(['sha1', 'sha256', 'sha512'])('with %s', (hash) => {
  it.each(BODY_LENGTHS)('hashes %i bytes', (length) => {
    const body = Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 131) % 256));
    for (const keyLength of KEY_LENGTHS) {
      const key = createSecretKey(Buffer.alloc(keyLength, 0xa7));
      const ready = readHmacKey(hash, key);
      const expected = createHmac(hash, key).update(body).digest('base64');
      for (const chunkLength of [length, 60_000, 700]) {
        const hmac = new BodyHmac(ready);
        for (let at = 0; at < length; at += chunkLength) hmac.update(body.subarray(at, at + chunkLength));
        expect(hmac.digest('base64'), `key of ${keyLength}, chunks of ${chunkLength}`).toBe(expected);
      }
    }
  });
});

it('keeps the texts of two requests under one key apart', () => {
  const key = createSecretKey(Buffer.from('secret'));
  const ready = readHmacKey('sha256', key);
  const [first, second] = [new BodyHmac(ready), new BodyHmac(ready)];
  for (const part of ['a long beginning', ' and an end']) {
    first.update(Buffer.from(part));
    second.update(Buffer.from(part.toUpperCase()));
  }
  const expected = (text: string): string => createHmac('sha256', key).update(text).digest('hex');
  expect(second.digest('hex')).toBe(expected('A LONG BEGINNING AND AN END'));
  expect(first.digest('hex')).toBe(expected('a long beginning and an end'));
});
