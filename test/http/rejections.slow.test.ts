// What is kept of refused triggers: enough to find a mistake, and no more than so much, whatever callers send.

import { describe, expect, test } from 'vitest';
import { type RefusedTrigger, RejectionEntries } from '../../src/http/trigger/rejections/rejection-entries.ts';
import { sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { until } from '../support/until.ts';

const app = shareApp({}, async (shared) => {
  await shared.sink({ path: '/locked', auth_token: 'the-token-of-this-sink' });
});

async function listed(from: TestApp, query = ''): Promise<any[]> {
  return (await from.admin('GET', `/rejections?limit=500${query}`)).body.rejections;
}

/** All that were refused, once the last of them is stored. */
const recorded = (from: TestApp, count: number): Promise<any[]> =>
  until(`${count} refusals to be recorded`, async () => {
    const entries = await listed(from);
    return entries.reduce((sum, entry) => sum + entry.count, 0) === count && entries;
  });

test('they are listed with reason, sink and count, newest first, page by page', async () => {
  for (const path of ['/shop/nothing-1', '/shop/nothing-2', '/shop/nothing-2', '/other/nothing', '/shop/locked'])
    await (await fetch(app().url + path, { method: 'POST' })).text();
  await recorded(app(), 5);
  const entries = await listed(app(), '&app_id=shop');
  const { sink_id: locked, ...first } = entries[0];
  expect(first).toMatchObject({ path: '/shop/locked', status: 401, code: 'unauthorized', count: 1, client_ip: '127.0.0.1', folded: null });
  expect(locked).toMatch(/^snk_/);
  expect(entries.slice(1).map(({ path, sink_id: sink, status, code, count }) => ({ path, sink, status, code, count }))).toEqual([
    { path: '/shop/nothing-2', sink: null, status: 404, code: 'not_found', count: 2 },
    { path: '/shop/nothing-1', sink: null, status: 404, code: 'not_found', count: 1 },
  ]);
  const page = (await app().admin('GET', '/rejections?limit=1')).body;
  const next = (await app().admin('GET', `/rejections?limit=1&cursor=${page.next_cursor}`)).body;
  expect(next.rejections[0].position).toBeLessThan(page.rejections[0].position);
  for (const query of ['limit=0', 'cursor=x', 'cursor=-1', 'nothing=1'])
    expect((await app().admin('GET', `/rejections?${query}`)).status).toBe(400);
});

test('every text that a caller chose is cut, in bytes', async () => {
  const fresh = await startTestApp();
  for (const target of [`/${'a'.repeat(14_000)}`, `/${'a'.repeat(65)}/x`, `/shop/${'%E2%82%AC'.repeat(200)}`])
    await sendRaw(fresh.url, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const entries = await recorded(fresh, 3);
  expect(entries.map(({ app_id: appId }) => appId)).toEqual(['shop', null, null]);
  for (const { path, message } of entries) {
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(512);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(512);
  }
});

test('a flood under ever other paths is one entry after the first few, and goes on in it', async () => {
  const fresh = await startTestApp();
  const flood = (from: number, to: number): Promise<unknown> =>
    Promise.all(Array.from({ length: to - from }, (_, n) => fetch(`${fresh.url}/app${from + n}/x`).then((answer) => answer.text())));
  await flood(0, 100);
  const before = await recorded(fresh, 100);
  expect(before).toHaveLength(17);
  const { position, count } = before.find(({ folded }) => folded === 'requests');
  expect(count).toBe(84);
  await flood(100, 150);
  const after = await recorded(fresh, 150);
  expect(after).toHaveLength(17);
  expect(after.find(({ folded }) => folded === 'requests')).toMatchObject({ position, count: 134, app_id: null, sink_id: null });
});

describe('entries', () => {
  const refusal = (fields: Partial<RefusedTrigger> = {}): RefusedTrigger => ({
    sinkId: null,
    appId: 'shop',
    method: 'GET',
    path: '/shop/x',
    status: 404,
    code: 'not_found',
    reason: 'no_sink',
    message: 'no sink found',
    clientIp: '192.0.2.1',
    ...fields,
  });

  test('are bounded however many clients come, every refusal is counted, and what is alike stays together', () => {
    const entries = new RejectionEntries();
    const opened = new Set();
    const first = entries.count(refusal(), 1, 1);
    for (let client = 0; client < 20_000; client += 1) {
      opened.add(entries.count(refusal({ clientIp: `2001:db8::${client.toString(16)}`, path: `/shop/${client}` }), 2, 2));
    }
    expect(opened.size).toBe(1000);
    const counted = [...opened].reduce<number>((sum, entry) => sum + (entry as typeof first).change.count, 0);
    expect(counted).toBe(20_000);
    expect([...opened].at(-1)).toMatchObject({ change: { folded: 'clients', appId: null, clientIp: '2001:db8::4e1f', count: 19_001 } });
    expect(entries.count(refusal(), 3, 3)).toBe(first);
    expect(first.change).toMatchObject({ count: 2, firstAt: 1, lastAt: 3, folded: null });
  });

  test('of one client at one sink for one reason leave room for those of others', () => {
    const entries = new RejectionEntries();
    for (let n = 0; n < 10_000; n += 1) entries.count(refusal({ sinkId: 'snk_1', path: `/shop/${n}` }), 1, 1);
    for (const other of [{ clientIp: '192.0.2.2' }, { sinkId: 'snk_2' }, { status: 401, code: 'unauthorized', reason: 'wrong_token' }])
      expect(entries.count(refusal({ sinkId: 'snk_1', ...other }), 1, 1).change).toMatchObject({ folded: null, count: 1, ...other });
  });

  test('are let go when they are old and not needed, and then there is room again', () => {
    const entries = new RejectionEntries();
    const needed = entries.count(refusal({ path: '/needed' }), 1, 1);
    for (let n = 0; n < 100; n += 1) entries.count(refusal({ path: `/${n}` }), 1, 1);
    entries.forget(2, (entry) => entry === needed);
    expect(entries.count(refusal({ path: '/needed' }), 2, 2)).toBe(needed);
    for (let n = 0; n < 15; n += 1) expect(entries.count(refusal({ path: `/again/${n}` }), 2, 2).change.folded).toBeNull();
    expect(entries.count(refusal({ path: '/one-more' }), 2, 2).change.folded).toBe('requests');
  });
});
