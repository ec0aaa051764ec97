// Redirects: followed by the rules of Python's requests where the message wants it, under the address policy at each hop.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { HttpMessage } from '../../src/core/delivery/outbound.ts';
import { redirectedRequest } from '../../src/delivery/http/python-redirect.ts';
import { selfSigned } from './certificate.ts';
import { startReceiver } from './hostile-receiver.ts';
import { attempt, openSender, post } from './http-sender.ts';

interface RecordedCase {
  name: string;
  step: { method: string; headers: Record<string, string> };
  requests: { method: string; target: string; headers: Record<string, string>; body: string }[];
}

const recorded = JSON.parse(readFileSync(new URL('../vectors/webhook_redirects.json', import.meta.url), 'utf8')) as RecordedCase[];

const JSON_BODY: Partial<HttpMessage> = {
  redirects: 'as_requests',
  headers: { 'Content-Type': 'application/json', 'Content-Language': 'en', Cookie: 'a=b', Authorization: 'Bearer t', 'X-Kept': 'yes' },
  body: [Buffer.from('{"a": 1}')],
};

function redirectPath(code: number, to: string): string {
  return `/redirect?code=${code}&to=${encodeURIComponent(to)}`;
}

describe('as requests was recorded to do', () => {
  test.each(recorded)('$name', async ({ name, step, requests }) => {
    const [first, second] = [await startReceiver(), await startReceiver()];
    const code = Number(/\d+/.exec(name)?.[0]);
    const headers = { ...step.headers, 'Content-Type': 'application/json' };
    const message = { ...JSON_BODY, method: step.method, headers };
    await openSender().send(post(`${first.url}${redirectPath(code, `${second.url}/next`)}`, message), attempt());
    const seen = [...first.requests, ...second.requests].map(({ method, headers: all, body }) => {
      const { authorization, 'content-length': length, 'content-type': type } = all;
      const shown = Object.entries({ authorization, 'content-length': length, 'content-type': type }).filter(
        ([, value]) => value !== undefined,
      );
      return { method, headers: Object.fromEntries(shown), body: body.toString() };
    });
    expect(seen).toEqual(requests.map(({ target: _, ...request }) => request));
    expect(second.requests[0]?.target).toBe('/next');
  });
});

describe('the method and the body', () => {
  test.each([
    ['POST', 301, 'GET', ''],
    ['POST', 302, 'GET', ''],
    ['POST', 303, 'GET', ''],
    ['POST', 307, 'POST', '{"a": 1}'],
    ['POST', 308, 'POST', '{"a": 1}'],
    ['PUT', 301, 'PUT', ''],
    ['PUT', 302, 'GET', ''],
    ['PUT', 303, 'GET', ''],
    ['PUT', 307, 'PUT', '{"a": 1}'],
    ['GET', 301, 'GET', ''],
    ['GET', 307, 'GET', '{"a": 1}'],
    ['DELETE', 301, 'DELETE', ''],
    ['DELETE', 302, 'GET', ''],
    ['PATCH', 308, 'PATCH', '{"a": 1}'],
  ])('of %s after %d are %s and %j', async (method, code, next, body) => {
    const receiver = await startReceiver();
    const result = await openSender().send(post(`${receiver.url}${redirectPath(code, '/ok')}`, { ...JSON_BODY, method }), attempt());
    expect(result).toMatchObject({ kind: 'response', status: 200, url: `${receiver.url}/ok` });
    const [, second] = receiver.requests;
    expect(second).toMatchObject({ method: next, target: '/ok', headers: { 'x-kept': 'yes', authorization: 'Bearer t' } });
    expect(second?.body.toString()).toBe(body);
    expect(second?.headers).not.toHaveProperty('cookie');
    expect('content-type' in (second?.headers ?? {})).toBe(body !== '');
    expect('content-language' in (second?.headers ?? {})).toBe(body !== '');
    const ofEmpty = next === 'PUT' ? '0' : undefined;
    expect(second?.headers['content-length']).toBe(body === '' ? ofEmpty : '8');
  });

  test('of HEAD stay as they are', async () => {
    const receiver = await startReceiver();
    await openSender().send(post(`${receiver.url}${redirectPath(303, '/ok')}`, { ...JSON_BODY, method: 'HEAD', body: null }), attempt());
    expect(receiver.requests.map(({ method }) => method)).toEqual(['HEAD', 'HEAD']);
  });

  test('that is empty and chunked is so again, unless it is dropped', async () => {
    const receiver = await startReceiver();
    for (const code of [307, 302]) {
      await openSender().send(post(`${receiver.url}${redirectPath(code, '/ok')}`, { ...JSON_BODY, body: [] }), attempt());
    }
    const seen = receiver.requests.map(({ method, headers }) => [method, headers['transfer-encoding']]);
    expect(seen).toEqual([
      ['POST', 'chunked'],
      ['POST', 'chunked'],
      ['POST', 'chunked'],
      ['GET', undefined],
    ]);
  });

  test('take the signature along as long as there is a body that it covers', async () => {
    const receiver = await startReceiver();
    const signed = { ...JSON_BODY, signingSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' };
    for (const code of [307, 303]) await openSender().send(post(`${receiver.url}${redirectPath(code, '/ok')}`, signed), attempt());
    const signatures = receiver.requests.map(({ headers }) => headers['webhook-signature']);
    expect(signatures).toEqual([signatures[0], signatures[0], signatures[0], undefined]);
    expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual(['dlv_1', 'dlv_1', 'dlv_1', 'dlv_1']);
  });
});

describe('credentials', () => {
  test.each([
    ['http://a.example/', 'http://a.example/next', true],
    ['http://a.example/', 'HTTP://A.EXAMPLE:80/next', true],
    ['http://a.example/', 'https://a.example/next', true],
    ['http://a.example:80/', 'https://a.example:443/next', true],
    ['https://a.example/', 'http://a.example/next', false],
    ['http://a.example/', 'https://a.example:8443/next', false],
    ['http://a.example:8080/', 'https://a.example:8080/next', false],
    ['http://a.example/', 'http://a.example:8080/next', false],
    ['http://a.example/', 'http://b.example/next', false],
    ['http://a.example/', 'http://sub.a.example/next', false],
    ['http://a.example/', '//a.example/next', true],
    ['http://a.example/x/', '../next', true],
  ])('from %s to %s are kept: %s', (from, location, isKept) => {
    const headers = new Map([['authorization', ['Authorization', 'Bearer t'] as const]]);
    const response = {
      kind: 'response',
      status: 307,
      reason: '',
      url: from,
      headers: { location },
      body: Buffer.alloc(0),
      isTruncated: false,
    } as const;
    const next = redirectedRequest({ method: 'POST', url: new URL(from), headers, body: null }, response);
    expect(next?.headers.has('authorization')).toBe(isKept);
    expect(next?.url.pathname).toBe('/next');
  });

  test('in the address redirected to are not sent, as requests does not', async () => {
    const receiver = await startReceiver();
    const to = `${receiver.url.replace('//', '//user:pass@')}/ok`;
    const result = await openSender().send(post(`${receiver.url}${redirectPath(307, to)}`, { redirects: 'as_requests' }), attempt());
    expect(result).toMatchObject({ url: `${receiver.url}/ok` });
    expect(receiver.requests[1]?.headers).not.toHaveProperty('authorization');
  });
});

describe('the address redirected to', () => {
  const certificate = selfSigned(['127.0.0.1']);

  test.each([
    ['http://169.254.169.254/latest/meta-data/', '169.254.169.254'],
    ['http://[::ffff:10.0.0.1]/', '::ffff:a00:1'],
    ['//192.168.1.1/admin', '192.168.1.1'],
    ['http://0xa9fea9fe/', '169.254.169.254'],
  ])('is under the address policy: %s', async (location, address) => {
    const receiver = await startReceiver();
    const message = post(`${receiver.url}${redirectPath(302, location)}`, { redirects: 'as_requests' });
    const result = await openSender().send(message, attempt());
    expect(result).toEqual({ kind: 'refused', reason: expect.stringContaining(`${address} is not a public address`) });
  });

  test.each(['ftp:', 'file:', 'gopher:', 'data:', 'javascript:'])('may not be one of %s', async (scheme) => {
    const receiver = await startReceiver();
    const message = post(`${receiver.url}${redirectPath(302, `${scheme}//127.0.0.1/x`)}`, { redirects: 'as_requests' });
    const result = await openSender().send(message, attempt());
    expect(result).toEqual({ kind: 'refused', reason: `the URL begins with ${scheme} and must begin with http: or https:` });
  });

  test('that cannot be read is refused', async () => {
    const receiver = await startReceiver();
    const result = await openSender().send(
      post(`${receiver.url}${redirectPath(302, 'http://[::1')}`, { redirects: 'as_requests' }),
      attempt(),
    );
    expect(result).toMatchObject({ kind: 'refused' });
  });

  test('may be over TLS, and keeps the fragment of the one before', async () => {
    const [plain, secure] = [await startReceiver(), await startReceiver(certificate)];
    const message = post(`${plain.url}${redirectPath(302, `${secure.url}/ok`)}#part`, { redirects: 'as_requests' });
    const result = await openSender({ ca: certificate.cert }).send(message, attempt());
    expect(result).toMatchObject({ kind: 'response', status: 200, url: `${secure.url}/ok#part` });
  });
});

describe('the number of redirects', () => {
  test('of 30 is followed, and of more is an error in the words of requests', async () => {
    const receiver = await startReceiver();
    const sender = openSender();
    const send = (path: string) => sender.send(post(`${receiver.url}${path}`, { redirects: 'as_requests' }), attempt());
    expect(await send('/countdown?left=30')).toMatchObject({ kind: 'response', status: 200, body: Buffer.from('landed') });
    expect(receiver.requests).toHaveLength(31);
    const tooMany = { kind: 'network', code: 'TOO_MANY_REDIRECTS', reason: 'Exceeded 30 redirects.' };
    expect(await send('/countdown?left=31')).toEqual(tooMany);
    expect(await send('/loop')).toEqual(tooMany);
    expect(receiver.requests).toHaveLength(31 * 3);
  });

  test('counts for the limit on the whole, which is not begun anew', async () => {
    const receiver = await startReceiver();
    const message = post(`${receiver.url}${redirectPath(307, redirectPath(307, '/drip'))}`, { redirects: 'as_requests' });
    expect(await openSender({ totalTimeoutMs: 150 }).send(message, attempt())).toEqual({ kind: 'timeout', phase: 'total' });
  });
});

describe('a 3xx answer', () => {
  test('without a Location, or that is none of the five, is the answer', async () => {
    const receiver = await startReceiver();
    for (const code of [302, 307, 304, 300]) {
      const result = await openSender().send(post(`${receiver.url}/status?code=${code}`, { redirects: 'as_requests' }), attempt());
      expect(result).toMatchObject({ kind: 'response', status: code });
    }
    const result = await openSender().send(post(`${receiver.url}${redirectPath(300, '/ok')}`, { redirects: 'as_requests' }), attempt());
    expect(result).toMatchObject({ kind: 'response', status: 300 });
    expect(receiver.requests).toHaveLength(5);
  });

  test('is the answer when the message does not want it followed', async () => {
    const receiver = await startReceiver();
    const result = await openSender().send(post(`${receiver.url}${redirectPath(302, '/ok')}`), attempt());
    expect(result).toMatchObject({ kind: 'response', status: 302, headers: { location: '/ok' } });
    expect(receiver.requests).toHaveLength(1);
  });
});
