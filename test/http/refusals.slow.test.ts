// What an operator sees of refused triggers: the reason of each, the captured request, and the clients that are blocked.

import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

let now = Date.now();
const app = shareApp({ clock: () => now, settings: { trust_proxy: '127.0.0.1' } }, async (shared) => {
  const ended = { token: 'ended-token', ends_at: new Date(now - 1000).toISOString() };
  await shared.sink({ path: '/bearer', auth: { type: 'bearer', tokens: ['right-token', ended] } });
  await shared.sink({ path: '/github', auth: { type: 'github', secrets: ['s'] } });
  await shared.sink({ path: '/stripe', auth: { type: 'stripe', secrets: ['whsec_s'] } });
  await shared.sink({ path: '/keyed', auth: { type: 'api_key', header: 'x-shop', secrets: ['s'] } });
  await shared.sink({ path: '/closed', allow_from: ['192.0.2.0/24'] });
  await shared.sink({ path: '/small', limits: { body_bytes: 10 } });
  await shared.sink({ path: '/slow', rate: { client: { per_second: 0.001 } } });
  await shared.workflow('needs', { inputs: [{ type: 'WorkflowParameter', name: 'x' }] });
  await shared.sink({ path: '/needs', workflow_id: 'needs' });
  await shared.sink({ path: '/open' });
});

async function send(path: string, { body = '{}', ...options }: RequestInit & { from?: string } = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': options.from ?? '203.0.113.9', ...(options.headers as object) };
  const response = await fetch(`${app().url}/shop${path}`, { method: 'POST', body, ...options, headers });
  await response.text();
  return response;
}

const listed = async (query: string, from: TestApp = app()): Promise<any[]> =>
  (await from.admin('GET', `/rejections?limit=500&${query}`)).body.rejections;

/** The newest entry that matches, once it is stored. */
const recorded = (query: string): Promise<any> => until(`a rejection of ${query}`, async () => (await listed(query))[0]);

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const stripe = (at: number, secret = 'whsec_s') => {
  const t = Math.floor(at / 1000);
  return { headers: { 'stripe-signature': `t=${t},v1=${createHmac('sha256', secret).update(`${t}.{}`).digest('hex')}` } };
};

const refusals: [reason: string, path: string, options: () => RequestInit][] = [
  ['no_sink', '/nothing', () => ({})],
  ['wrong_method', '/open', () => ({ method: 'PUT' })],
  ['malformed', '/open', () => ({ body: '{' })],
  ['missing_token', '/bearer', () => ({})],
  ['wrong_token', '/bearer', () => bearer('guess')],
  ['expired_token', '/bearer', () => bearer('ended-token')],
  ['missing_token', '/keyed', () => ({})],
  ['wrong_token', '/keyed', () => ({ headers: { 'x-shop': 'guess' } })],
  ['signature_missing', '/github', () => ({})],
  ['signature_malformed', '/github', () => ({ headers: { 'x-hub-signature-256': 'md5=1' } })],
  ['signature_mismatch', '/github', () => ({ headers: { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` } })],
  ['signature_stale', '/stripe', () => stripe(now - 3_600_000)],
  ['signature_malformed', '/stripe', () => ({ headers: { 'stripe-signature': 't=soon,v1=00' } })],
  ['signature_mismatch', '/stripe', () => stripe(now, 'whsec_other')],
  ['blocked', '/closed', () => ({})],
  ['too_large', '/small', () => ({ body: '"more than ten bytes"' })],
  ['unsupported_media', '/open', () => ({ headers: { 'content-encoding': 'zstd' } })],
  ['unfit_input', '/needs', () => ({})],
];

describe('each refusal has a reason', () => {
  test('of its own', async () => {
    const expected = await Promise.all(
      refusals.map(async ([reason, path, options], client) => {
        const { status } = await send(path, { from: `198.51.100.${client}`, ...options() });
        return { reason, path: `/shop${path}`, status, client_ip: `198.51.100.${client}` };
      }),
    );
    for (const { client_ip: ip, ...entry } of expected) expect(await recorded(`client_ip=${ip}`)).toMatchObject({ ...entry, count: 1 });
  });

  test('rate_limited, too_many_failures and key_reused', async () => {
    for (const _ of [1, 2]) await send('/slow', { from: '192.0.2.91' });
    expect(await recorded('client_ip=192.0.2.91')).toMatchObject({ reason: 'rate_limited', status: 429 });
    for (let n = 0; n < 51; n += 1) await send('/bearer', { from: '192.0.2.92', ...bearer('guess') });
    expect(await recorded('client_ip=192.0.2.92&reason=too_many_failures')).toMatchObject({ status: 429, count: 1 });
    for (const body of ['1', '2']) await send('/open', { from: '192.0.2.93', body, headers: { 'idempotency-key': 'k' } });
    expect(await recorded('client_ip=192.0.2.93')).toMatchObject({ reason: 'key_reused', status: 422 });
  });

  test('and the caller sees no more than before', async () => {
    const response = await fetch(`${app().url}/shop/bearer`, { method: 'POST', ...bearer('guess') });
    expect(Object.keys(((await response.json()) as any).error)).toEqual(['code', 'message']);
  });
});

test('a list is filtered, and a wrong filter is named', async () => {
  await send('/bearer', { from: '192.0.2.50' });
  await send('/bearer', { from: '192.0.2.51', ...bearer('guess') });
  const { sink_id: sink, position } = await recorded('client_ip=192.0.2.51');
  const clients = async (query: string) => (await listed(query)).map(({ client_ip: ip }) => ip);
  expect(await clients(`sink_id=${sink}&reason=wrong_token&client_ip=192.0.2.51`)).toEqual(['192.0.2.51']);
  expect(await clients(`sink_id=${sink}&since=${new Date(now + 60_000).toISOString()}`)).toEqual([]);
  expect(await clients(`sink_id=${sink}&since=${new Date(now - 60_000).toISOString()}`)).toContain('192.0.2.51');
  expect((await app().admin('GET', `/rejections/${position}`)).body).toMatchObject({ client_ip: '192.0.2.51', capture: null });
  expect((await app().admin('GET', '/rejections/999999999')).status).toBe(404);
  for (const path of ['/rejections?reason=nonsense', '/rejections?since=soon', '/rejections/x', '/rejections/0', '/rejections?sink=1'])
    expect((await app().admin('GET', path)).status, path).toBe(400);
});

describe('capture-refused', () => {
  async function arm(path: string): Promise<{ sink: any; get: (position: number) => Promise<any> }> {
    const { sinks } = (await app().admin('GET', '/sinks')).body;
    const sink = sinks.find((one: any) => one.path === path);
    const { status, body } = await app().admin('POST', `/apps/shop/sinks/${sink.id}/capture-refused`);
    expect([status, body.waits_until]).toEqual([202, new Date(now + 900_000).toISOString()]);
    return { sink, get: async (position) => (await app().admin('GET', `/rejections/${position}`)).body };
  }

  test('keeps the next refused request alone, with its body and without its secrets', async () => {
    const { get } = await arm('/bearer');
    expect((await send('/bearer', { from: '192.0.2.60', ...bearer('right-token') })).status).toBe(200);
    await send('/bearer?token=guess&a=1', { from: '192.0.2.60', body: '{"a":1}', headers: { authorization: 'Bearer guess', 'x-n': '1' } });
    await send('/bearer', { from: '192.0.2.61', body: '{"b":2}', ...bearer('guess') });
    const { position } = await recorded('client_ip=192.0.2.60');
    const { capture } = await get(position);
    expect(capture).toMatchObject({
      captured_at: new Date(now).toISOString(),
      headers: { authorization: '********', 'x-n': '1', 'content-type': 'application/json' },
      body: { text: '{"a":1}', size: 7, is_truncated: false },
    });
    expect(JSON.stringify(capture)).not.toContain('guess');
    expect((await get((await recorded('client_ip=192.0.2.61')).position)).capture).toBeNull();
  });

  test('keeps a body that was refused after it was read, and at most 64 KiB of a larger one', async () => {
    const malformed = await arm('/open');
    await send('/open', { from: '192.0.2.62', body: '{"a":' });
    expect((await malformed.get((await recorded('client_ip=192.0.2.62')).position)).capture.body.text).toBe('{"a":');
    const large = await arm('/github');
    await send('/github', { from: '192.0.2.63', body: 'x'.repeat(300_000) });
    const { body } = (await large.get((await recorded('client_ip=192.0.2.63')).position)).capture;
    expect([body.text.length, body.is_truncated]).toEqual([65_536, true]);
  });

  test('is not used up by accepted requests whose streams stay open', async () => {
    await app().workflow('waits', { steps: [{ type: 'sluice/delay@v1', name: 'wait', seconds: 600 }] });
    await app().sink({ path: '/waits', auth_token: 'right-token', workflow_id: 'waits' });
    const { get } = await arm('/waits');
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => fetch(`${app().url}/shop/waits`, { method: 'POST', body: '{}', ...bearer('right-token') })),
    );
    await send('/waits', { from: '192.0.2.66', body: '"seen"' });
    expect((await get((await recorded('client_ip=192.0.2.66')).position)).capture.body.text).toBe('"seen"');
    for (const { body } of streams) await body?.cancel();
  });

  test('masks the header in which the sender of this sink puts its secret', async () => {
    const { get } = await arm('/keyed');
    await send('/keyed', { from: '192.0.2.64', headers: { 'x-shop': 'guess' } });
    expect((await get((await recorded('client_ip=192.0.2.64')).position)).capture.headers['x-shop']).toBe('********');
  });

  test('answers a refused caller that never sends its body', async () => {
    const { get } = await arm('/bearer');
    const socket = connect(new URL(app().url).port as unknown as number, '127.0.0.1');
    socket.write('POST /shop/bearer HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.65\r\nContent-Length: 50\r\n\r\n{"half":');
    const [answer] = await new Promise<Buffer[]>((resolve) => socket.once('data', (data: Buffer) => resolve([data])));
    socket.destroy();
    expect(String(answer)).toContain('401');
    const { capture } = await get((await recorded('client_ip=192.0.2.65')).position);
    expect(capture.body).toMatchObject({ text: '{"half":', is_truncated: true });
  });

  test('waits for a quarter of an hour, and keeps the request for an hour', async () => {
    const { get } = await arm('/closed');
    await send('/closed', { from: '192.0.3.1' });
    const { position } = await recorded('client_ip=192.0.3.1');
    expect((await get(position)).capture).not.toBeNull();
    now += 3_600_001;
    expect((await get(position)).capture).toBeNull();
    await arm('/closed');
    now += 900_001;
    await send('/closed', { from: '192.0.3.2' });
    expect((await get((await recorded('client_ip=192.0.3.2')).position)).capture).toBeNull();
  });

  test('is 404 for a sink that is not there', async () => {
    expect((await app().admin('POST', '/apps/shop/sinks/snk_0/capture-refused')).status).toBe(404);
  });
});

describe('a blocked client', () => {
  const block = (address: unknown, seconds?: unknown) =>
    app().admin('POST', '/clients/block', { address, ...(seconds === undefined ? {} : { for_seconds: seconds }) });

  test('is refused before everything else, until the end of the block', async () => {
    expect((await block('198.18.0.7', 60)).body).toEqual({
      address: '198.18.0.7',
      blocked_at: new Date(now).toISOString(),
      ends_at: new Date(now + 60_000).toISOString(),
    });
    for (const path of ['/open', '/nothing']) expect((await send(path, { from: '198.18.0.7' })).status).toBe(403);
    expect(await recorded('client_ip=198.18.0.7')).toMatchObject({ reason: 'blocked', sink_id: null });
    expect((await send('/open', { from: '198.18.0.8' })).status).toBe(200);
    now += 60_001;
    expect((await send('/open', { from: '198.18.0.7' })).status).toBe(200);
    expect((await app().admin('GET', '/clients/blocked')).body).toEqual({ clients: [] });
  });

  test('may be a network in any spelling, and an IPv6 client is its /64', async () => {
    expect((await block('198.18.1.77/24')).body.address).toBe('198.18.1.0/24');
    expect((await block('2001:DB8:0:9:1::5')).body.address).toBe('2001:db8:0:9::/64');
    for (const from of ['198.18.1.1', '::ffff:198.18.1.1', '2001:db8:0:9::1']) expect((await send('/open', { from })).status).toBe(403);
    expect((await send('/open', { from: '2001:db8:0:a::1' })).status).toBe(200);
    expect((await app().admin('POST', '/clients/unblock', { address: '198.18.1.0/24' })).body).toEqual({ address: '198.18.1.0/24' });
    expect((await app().admin('POST', '/clients/unblock', { address: '198.18.1.0/24' })).status).toBe(404);
    expect((await send('/open', { from: '198.18.1.1' })).status).toBe(200);
    await app().admin('POST', '/clients/unblock', { address: '2001:db8:0:9::' });
    expect((await app().admin('GET', '/clients/blocked')).body.clients).toEqual([]);
  });

  test.each<[unknown, unknown, string]>([
    ['localhost', undefined, 'neither an address nor a CIDR'],
    ['0.0.0.0/0', undefined, 'is everybody'],
    ['', undefined, 'address'],
    [5, undefined, 'address: must be string'],
    ['192.0.2.1', 0, 'for_seconds: must be >= 1'],
    ['192.0.2.1', 1e9, 'for_seconds: must be <= 31622400'],
    ['192.0.2.1', '1h', 'for_seconds: must be integer'],
  ])('%s for %s is refused', async (address, seconds, message) => {
    const { status, body } = await block(address, seconds);
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining(message)]);
  });

  test('stays blocked after a restart', async () => {
    const dataDir = tempDir();
    const first = await startTestApp({ dataDir });
    await first.sink({ path: '/open' });
    await first.admin('POST', '/clients/block', { address: '127.0.0.1' });
    await first.close();
    const second = await startTestApp({ dataDir });
    expect((await fetch(`${second.url}/shop/open`, { method: 'POST' })).status).toBe(403);
    expect((await second.admin('POST', '/clients/unblock', { address: '127.0.0.1' })).status).toBe(200);
    expect((await fetch(`${second.url}/shop/open`, { method: 'POST' })).status).toBe(200);
  });
});
