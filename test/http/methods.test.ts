// Methods: which start a run, which never do, and what the others are told.

import { describe, expect, test } from 'vitest';
import { createGates, gatedWorkflow } from '../support/gates.ts';
import { sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';

const gates = createGates();
const app = shareApp(gates.options, async (shared) => {
  await shared.workflow('held', gatedWorkflow('held', 1));
  await shared.sink({ path: '/held', workflow_id: 'held' });
  await shared.sink({ path: '/get', method: 'GET' });
  await shared.sink({ path: '/post', method: 'POST' });
  await shared.sink({ path: '/any', method: 'ANY' });
  await shared.sink({ path: '/both', method: 'PUT' });
  await shared.sink({ path: '/both', method: 'DELETE' });
  await shared.sink({ path: '/guarded', method: 'GET', auth_token: 'tok' });
});

const PREFIXES = ['', '/sink/trigger/http', '/api/v1/sink/trigger/http'];

async function runCount(): Promise<number> {
  return (await app().admin('GET', '/runs?limit=500')).body.runs.length;
}

describe('HEAD and OPTIONS', () => {
  for (const [method, status] of [
    ['HEAD', 200],
    ['OPTIONS', 204],
  ] as const) {
    test(`${method} is ${status}, never starts a run and tells the methods of the path`, async () => {
      const before = await runCount();
      for (const prefix of PREFIXES) {
        for (const [path, allow] of [
          ['/get', 'GET, HEAD, OPTIONS'],
          ['/post', 'POST, HEAD, OPTIONS'],
          ['/any', 'GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS'],
          ['/both', 'PUT, DELETE, HEAD, OPTIONS'],
          ['/guarded', 'GET, HEAD, OPTIONS'],
        ]) {
          const response = await fetch(`${app().url}${prefix}/shop${path}`, { method });
          expect(response.status, path).toBe(status);
          expect(response.headers.get('allow'), path).toBe(allow);
          expect(response.headers.get('access-control-allow-origin')).toBeNull();
          expect(await response.text()).toBe('');
        }
      }
      expect(await runCount()).toBe(before);
    });

    test(`${method} of a path that there is not is 404`, async () => {
      expect((await fetch(`${app().url}/shop/nothing`, { method })).status).toBe(404);
    });
  }

  test('HEAD of what GET finds elsewhere answers as GET does, without its content', async () => {
    const run = (await fetch(`${app().url}/shop/any`, { method: 'POST' })).headers.get('x-run-id');
    const paths = ['/healthz', '/readyz', '/api/v1/openapi.json', `/runs/${run}`, `/runs/${run}/events`, '/runs/run_x', '/api/v1/sinks'];
    for (const path of paths) {
      const [get, head] = await Promise.all(['GET', 'HEAD'].map((method) => fetch(`${app().url}${path}`, { method })));
      expect(head?.status, path).toBe(get?.status);
      expect(head?.headers.get('content-type'), path).toBe(get?.headers.get('content-type'));
      expect(await head?.text(), path).toBe('');
      await get?.text();
    }
  });

  test('HEAD of the stream of a run that goes on does not wait for its end', async () => {
    const held = await fetch(`${app().url}/shop/held`, { method: 'POST' });
    const head = await fetch(`${app().url}/runs/${held.headers.get('x-run-id')}/events`, { method: 'HEAD' });
    expect(head.headers.get('content-type')).toBe('text/event-stream');
    gates.open('held1');
    await held.text();
  });

  test('OPTIONS tells senders that ask first that they may send, where the sink names them', async () => {
    await app().sink({ path: '/events', webhook_origins: ['eventgrid.azure.net'] });
    await app().sink({ path: '/open', webhook_origins: ['*'] });
    const ask = async (path: string, origin: string, more: Record<string, string> = {}) => {
      const response = await fetch(`${app().url}/shop${path}`, {
        method: 'OPTIONS',
        headers: { 'webhook-request-origin': origin, ...more },
      });
      return [response.status, response.headers.get('webhook-allowed-origin'), response.headers.get('webhook-allowed-rate')];
    };
    expect(await ask('/events', 'eventgrid.azure.net')).toEqual([200, 'eventgrid.azure.net', null]);
    expect(await ask('/events', 'EventGrid.azure.net', { 'webhook-request-rate': '100' })).toEqual([200, 'EventGrid.azure.net', '*']);
    expect(await ask('/events', 'evil.example')).toEqual([204, null, null]);
    expect(await ask('/open', 'any.example')).toEqual([200, 'any.example', null]);
    expect(await ask('/post', 'eventgrid.azure.net')).toEqual([204, null, null]);
    const refused = await app().admin('POST', '/apps/shop/sinks', { path: '/bad', method: 'POST', webhook_origins: ['a b'] });
    expect([refused.status, refused.body.error.message]).toEqual([400, expect.stringContaining('webhook_origins')]);
    const { body } = await app().admin('GET', '/apps/shop/sinks');
    expect(body.sinks.find(({ path }: any) => path === '/events')).toMatchObject({ webhook_origins: ['eventgrid.azure.net'] });
  });

  test('OPTIONS of the whole server is refused: it names no sink', async () => {
    const answer = await sendRaw(app().url, 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answer.status).toBe(400);
  });
});

describe('a method that the path does not take', () => {
  test('is 405 with Allow, for every other method and on every form of the route, and starts nothing', async () => {
    const before = await runCount();
    for (const prefix of PREFIXES) {
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
        const response = await fetch(`${app().url}${prefix}/shop/post`, { method });
        expect(response.status).toBe(405);
        expect(response.headers.get('allow')).toBe('POST, HEAD, OPTIONS');
        expect(await response.json()).toMatchObject({
          triggered: false,
          run_id: null,
          error: { code: 'method_not_allowed', message: `this path accepts POST, not ${method}` },
        });
      }
    }
    expect(await runCount()).toBe(before);
  });

  test('is 405 before any token is looked at, and says nothing about it', async () => {
    const response = await fetch(`${app().url}/shop/guarded`, { method: 'POST' });
    expect(response.status).toBe(405);
    expect(response.headers.get('www-authenticate')).toBeNull();
  });

  test('cannot be put on by a header or a field that overrides it', async () => {
    for (const headers of [{ 'x-http-method-override': 'POST' }, { 'x-method-override': 'POST' }, { 'x-http-method': 'POST' }]) {
      expect((await fetch(`${app().url}/shop/post?_method=POST`, { headers: headers as Record<string, string> })).status).toBe(405);
    }
  });

  test('is 405 too when HTTP knows it and sinks do not', async () => {
    for (const method of ['TRACE', 'PROPFIND', 'PURGE', 'LOCK', 'SUBSCRIBE', 'QUERY']) {
      const answer = await sendRaw(app().url, `${method} /shop/post HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(answer.status, method).toBe(405);
      expect(answer.headers['allow'], method).toBe('POST, HEAD, OPTIONS');
    }
  });

  test('is 400 when HTTP does not know it either', async () => {
    for (const method of ['BREW', 'post', 'P', 'GE', 'GETT']) {
      const answer = await sendRaw(app().url, `${method} /shop/post HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(answer.status, method).toBe(400);
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'invalid', message: expect.stringContaining('method') } });
    }
  });

  test('CONNECT is not answered: this is no proxy', async () => {
    const answer = await sendRaw(app().url, 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n');
    expect(answer.text).toBe('');
  });
});
