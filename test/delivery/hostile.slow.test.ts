// Receivers that fail, stall, flood and lie: every one of them is a result, in time, in bounded memory, and the next
// message to the same origin is not harmed.

import { describe, expect, test } from 'vitest';
import type { HttpMessage } from '../../src/core/delivery/outbound.ts';
import { totalLimitMs } from '../../src/delivery/http/total-limit.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { until } from '../support/until.ts';
import { type HostileReceiver, startDeafReceiver, startReceiver } from './hostile-receiver.ts';
import { attempt, openSender, post, type TestSenderOptions } from './http-sender.ts';

async function to(path: string, changed: Partial<HttpMessage> = {}, options: TestSenderOptions = {}) {
  const receiver = await startReceiver();
  const sender = openSender({ connectionsPerOrigin: 1, ...options });
  const result = await sender.send(post(`${receiver.url}${path}`, changed), attempt());
  return { result, receiver, next: () => sender.send(post(`${receiver.url}/ok`), attempt()) };
}

const healthy = { kind: 'response', status: 200, body: Buffer.from('ok') };

function isDeserted(receiver: HostileReceiver): Promise<true> {
  return until('all connections to be closed', () => receiver.isDeserted(), 2000);
}

describe('an answer that is none of success', () => {
  test.each([500, 502, 503, 410, 404])('is a response: %d', async (code) => {
    const { result } = await to(`/status?code=${code}`);
    expect(result).toMatchObject({ kind: 'response', status: code, body: Buffer.from('as told') });
  });

  test('keeps its Retry-After', async () => {
    const { result } = await to('/throttle');
    expect(result).toMatchObject({ status: 429, headers: { 'retry-after': '7' } });
  });
});

describe('a receiver that stalls', () => {
  const limits: [path: string, phase: string][] = [
    ['/hang', 'headers'],
    ['/interim', 'headers'],
    ['/hang-body', 'body'],
  ];
  for (const body of [[Buffer.from('hello')], []]) {
    test.each(limits)(`at %s is a timeout of the %s (${body.length} parts sent), and its connection is closed`, async (path, phase) => {
      const { result, receiver, next } = await to(path, { timeoutMs: 80, body });
      expect(result).toEqual({ kind: 'timeout', phase });
      await isDeserted(receiver);
      expect(await next()).toMatchObject(healthy);
    });

    test(`by a byte now and again is stopped by the limit on the whole (${body.length} parts sent)`, async () => {
      const { result, receiver, next } = await to('/drip', { timeoutMs: 5000, body }, { totalTimeoutMs: 150 });
      expect(result).toEqual({ kind: 'timeout', phase: 'total' });
      await isDeserted(receiver);
      expect(await next()).toMatchObject(healthy);
    });
  }

  test('is given the limit of its message and no less, however its bytes are spread', async () => {
    const { result } = await to('/drip', { timeoutMs: 800 }, { maxResponseBytes: 100 });
    expect(result).toMatchObject({ kind: 'response', body: Buffer.from('.'.repeat(100)), isTruncated: true });
  });

  test('is borne for 30 s in all when nobody says otherwise, and by a patient message for four times its limit', () => {
    expect([1, 1000, 7500, 60_000].map(totalLimitMs)).toEqual([30_000, 30_000, 30_000, 240_000]);
  });

  test('before it takes a long body is a timeout too, and a receiver that takes it slowly is not', async () => {
    const body = [Buffer.alloc(40_000_000)] as const;
    const stalled = await startDeafReceiver({ readsBytes: 0, expected: body[0].byteLength });
    const sender = openSender();
    expect(await sender.send(post(stalled, { body, timeoutMs: 80 }), attempt())).toEqual({ kind: 'timeout', phase: 'headers' });
    const slow = await startDeafReceiver({ readsBytes: 1_000_000, expected: body[0].byteLength });
    expect(await sender.send(post(slow, { body, timeoutMs: 1500 }), attempt())).toMatchObject({ kind: 'response', status: 200 });
  });
});

describe('a receiver that breaks off', () => {
  test.each([
    ['/reset', 'ECONNRESET', 'read ECONNRESET'],
    ['/close', 'UND_ERR_SOCKET', 'other side closed'],
    ['/cut-body', 'UND_ERR_SOCKET', 'other side closed'],
  ])('at %s is a network error: %s', async (path, code, reason) => {
    const { result, next } = await to(path);
    expect(result).toEqual({ kind: 'network', code, reason });
    expect(await next()).toMatchObject(healthy);
  });

  test.each(['/reset', '/close', '/cut-body', '/bad-chunks', '/not-http'])('at %s is one for an empty chunked body too', async (path) => {
    const { result } = await to(path, { body: [] });
    expect(result).toMatchObject({
      kind: 'network',
      code: expect.stringMatching(/^[A-Z_]+$/),
      reason: expect.stringMatching(/^[\x20-\x7e]+$/),
    });
  });
});

describe('a receiver that speaks no proper HTTP', () => {
  test.each([
    ['/not-http', 'HPE_INVALID_RESPONSE'],
    ['/bad-chunks', 'HPE_INVALID_RESPONSE'],
    ['/bad-length', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'],
    ['/endless-headers', 'UND_ERR_HEADERS_OVERFLOW'],
    ['/upgrade', 'UND_ERR_SOCKET'],
  ])('at %s is a network error in one line: %s', async (path, code) => {
    const { result, receiver, next } = await to(path);
    expect(result).toEqual({ kind: 'network', code, reason: expect.stringMatching(/^[\x20-\x7e]{5,120}$/) });
    expect(await next()).toMatchObject(healthy);
    expect(receiver.bytesSent()).toBeLessThan(8_000_000);
  });

  test('and sends two answers gets one taken, and the next message its own answer', async () => {
    const { result, next } = await to('/two-responses');
    expect(result).toMatchObject({ kind: 'response', status: 200, body: Buffer.from('first') });
    for (let count = 0; count < 3; count++) expect(await next()).toMatchObject(healthy);
  });
});

describe('a receiver that floods', () => {
  test.each(['/huge', '/endless'])('at %s is read to the cap and cut off', async (path) => {
    for (const body of [[Buffer.from('hello')], []]) {
      const { result, receiver, next } = await to(path, { body });
      expect(result).toMatchObject({ kind: 'response', status: 200, body: Buffer.alloc(16_384, 'x'), isTruncated: true });
      await isDeserted(receiver);
      expect(receiver.bytesSent()).toBeLessThan(8_000_000);
      expect(await next()).toMatchObject(healthy);
    }
  });

  test('with a gzip bomb is not inflated, and was never asked to compress', async () => {
    const { result, receiver } = await to('/gzip-bomb');
    expect(result).toMatchObject({ kind: 'response', headers: { 'content-encoding': 'gzip' }, isTruncated: false });
    expect((result as { body: Uint8Array }).body.byteLength).toBeLessThan(10_000);
    expect(receiver.requests[0]?.headers).not.toHaveProperty('accept-encoding');
  });

  test('with a body of exactly the cap is not cut', async () => {
    const { result } = await to('/echo', { body: [Buffer.alloc(1000, 'a')] }, { maxResponseBytes: 1000 });
    expect(result).toMatchObject({ body: Buffer.alloc(1000, 'a'), isTruncated: false });
    const over = await to('/echo', { body: [Buffer.alloc(1001, 'a')] }, { maxResponseBytes: 1000 });
    expect(over.result).toMatchObject({ body: Buffer.alloc(1000, 'a'), isTruncated: true });
  });
});

describe('a signal', () => {
  test.each(['/hang', '/hang-body', '/drip'])('ends an attempt at %s at once', async (path) => {
    for (const body of [[Buffer.from('hello')], []]) {
      const receiver = await startReceiver();
      const stop = new AbortController();
      const sending = openSender().send(post(`${receiver.url}${path}`, { body }), attempt({ signal: stop.signal }));
      await until('the request', () => receiver.requests.length > 0);
      stop.abort();
      expect(await sending).toMatchObject({ kind: 'network', code: 'ABORTED' });
      await isDeserted(receiver);
    }
  });

  test('that was given before keeps the message from being sent', async () => {
    const receiver = await startReceiver();
    expect(await openSender().send(post(receiver.url), attempt({ signal: AbortSignal.abort() }))).toMatchObject({ code: 'ABORTED' });
    expect(receiver.connections()).toBe(0);
  });

  test('ends an attempt that waits for its connection, and for a free one', async () => {
    const receiver = await startReceiver();
    const sender = openSender({ connectionsPerOrigin: 1 });
    const stop = new AbortController();
    const first = sender.send(post(`${receiver.url}/hang`), attempt({ signal: stop.signal }));
    await until('the request', () => receiver.requests.length > 0);
    const second = sender.send(post(`${receiver.url}/ok`), attempt({ signal: stop.signal }));
    stop.abort();
    expect(await Promise.all([first, second])).toMatchObject([{ code: 'ABORTED' }, { code: 'ABORTED' }]);
    expect(await sender.send(post(`${receiver.url}/ok`), attempt())).toMatchObject(healthy);
    expect(receiver.requests.map(({ target }) => target)).toEqual(['/hang', '/ok']);
  });

  test('may stand for many attempts, without a word of warning', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    onTestEnd(() => void process.off('warning', onWarning));
    const receiver = await startReceiver();
    const sender = openSender();
    const one = attempt();
    const results = await Promise.all(Array.from({ length: 50 }, () => sender.send(post(`${receiver.url}/ok`), one)));
    await new Promise(setImmediate);
    expect(results.filter((result) => result.kind === 'response')).toHaveLength(50);
    expect(warnings).toEqual([]);
  });
});
