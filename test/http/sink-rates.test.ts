// The rate of a sink: what passes, what the answer says, and that nobody uses up the rate of another.

import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';

let now = Date.now();
const app = shareApp({ clock: () => now, settings: { trust_proxy: '127.0.0.1', rate_limit: '3' } });

const TOKEN = 'the-right-token';

interface Sent {
  from?: string;
  token?: string;
  headers?: Record<string, string>;
}

async function send(path: string, { from = '203.0.113.9', token, headers = {} }: Sent = {}): Promise<Response> {
  const response = await fetch(`${app().url}/shop${path}`, {
    method: 'POST',
    headers: { 'x-forwarded-for': from, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
    body: '{}',
  });
  await response.text();
  return response;
}

async function statuses(count: number, path: string, sent: Sent = {}): Promise<number[]> {
  const answers = [];
  for (let n = 0; n < count; n += 1) answers.push((await send(path, sent)).status);
  return answers;
}

const fieldsOf = ({ headers }: Response) => [headers.get('ratelimit-policy'), headers.get('ratelimit'), headers.get('retry-after')];

test.each(['stream', 'wait', 'accept'])('a client has its burst, then its rate, and every answer says so: %s', async (response) => {
  await app().sink({ path: `/client-${response}`, response, rate: { client: { per_second: 0.5, burst: 2 } } });
  const path = `/client-${response}`;
  expect(fieldsOf(await send(path))).toEqual(['"client";q=2;w=4', '"client";r=1;t=2', null]);
  expect(fieldsOf(await send(path))).toEqual(['"client";q=2;w=4', '"client";r=0;t=4', null]);
  const refused = await send(path);
  expect([refused.status, ...fieldsOf(refused)]).toEqual([429, '"client";q=2;w=4', '"client";r=0;t=2', '2']);
  expect((await send(path, { from: '203.0.113.10' })).status).toBeLessThan(300);
  now += 2000;
  expect((await send(path)).status).toBeLessThan(300);
});

test('an IPv6 client is its /64', async () => {
  await app().sink({ path: '/v6', rate: { client: { per_second: 1, burst: 1 } } });
  expect((await send('/v6', { from: '2001:db8:1:2::1' })).status).toBe(200);
  expect((await send('/v6', { from: '2001:db8:1:2:ffff::9' })).status).toBe(429);
  expect((await send('/v6', { from: '2001:db8:1:3::1' })).status).toBe(200);
});

test('all clients share the rate of the sink, beside the rate of the server for each', async () => {
  await app().sink({ path: '/all', rate: { sink: { per_second: 1, burst: 4 } } });
  expect(await statuses(4, '/all', { from: '192.0.2.1' })).toEqual([200, 200, 200, 429]);
  expect(await statuses(2, '/all', { from: '192.0.2.2' })).toEqual([200, 429]);
  const refused = await send('/all', { from: '192.0.2.3' });
  expect(fieldsOf(refused)).toEqual(['"client";q=3;w=1, "sink";q=4;w=4', '"sink";r=0;t=1', '1']);
});

test('a sink without a rate has that of the server, and says it only when it refuses', async () => {
  await app().sink({ path: '/default', rate: null });
  expect(fieldsOf(await send('/default'))).toEqual([null, null, null]);
  expect(await statuses(3, '/default')).toEqual([200, 200, 429]);
  expect(fieldsOf(await send('/default'))).toEqual(['"client";q=3;w=1', '"client";r=0;t=1', '1']);
});

test('wrong credentials use up nobody else’s rate, and the right one is served behind the same address', async () => {
  await app().sink({
    path: '/guarded',
    auth_token: TOKEN,
    rate: { client: { per_second: 1, burst: 2 }, sink: { per_second: 1, burst: 2 } },
  });
  const failed = await statuses(60, '/guarded', { token: 'wrong' });
  expect(failed).toEqual([...Array(50).fill(401), ...Array(10).fill(429)]);
  expect(await statuses(3, '/guarded', { token: TOKEN })).toEqual([200, 200, 429]);
});

test('a request with a wrong signature takes no token either', async () => {
  await app().sink({ path: '/signed', auth: { type: 'github', secrets: ['s'] }, rate: { sink: { per_second: 1, burst: 1 } } });
  const signature = `sha256=${createHmac('sha256', 's').update('{}').digest('hex')}`;
  const headers = { 'content-type': 'application/json', 'x-github-event': 'push', 'x-github-delivery': 'a' };
  const from = '198.51.100.7';
  expect((await send('/signed', { from, headers: { ...headers, 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` } })).status).toBe(401);
  expect((await send('/signed', { from, headers: { ...headers, 'x-hub-signature-256': signature } })).status).toBe(200);
  expect((await send('/signed', { from, headers: { ...headers, 'x-hub-signature-256': signature } })).status).toBe(429);
});

test('an edit of another field keeps the count, and another rate counts the same requests', async () => {
  const { id } = await app().sink({ path: '/edited', rate: { client: { per_second: 0.1, burst: 1 } } });
  expect(await statuses(2, '/edited')).toEqual([200, 429]);
  await app().admin('PATCH', `/apps/shop/sinks/${id}`, { response: 'stream' });
  expect(await statuses(1, '/edited')).toEqual([429]);
  await app().admin('PATCH', `/apps/shop/sinks/${id}`, { rate: { client: { per_second: 0.2 } } });
  expect((await app().admin('GET', `/apps/shop/sinks/${id}`)).body.rate).toEqual({ client: { per_second: 0.2, burst: 1 } });
  expect(await statuses(1, '/edited')).toEqual([429]);
  now += 5000;
  expect(await statuses(2, '/edited')).toEqual([200, 429]);
});

test('without any rate no answer has the fields', async () => {
  const free = await startTestApp();
  await free.sink({ path: '/free' });
  const answer = await fetch(`${free.url}/shop/free`, { method: 'POST' });
  await answer.text();
  expect(fieldsOf(answer)).toEqual([null, null, null]);
});

describe('a definition', () => {
  const refused: [string, unknown, string][] = [
    ['without a limit', {}, 'rate: must NOT have fewer than 1 properties'],
    ['of no object', 5, 'rate: must be object,null'],
    ['with an unknown party', { address: { per_second: 1 } }, 'rate: unknown field "address"'],
    ['without a rate', { client: {} }, 'rate.client: field "per_second" is missing'],
    ['of nothing', { client: { per_second: 0 } }, 'rate.client.per_second: must be >= 0.001'],
    ['of too much', { client: { per_second: 1e7 } }, 'rate.client.per_second: must be <= 1000000'],
    ['with an empty bucket', { sink: { per_second: 1, burst: 0 } }, 'rate.sink.burst: must be >= 1'],
    ['with half a request', { sink: { per_second: 1, burst: 1.5 } }, 'rate.sink.burst: must be integer'],
    ['with text', { sink: { per_second: '1' } }, 'rate.sink.per_second: must be number'],
  ];
  test.each(refused)('%s is refused', async (_what, rate, message) => {
    const { status, body } = await app().admin('POST', '/apps/shop/sinks', { path: '/refused', method: 'POST', rate });
    expect(status).toBe(400);
    expect(JSON.stringify(body).replaceAll('\\"', '"')).toContain(message);
  });
});

describe('block_from', () => {
  test('refuses the addresses that it names, before allow_from', async () => {
    await app().sink({
      path: '/blocking',
      block_from: ['198.51.100.0/24', '2001:db8::/32'],
      allow_from: ['198.51.100.7', '203.0.113.0/24'],
    });
    expect((await send('/blocking', { from: '198.51.100.7' })).status).toBe(403);
    expect((await send('/blocking', { from: '2001:db8::1' })).status).toBe(403);
    expect((await send('/blocking', { from: '203.0.113.7' })).status).toBe(200);
  });

  test('names its faults', async () => {
    const { body } = await app().admin('POST', '/apps/shop/sinks', { path: '/x', method: 'POST', block_from: ['10.0.0.1', 'x'] });
    expect(JSON.stringify(body)).toContain('block_from[1]');
  });
});

describe('after a restart', () => {
  /** An app on a folder that is used again. Its clock is `now`. */
  async function start(dataDir: string) {
    const running = await startTestApp({ dataDir, clock: () => now, settings: { trust_proxy: '127.0.0.1' } });
    const sendTo = async (path: string, from = '203.0.113.9', body = '[1,2,3]'): Promise<number> => {
      const headers = { 'x-forwarded-for': from, 'content-type': 'application/json' };
      const response = await fetch(`${running.url}/shop${path}`, { method: 'POST', headers, body });
      await response.text();
      return response.status < 300 ? 200 : response.status;
    };
    return { running, sendTo };
  }

  test.each<[string, object, object]>([
    ['a sink', { sink: { per_second: 0.1, burst: 3 } }, {}],
    ['a client', { client: { per_second: 0.1, burst: 3 } }, {}],
    ['a sink with batches', { client: { per_second: 0.1, burst: 3 } }, { flow: { batch: { size: 2, seconds: 9 } } }],
    ['a sink that splits', { sink: { per_second: 0.1, burst: 3 } }, { split: '$request.body' }],
    ['a sink with several workflows', { sink: { per_second: 0.1, burst: 3 } }, { workflows: [{ workflow_id: 'a' }, { workflow_id: 'b' }] }],
    ['a sink with held runs', { sink: { per_second: 0.1, burst: 3 } }, { flow: { max_concurrent: 1 } }],
  ])('the used rate of %s is used, and is filled as before', async (_what, rate, fields) => {
    const dataDir = tempDir();
    const before = await start(dataDir);
    for (const id of ['a', 'b']) await before.running.workflow(id, {});
    await before.running.sink({ path: '/kept', rate, ...fields });
    expect(await before.sendTo('/kept')).toBe(200);
    now += 5;
    expect([await before.sendTo('/kept'), await before.sendTo('/other')]).toEqual([200, 404]);
    await before.running.close();
    const { sendTo } = await start(dataDir);
    now += 5;
    expect([await sendTo('/kept'), await sendTo('/kept')]).toEqual([200, 429]);
    now += 10_000;
    expect([await sendTo('/kept'), await sendTo('/kept')]).toEqual([200, 429]);
    const isOfClient = 'client' in rate;
    expect(await sendTo('/kept', '198.51.100.4')).toBe(isOfClient ? 200 : 429);
  });

  test('a sink that had its rate for long is full again, and replays take no token', async () => {
    const dataDir = tempDir();
    const before = await start(dataDir);
    await before.running.sink({ path: '/kept', rate: { sink: { per_second: 1, burst: 3 } } });
    for (let n = 0; n < 3; n += 1) expect(await before.sendTo('/kept')).toBe(200);
    now += 3000;
    const { runs } = (await before.running.admin('GET', '/runs')).body;
    for (const { run_id: runId } of runs) expect((await before.running.admin('POST', `/runs/${runId}/replay`)).status).toBeLessThan(300);
    await before.running.close();
    const { sendTo } = await start(dataDir);
    const answers = [];
    for (let n = 0; n < 4; n += 1) answers.push(await sendTo('/kept'));
    expect(answers).toEqual([200, 200, 200, 429]);
  });
});
