// The header with an HMAC: the published cases of RFC 2202 and RFC 4231, bodies of all kinds, and keys that sign nothing.

import { createHmac } from 'node:crypto';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { HttpMessage, MessageHmac } from '../../src/core/delivery/outbound.ts';
import { startReceiver } from './hostile-receiver.ts';
import { attempt, openSender, post, type TestSenderOptions } from './http-sender.ts';

const HMAC: MessageHmac = { header: 'X-Signature', secret: 'Jefe', algorithm: 'sha256', encoding: 'hex', prefix: '', text: null };
const TEXT = 'what do ya want for nothing?';

async function send(hmac: Partial<MessageHmac>, changed: Partial<HttpMessage> = {}, options: TestSenderOptions = {}) {
  const receiver = await startReceiver();
  const message = post(`${receiver.url}/ok`, { ...changed, hmac: { ...HMAC, ...hmac } });
  const result = await openSender(options).send(message, attempt());
  return { result, requests: receiver.requests };
}

test.each<[MessageHmac['algorithm'], string]>([
  ['sha1', 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'],
  ['sha256', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
  [
    'sha512',
    '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
  ],
])('HMAC-%s gives the published value', async (algorithm, expected) => {
  const { requests } = await send({ algorithm, prefix: 'v1=', text: TEXT });
  expect(requests[0]?.headers['x-signature']).toBe(`v1=${expected}`);
});

test.each<[string, HttpMessage['body'], string]>([
  ['no body', null, ''],
  ['an empty body', [], ''],
  ['bytes', [Buffer.from('a'), Buffer.from('€')], 'a€'],
  ['a received file between bytes', [Buffer.from('<'), { sha256: 'a'.repeat(64), size: 4 }, Buffer.from('>')], '<file>'],
])('the HMAC is that of %s as sent', async (_what, body, sent) => {
  const { requests } = await send(
    { encoding: 'base64' },
    { body },
    { openBlob: () => Readable.from([Buffer.from('fi'), Buffer.from('le')]) },
  );
  expect(requests[0]?.headers['x-signature']).toBe(createHmac('sha256', 'Jefe').update(sent).digest('base64'));
});

test('it replaces a header of the same name', async () => {
  const { requests } = await send({ text: TEXT }, { headers: { 'x-signature': 'theirs' } });
  expect(requests[0]?.headers['x-signature']).toMatch(/^[0-9a-f]{64}$/);
});

test.each<[string, Partial<MessageHmac>, string]>([
  ['an empty secret', { secret: '' }, 'the secret of the HMAC is empty or no longer set'],
  [
    'a placeholder that was not replaced',
    { secret: `sluice-secret.KEY.${'0'.repeat(32)}` },
    'the secret of the HMAC is empty or no longer set',
  ],
  ['a header of framing', { header: 'Content-Length' }, 'the header Content-Length is set by the server and must not be given'],
  ['a name that is no header', { header: 'X A' }, '"X A" is not a valid header name'],
  [
    'a prefix with a line break',
    { prefix: 'a\r\nX-B: ' },
    'the value of the header X-Signature holds a line break or another control character',
  ],
])('%s is refused before anything is sent', async (_what, hmac, reason) => {
  const { result, requests } = await send(hmac);
  expect(result).toEqual({ kind: 'refused', reason });
  expect(requests).toEqual([]);
});
