// The setting `cors` of a sink: which scripts may read its answers, and those of its runs.

import { expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';

const ORIGIN = 'https://example.org';
const EXPOSED = 'X-Run-Id, Location, Retry-After, Idempotent-Replayed';

const app = shareApp({}, async (shared) => {
  await shared.sink({ path: '/open', cors: { origins: [ORIGIN], max_age_seconds: 60 } });
  await shared.sink({ path: '/open', method: 'PUT' });
  await shared.sink({ path: '/locked', auth_token: 'a-token', cors: { origins: [ORIGIN] } });
  await shared.sink({ path: '/any', cors: { origins: ['*'] }, limits: { body_bytes: 5 } });
  await shared.sink({ path: '/form', response: 'form', cors: { origins: [ORIGIN] } });
  await shared.sink({ path: '/silent' });
});

const corsOf = ({ headers }: Response): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary'));

async function call(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
  const response = await fetch(app().url + path, { method: 'POST', ...init, headers: { origin: ORIGIN, ...init.headers } });
  await response.text();
  return response;
}

function preflight(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return call(path, { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST', ...headers } });
}

const allowed = { 'access-control-allow-origin': ORIGIN, 'access-control-expose-headers': EXPOSED, vary: 'Origin' };

test('a stream, a document and a page can be read by the named origin alone', async () => {
  expect(corsOf(await call('/shop/open'))).toEqual(allowed);
  expect(corsOf(await call('/shop/open', { headers: { accept: 'application/json' } }))).toEqual(allowed);
  expect(corsOf(await call('/shop/open', { headers: { prefer: 'respond-async' } }))).toEqual(allowed);
  expect(corsOf(await call('/shop/form', { headers: { accept: 'text/html' } }))).toEqual(allowed);
  for (const origin of ['https://example.org.evil.example', 'http://example.org', 'https://EXAMPLE.org', 'null', `${ORIGIN}, ${ORIGIN}`])
    expect(corsOf(await call('/shop/open', { headers: { origin } })), origin).toEqual({ vary: 'Origin' });
  expect(corsOf(await call('/shop/any', { headers: { origin: 'null' } }))).toEqual({ ...allowed, 'access-control-allow-origin': '*' });
});

test('so can faults', async () => {
  const unauthorized = await call('/shop/locked');
  expect(unauthorized.status).toBe(401);
  expect(corsOf(unauthorized)).toEqual(allowed);
  const large = await call('/shop/any', { body: 'more than five' });
  expect(large.status).toBe(413);
  expect(corsOf(large)).toEqual({ ...allowed, 'access-control-allow-origin': '*' });
  const malformed = await call('/shop/form', { body: '{', headers: { 'content-type': 'application/json' } });
  expect(malformed.status).toBe(400);
  expect(corsOf(malformed)).toEqual(allowed);
});

test('a preflight is answered for the sink of its method', async () => {
  const answer = await preflight('/shop/open', { 'access-control-request-headers': 'authorization,content-type' });
  expect(answer.status).toBe(204);
  expect(corsOf(answer)).toEqual({
    ...allowed,
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'authorization,content-type',
    'access-control-max-age': '60',
    vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
  });
  expect(corsOf(await preflight('/shop/open', { 'access-control-request-method': 'PUT' }))).toEqual({});
  expect(corsOf(await preflight('/shop/open', { 'access-control-request-method': 'DELETE' }))).toEqual({});
  expect(corsOf(await preflight('/shop/silent'))).toEqual({});
  expect((await preflight('/shop/nothing')).status).toBe(404);
  expect(corsOf(await preflight('/shop/open', { origin: 'https://evil.example' }))).not.toHaveProperty('access-control-allow-origin');
});

test('names of headers are bounded, and neither credentials nor a private network are allowed', async () => {
  for (const names of ['a b', `${'x'.repeat(129)}`, Array.from({ length: 65 }, (_, n) => `x-${n}`).join(','), ',,'])
    expect(corsOf(await preflight('/shop/open', { 'access-control-request-headers': names }))).not.toHaveProperty(
      'access-control-allow-headers',
    );
  const answer = await preflight('/shop/open', { 'access-control-request-private-network': 'true' });
  expect(answer.headers.get('access-control-allow-private-network')).toBeNull();
  expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
});

test('a script may follow its run', async () => {
  const runId = (await call('/shop/open')).headers.get('x-run-id');
  for (const path of [`/runs/${runId}`, `/runs/${runId}/events`]) {
    expect(corsOf(await call(path, { method: 'GET' }))).toEqual(allowed);
    const asked = await call(path, {
      method: 'OPTIONS',
      headers: { 'access-control-request-method': 'GET', 'access-control-request-headers': 'last-event-id' },
    });
    expect(asked.status).toBe(204);
    expect(corsOf(asked)).toMatchObject({ 'access-control-allow-methods': 'GET', 'access-control-allow-headers': 'last-event-id' });
  }
  const secret = (await call('/shop/locked', { headers: { authorization: 'Bearer a-token' } })).headers.get('x-run-id');
  const refused = await call(`/runs/${secret}`, { method: 'GET' });
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, ORIGIN]);
  const silent = (await call('/shop/silent')).headers.get('x-run-id');
  expect(corsOf(await call(`/runs/${silent}`, { method: 'GET' }))).toEqual({});
  expect((await call('/runs/run_none', { method: 'OPTIONS', headers: { 'access-control-request-method': 'GET' } })).status).toBe(204);
});

test('without the setting, no header says anything', async () => {
  expect(corsOf(await call('/shop/silent'))).toEqual({});
});
