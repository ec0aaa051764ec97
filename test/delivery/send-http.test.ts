// What is put on the wire for a message: headers, bodies, credentials, signature. And what is never put there.

import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { HttpMessage } from '../../src/core/delivery/outbound.ts';
import { beginSignature, finishSignature, readSigningSecret } from '../../src/delivery/http/signature.ts';
import { startReceiver } from './hostile-receiver.ts';
import { attempt, openSender, post, type TestSenderOptions } from './http-sender.ts';

async function sent(changed: Partial<HttpMessage>, { path = '/ok', ...options }: TestSenderOptions & { path?: string } = {}) {
  const receiver = await startReceiver();
  const result = await openSender(options).send(post(`${receiver.url}${path}`, changed), attempt());
  return { result, receiver, request: receiver.requests[0] };
}

describe('headers', () => {
  test('of our own are the user agent, Accept and what makes a repeated delivery recognisable', async () => {
    const { request, receiver } = await sent({});
    expect(request?.headers).toEqual({
      host: receiver.url.slice('http://'.length),
      connection: 'keep-alive',
      'user-agent': 'sluice/test',
      accept: '*/*',
      'idempotency-key': 'run_1:notify',
      'webhook-id': 'dlv_1',
      'webhook-timestamp': '1700000000',
      'content-length': '5',
    });
  });

  test('of the message come as they are written, and win over ours in any case', async () => {
    const headers = {
      'X-Trace-ID': 'a b',
      'user-AGENT': 'mine',
      accept: 'text/plain',
      'idempotency-key': 'theirs',
      'Content-Type': 'x/y; z=é',
    };
    const { request } = await sent({ headers });
    expect(request?.names.filter((name) => /^(?:x-|user|accept|idem|content-t)/i.test(name))).toEqual([
      'user-AGENT',
      'accept',
      'idempotency-key',
      'X-Trace-ID',
      'Content-Type',
    ]);
    expect(request?.headers).toMatchObject({
      'x-trace-id': 'a b',
      'user-agent': 'mine',
      accept: 'text/plain',
      'idempotency-key': 'theirs',
      'content-type': 'x/y; z=é',
    });
  });

  test('of one name in two cases are sent once, and the last counts', async () => {
    const { request } = await sent({ headers: { 'X-A': '1', 'x-a': '2' } });
    expect(request?.names.filter((name) => name.toLowerCase() === 'x-a')).toEqual(['x-a']);
    expect(request?.headers['x-a']).toBe('2');
  });

  test.each([
    'Content-Length',
    'content-length',
    'Transfer-Encoding',
    'Connection',
    'Host',
    'Upgrade',
    'Expect',
    'TE',
    'Trailer',
    'Keep-Alive',
    'Proxy-Authorization',
    'proxy-connection',
  ])('that the framing needs cannot be given: %s', async (name) => {
    const { result, receiver } = await sent({ headers: { [name]: '5' } });
    expect(result).toEqual({ kind: 'refused', reason: `the header ${name} is set by the server and must not be given` });
    expect(receiver.connections()).toBe(0);
  });

  test.each([
    ['a CR and an LF', 'secret\r\nX-Injected: 1', 'a line break or another control character'],
    ['an LF', 'secret\nX-Injected: 1', 'a line break or another control character'],
    ['a NUL', 'secret\0', 'a line break or another control character'],
    ['an emoji', 'secret 🚀', 'a character outside Latin-1'],
    ['letters of Cyrillic', 'секрет', 'a character outside Latin-1'],
  ])('that hold %s are refused, by name and without the value', async (_, value, what) => {
    const { result, receiver } = await sent({ headers: { 'X-Note': value } });
    expect(result).toEqual({ kind: 'refused', reason: `the value of the header X-Note holds ${what}` });
    expect(receiver.connections()).toBe(0);
  });

  test.each(['', 'x y', 'x:', 'x\r\ny', 'é'])('%j is no name of one', async (name) => {
    const { result, receiver } = await sent({ headers: { [name]: 'v' } });
    expect(result).toEqual({ kind: 'refused', reason: `${JSON.stringify(name)} is not a valid header name` });
    expect(receiver.connections()).toBe(0);
  });
});

describe('a body', () => {
  const image = randomBytes(3_000_000);
  const openBlob = (sha256: string): Readable => Readable.from(sha256 === 'image' ? [image.subarray(0, 1000), image.subarray(1000)] : []);

  test.each(['POST', 'PUT', 'PATCH', 'GET', 'DELETE'])('of bytes goes with its length, with %s too', async (method) => {
    const { request } = await sent({ method, body: [Buffer.from('{"a":'), new Uint8Array(0), Buffer.from('1}')] });
    expect(request).toMatchObject({ method, headers: { 'content-length': '7' } });
    expect(request?.headers).not.toHaveProperty('transfer-encoding');
    expect(request?.body.toString()).toBe('{"a":1}');
  });

  test('of files between bytes is streamed with the length of all', async () => {
    const body = [Buffer.from('before'), { sha256: 'image', size: image.byteLength }, Buffer.from('after')];
    const { request } = await sent({ body }, { openBlob });
    expect(request?.headers['content-length']).toBe(String(image.byteLength + 11));
    expect(hashOf(request?.body)).toBe(hashOf(Buffer.concat([Buffer.from('before'), image, Buffer.from('after')])));
  });

  test('that is large is sent whole, from memory too', async () => {
    const { request } = await sent({ method: 'GET', body: [image] });
    expect(hashOf(request?.body)).toBe(hashOf(image));
  });

  test('of null is none', async () => {
    const { request } = await sent({ method: 'GET', body: null });
    expect(request?.headers).not.toHaveProperty('content-length');
    expect(request?.headers).not.toHaveProperty('transfer-encoding');
    expect((await sent({ method: 'POST', body: null })).request?.headers['content-length']).toBe('0');
  });

  test.each(['POST', 'GET'])('of no parts is empty and chunked, with %s too', async (method) => {
    const { request, result } = await sent({ method, body: [], headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    expect(result).toMatchObject({ kind: 'response', status: 200, body: Buffer.from('ok') });
    expect(request?.headers).toMatchObject({
      'transfer-encoding': 'chunked',
      'content-type': 'application/x-www-form-urlencoded',
      'idempotency-key': 'run_1:notify',
    });
    expect(request?.headers).not.toHaveProperty('content-length');
    expect(request?.body.byteLength).toBe(0);
  });

  test('whose file is no longer stored is refused, without its path', async () => {
    const gone = (): Readable => Readable.from(failing(Object.assign(new Error('ENOENT: /data/blobs/ab'), { code: 'ENOENT' })));
    const { result, receiver } = await sent({ body: [{ sha256: 'ab', size: 5 }] }, { openBlob: gone });
    expect(result).toEqual({ kind: 'refused', reason: 'a file of the message is no longer stored' });
    expect(receiver.requests).toEqual([]);
  });

  test.each([null, 'whsec_c2VjcmV0'])(
    'whose file the disk does not give may be tried again (signing secret: %s)',
    async (signingSecret) => {
      const broken = (): Readable => Readable.from(failing(Object.assign(new Error('EIO: /data/blobs/ab'), { code: 'EIO' })));
      const { result } = await sent({ body: [{ sha256: 'ab', size: 5 }], signingSecret }, { openBlob: broken });
      expect(result).toEqual({ kind: 'network', code: 'EIO', reason: 'a file of the message cannot be read' });
    },
  );

  test('whose file is shorter or longer than it was said to be is never taken for sent', async () => {
    for (const size of [4, 6]) {
      const { result } = await sent({ body: [{ sha256: 'ab', size }] }, { openBlob: () => Readable.from([Buffer.from('hello')]) });
      expect(result).toMatchObject({ kind: 'network', code: 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH' });
    }
  });
});

describe('a URL', () => {
  test('with user and password makes basic credentials, and neither is sent or shown', async () => {
    const receiver = await startReceiver();
    const url = receiver.url.replace('//', '//us%40er:p%3Aéw@');
    const result = await openSender().send(post(`${url}/ok?a=%20b#c`), attempt());
    expect(receiver.requests[0]).toMatchObject({ target: '/ok?a=%20b', headers: { authorization: `Basic ${btoa('us@er:p:Ã©w')}` } });
    expect(result).toMatchObject({ url: `${receiver.url}/ok?a=%20b#c` });
  });

  test('with user and password leaves a header of the message as it is', async () => {
    const receiver = await startReceiver();
    const url = receiver.url.replace('//', '//user:pass@');
    await openSender().send(post(`${url}/ok`, { headers: { authorization: 'Bearer t' } }), attempt());
    expect(receiver.requests[0]?.headers['authorization']).toBe('Bearer t');
  });

  test.each(['', 'not-a-url?token=secret', '/hook', 'http://', 'http://[::1', 'http://a b/?token=secret', 'http://256.256.256.256/'])(
    '%j is refused, and not repeated',
    async (url) => {
      const result = await openSender().send(post(url), attempt());
      expect(result).toEqual({ kind: 'refused', reason: 'the URL cannot be read; it must be absolute, as https://example.org/hook' });
    },
  );

  test.each(['ftp:', 'file:', 'javascript:', 'data:', 'unix:'])('of %s is refused', async (scheme) => {
    const result = await openSender().send(post(`${scheme}//127.0.0.1/x`), attempt());
    expect(result).toEqual({ kind: 'refused', reason: `the URL begins with ${scheme} and must begin with http: or https:` });
  });
});

test.each(['', 'GET /x HTTP/1.1\r\nX: ', 'CONNECT', 'PÖST'])('%j is no method', async (method) => {
  const { result, receiver } = await sent({ method });
  expect(result).toEqual({ kind: 'refused', reason: `${JSON.stringify(method)} is not a method of HTTP` });
  expect(receiver.connections()).toBe(0);
});

describe('a signature', () => {
  const signingSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const key = readSigningSecret(signingSecret) as Uint8Array;
  const expected = (body: string): string => finishSignature(beginSignature(key, 'dlv_1', '1700000000').update(body));

  test('covers id, time and body, of files too', async () => {
    const openBlob = (): Readable => Readable.from([Buffer.from('fi'), Buffer.from('le')]);
    const { request } = await sent({ signingSecret, body: [Buffer.from('a '), { sha256: 'x', size: 4 }] }, { openBlob });
    expect(request?.body.toString()).toBe('a file');
    expect(request?.headers).toMatchObject({
      'webhook-id': 'dlv_1',
      'webhook-timestamp': '1700000000',
      'webhook-signature': expected('a file'),
    });
    expect((await sent({ signingSecret, body: null })).request?.headers['webhook-signature']).toBe(expected(''));
    expect((await sent({ signingSecret, body: [] })).request?.headers['webhook-signature']).toBe(expected(''));
  });

  test('holds whatever the message says in its own headers', async () => {
    const headers = { 'Webhook-ID': 'theirs', 'webhook-timestamp': '1', 'webhook-signature': 'v1,theirs' };
    const { request } = await sent({ signingSecret, headers });
    expect(request?.headers).toMatchObject({
      'webhook-id': 'dlv_1',
      'webhook-timestamp': '1700000000',
      'webhook-signature': expected('hello'),
    });
  });

  test('with a secret that cannot be used is refused, and the secret is not repeated', async () => {
    const { result, receiver } = await sent({ signingSecret: 'whsec_not base64!' });
    expect(result).toEqual({ kind: 'refused', reason: 'the signing secret cannot be used; it must be whsec_ and base64' });
    expect(receiver.connections()).toBe(0);
  });
});

test('an answer is given as it came: status, reason, headers, body', async () => {
  const { result } = await sent({}, { path: '/status?code=418' });
  expect(result).toMatchObject({
    kind: 'response',
    status: 418,
    reason: "I'm a Teapot",
    headers: { 'x-seen': 'yes' },
    body: Buffer.from('as told'),
    isTruncated: false,
  });
});

test('header fields that came twice are one list', async () => {
  const { result } = await sent({}, { path: '/twice' });
  expect(result).toMatchObject({ headers: { 'x-list': 'a, b' } });
});

test('an answer to HEAD has no body and waits for none', async () => {
  const { result } = await sent({ method: 'HEAD', body: null });
  expect(result).toMatchObject({ kind: 'response', status: 200, body: Buffer.alloc(0), isTruncated: false });
});

function hashOf(bytes: Uint8Array | undefined): string {
  return createHash('sha256')
    .update(bytes ?? '')
    .digest('hex');
}

async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  yield* [];
  throw error;
}
