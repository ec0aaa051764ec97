// What the answer to a message means, and when the next attempt is due.

import { describe, expect, test } from 'vitest';
import { afterAttempt, classify, originOf, retryAfterMs } from '../../src/core/delivery/delivery.ts';
import { deliveryIdOf, parseDeliveryId } from '../../src/core/delivery/delivery-id.ts';
import type { HttpMessage, MailMessage, OutboundResult } from '../../src/core/delivery/outbound.ts';
import { BACKGROUND_RETRY } from '../../src/core/delivery/retry.ts';

const NOW = Date.UTC(2026, 10, 21, 12);

const http = (succeeds: HttpMessage['succeeds'] = '2xx'): HttpMessage => ({
  transport: 'http',
  method: 'POST',
  url: 'https://example.org/hook?token=1',
  headers: {},
  body: null,
  timeoutMs: 2000,
  redirects: 'refuse',
  succeeds,
  signingSecret: null,
});
const mail = { transport: 'smtp', host: 'mail.example.org', port: 465 } as MailMessage;

function answered(status: number, headers: Record<string, string> = {}, body = ''): OutboundResult {
  return { kind: 'response', status, reason: '', url: '', headers, body: new TextEncoder().encode(body), isTruncated: false };
}

describe('the verdict', () => {
  test.each<[HttpMessage['succeeds'], number, string]>([
    ['2xx', 200, 'delivered'],
    ['2xx', 204, 'delivered'],
    ['2xx', 302, 'permanent'],
    ['2xx', 400, 'permanent'],
    ['2xx', 404, 'permanent'],
    ['2xx', 408, 'retryable'],
    ['2xx', 410, 'permanent'],
    ['2xx', 425, 'retryable'],
    ['2xx', 429, 'retryable'],
    ['2xx', 500, 'retryable'],
    ['2xx', 503, 'retryable'],
    ['unless_error', 304, 'delivered'],
    ['unless_error', 399, 'delivered'],
    ['unless_error', 400, 'permanent'],
    ['unless_error', 429, 'retryable'],
    ['unless_error', 599, 'retryable'],
    ['unless_error', 600, 'delivered'],
  ])('where %s succeeds, %i is %s', (succeeds, status, verdict) => {
    expect(classify(http(succeeds), answered(status))).toBe(verdict);
  });

  test.each([
    [404, 'delivered'],
    [503, 'delivered'],
    [204, 'delivered'],
    [410, 'permanent'],
    [502, 'retryable'],
  ])('of a message that accepts 404 and 503 besides 2xx, %i is %s', (status, verdict) => {
    expect(classify({ ...http(), accepts: [404, 503] }, answered(status))).toBe(verdict);
  });

  test.each([
    ['{"ok":true}', 'delivered'],
    ['{"ok":false,"error":"invalid_auth"}', 'permanent'],
    ['{"ok":"true"}', 'permanent'],
    ['no json', 'permanent'],
    ['', 'permanent'],
  ])('a 200 with %s is %s where the JSON must say that it is well', (body, verdict) => {
    expect(classify(http('json_ok'), answered(200, {}, body))).toBe(verdict);
  });

  test.each<[OutboundResult, string]>([
    [{ kind: 'timeout', phase: 'headers' }, 'retryable'],
    [{ kind: 'network', code: 'ECONNREFUSED', reason: '' }, 'retryable'],
    [{ kind: 'refused', reason: '' }, 'permanent'],
  ])('%j is %s', (result, verdict) => {
    expect(classify(http(), result)).toBe(verdict);
  });

  test.each([
    [250, 'delivered'],
    [421, 'retryable'],
    [450, 'retryable'],
    [535, 'permanent'],
    [550, 'permanent'],
  ])('of mail, %i is %s', (status, verdict) => {
    expect(classify(mail, answered(status))).toBe(verdict);
  });
});

describe('after an attempt', () => {
  const stateAfter = (result: OutboundResult, attempt: number, random = 0.5, lastAttempt = 6) =>
    afterAttempt({ message: http(), retry: BACKGROUND_RETRY, result, attempt, lastAttempt, now: NOW, wallNow: NOW, random });

  test('a success is over, and so is what no other try can mend', () => {
    expect(stateAfter(answered(200), 1)).toEqual({ status: 'delivered', dueAt: null });
    expect(stateAfter(answered(404), 1)).toEqual({ status: 'failed', dueAt: null });
  });

  test('every answer but a success is tried again where the message says so, and what was never sent is not', () => {
    const stateOf = (result: OutboundResult, attempt = 1): string => {
      const message: HttpMessage = { ...http(), retriesEveryFailure: true };
      return afterAttempt({ message, retry: BACKGROUND_RETRY, result, attempt, lastAttempt: 6, now: NOW, wallNow: NOW, random: 0.5 })
        .status;
    };
    for (const status of [302, 400, 404, 410, 413, 500]) expect(stateOf(answered(status)), `${status}`).toBe('queued');
    expect(stateOf(answered(404), 6)).toBe('failed');
    expect(stateOf(answered(204))).toBe('delivered');
    expect(stateOf({ kind: 'refused', reason: 'the address is private' })).toBe('failed');
  });

  test('each further try waits a random share of a doubled time, up to the longest', () => {
    const waits = [1, 2, 3, 4, 5].map((attempt) => (stateAfter(answered(500), attempt, 1).dueAt ?? 0) - NOW);
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000]);
    expect(stateAfter(answered(500), 1, 0.25).dueAt).toBe(NOW + 250);
  });

  test('the last try that is allowed fails the delivery', () => {
    expect(stateAfter(answered(500), 6)).toEqual({ status: 'failed', dueAt: null });
  });

  test('another round by hand begins with the shortest wait again', () => {
    expect(stateAfter(answered(500), 7, 1, 12).dueAt).toBe(NOW + 1000);
    expect(stateAfter(answered(500), 8, 1, 12).dueAt).toBe(NOW + 2000);
  });

  test('Retry-After makes a wait longer and never shorter', () => {
    expect(stateAfter(answered(429, { 'retry-after': '60' }), 1).dueAt).toBe(NOW + 60_000);
    expect(stateAfter(answered(429, { 'retry-after': '1' }), 5, 1).dueAt).toBe(NOW + 16_000);
  });
});

describe('Retry-After', () => {
  test.each<[string, number | null]>([
    ['120', 120_000],
    [' 5 ', 5000],
    ['0', null],
    ['999999999', 3_600_000],
    [new Date(NOW + 30_000).toUTCString(), 30_000],
    [new Date(NOW - 30_000).toUTCString(), null],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 3_600_000],
    ['2.5', 3000],
    ['0.1', 1000],
    ['3.', 3000],
    ['2, 5', 5000],
    ['9'.repeat(400), 3_600_000],
    ['-5', null],
    ['-2.5', null],
    ['0.0', null],
    ['2.5.1', null],
    ['5 s', null],
    ['0x10', null],
    ['2099', 2_099_000],
    ['2099-1', null],
    ['12 Foo 2099', null],
    ['Infinity', null],
    [new Date(NOW + 30_000).toISOString(), 30_000],
    ['Saturday, 21-Nov-26 12:00:30 GMT', 30_000],
    ['Sat Nov 21 12:00:30 2026', 30_000],
    ['soon', null],
    ['1e9', null],
    ['', null],
  ])('%j is %s ms', (text, expected) => {
    expect(retryAfterMs(answered(503, { 'retry-after': text }), NOW)).toBe(expected);
  });

  test('is looked for in answers alone', () => {
    expect(retryAfterMs({ kind: 'timeout', phase: 'total' }, NOW)).toBeNull();
    expect(retryAfterMs(answered(503), NOW)).toBeNull();
  });
});

test('deliveries of one host and port share an origin, whatever their path', () => {
  expect(originOf(http())).toBe('https://example.org');
  expect(originOf({ ...http(), url: 'http://EXAMPLE.org:80/a' })).toBe('http://example.org');
  expect(originOf(mail)).toBe('smtp://mail.example.org:465');
});

test('an id names the run, the step and its later visits, and what is none is told', () => {
  const id = deliveryIdOf('run_0akqbjdg400n8nsw6veqmy2np8vdn5a', 12);
  expect(id).toBe('dlv_0akqbjdg400n8nsw6veqmy2np8vdn5a_12');
  expect(parseDeliveryId(id)).toEqual({ runId: 'run_0akqbjdg400n8nsw6veqmy2np8vdn5a', stepNo: 12, visit: 1 });
  const again = deliveryIdOf('run_a', 0, 12);
  expect(again).toBe('dlv_a_0_12');
  expect(parseDeliveryId(again)).toEqual({ runId: 'run_a', stepNo: 0, visit: 12 });
  for (const wrong of ['dlv_a_0_', 'dlv_a_0_0', 'dlv_a_0_1', 'dlv_a_0_02', 'dlv_a_0_2_2', 'dlv_a_0_1234567', 'dlv_a_0.2'])
    expect(parseDeliveryId(wrong)).toBeNull();
  for (const wrong of ['', 'dlv_', 'dlv_a_', 'dlv_a_01', 'dlv_a_1234567', 'dlv_A_1', 'run_a_1', 'dlv_a_1 '])
    expect(parseDeliveryId(wrong)).toBeNull();
});
