// Paths as they come on the wire: what finds which sink, what is refused, and what the workflow sees of it.

import { describe, expect, test } from 'vitest';
import { provoke } from '../support/provoke.ts';
import { type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp } from '../support/start-app.ts';
import { until } from '../support/until.ts';

const app = shareApp({}, async (shared) => {
  await shared.workflow('seen', {
    steps: [{ type: 'sluice/set@v1', name: 's', values: { path: '$request.path', params: '$request.params', query: '$request.query' } }],
    outputs: [{ type: 'JsonField', name: 's', selector: '$steps.s.*' }],
  });
  for (const path of ['/exact', '/users/:id', '/users/:id/posts/:post', '/files/*', '/caf\u00e9', '/a.b-c_d~e', '/api/v1/runs', '/'])
    await shared.sink({ path, method: 'ANY', workflow_id: 'seen', response: 'wait' });
  await shared.sink({ path: '/exact', method: 'ANY', workflow_id: null }, 'other');
});

function send(path: string, { url } = app()): Promise<RawAnswer> {
  return provoke(url, () => sendRaw(url, `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`));
}

/** What the workflow saw of the request. */
function seen(answer: RawAnswer): any {
  return JSON.parse(Buffer.from(answer.body, 'latin1').toString()).output.s;
}

describe('paths that find a sink', () => {
  const found: [string, string, Record<string, string>][] = [
    ['/shop/exact', '/exact', {}],
    ['/shop/exact/', '/exact/', {}],
    ['/sink/trigger/http/shop/exact', '/exact', {}],
    ['/api/v1/sink/trigger/http/shop/exact', '/exact', {}],
    ['/shop/%65xact', '/%65xact', {}],
    ['/%73hop/exact', '/exact', {}],
    ['/shop', '/', {}],
    ['/shop/', '/', {}],
    ['/sink/trigger/http/shop', '/', {}],
    ['/shop/a.b-c_d~e', '/a.b-c_d~e', {}],
    ['/shop/api/v1/runs', '/api/v1/runs', {}],
    ['/shop/users/7', '/users/7', { id: '7' }],
    ['/shop/users/a%20b', '/users/a%20b', { id: 'a b' }],
    ['/shop/users/a+b', '/users/a+b', { id: 'a+b' }],
    ['/shop/users/a;b=1', '/users/a;b=1', { id: 'a;b=1' }],
    ['/shop/users/%3Fq%23h', '/users/%3Fq%23h', { id: '?q#h' }],
    ['/shop/users/%C3%A9%2B%2540', '/users/%C3%A9%2B%2540', { id: '\u00e9+%40' }],
    ['/shop/users/caf%C3%A9%3F', '/users/caf%C3%A9%3F', { id: 'caf\u00e9?' }],
    ['/shop/users/%2525', '/users/%2525', { id: '%25' }],
    ['/shop/users/a%252Fb', '/users/a%252Fb', { id: 'a%2Fb' }],
    ['/shop/users/:id', '/users/:id', { id: ':id' }],
    ['/shop/users/*', '/users/*', { id: '*' }],
    ['/shop/users/...', '/users/...', { id: '...' }],
    ['/shop/users/__proto__', '/users/__proto__', { id: '__proto__' }],
    ['/shop/users/%F0%9F%90%9F', '/users/%F0%9F%90%9F', { id: '\u{1f41f}' }],
    ['/shop/users/7/posts/8', '/users/7/posts/8', { id: '7', post: '8' }],
    ['/shop/files/a/b/c.txt', '/files/a/b/c.txt', { '*': 'a/b/c.txt' }],
    ['/shop/files/a//b', '/files/a//b', { '*': 'a//b' }],
    ['/shop/files/a/', '/files/a/', { '*': 'a' }],
    ['/shop/caf%C3%A9', '/caf%C3%A9', {}],
    ['/shop/caf%c3%a9', '/caf%c3%a9', {}],
    ['/shop/cafe%CC%81', '/cafe%CC%81', {}],
    [`/shop/users/${'x'.repeat(2000)}`, `/users/${'x'.repeat(2000)}`, { id: 'x'.repeat(2000) }],
  ];
  for (const [path, wholePath, params] of found) {
    test(`${path.slice(0, 60)} is ${JSON.stringify(params).slice(0, 60)}`, async () => {
      const answer = await send(path);
      expect(answer.status).toBe(200);
      expect(seen(answer)).toMatchObject({ path: wholePath, params });
    });
  }
});

describe('paths that find none', () => {
  const missing = [
    '/',
    '/nobody/exact',
    '/shop/nothing',
    '/shop/Exact',
    '/Shop/exact',
    '/shop/exact/more',
    '/shop//exact',
    '//shop/exact',
    '/shop/exact//',
    '/shop/exact;x=1',
    '/shop/exact%20',
    '/shop/users',
    '/shop/users/7/posts',
    '/shop/users/',
    '/shop/files',
    '/shop/files/',
    '/shop/users//posts/8',
    '/shop/caf\u00c3\u00a9',
    '/shop/caf%E9',
    '/shop%2525/exact',
    '/sink/trigger/http',
    '/sink/trigger/http/',
    '/sink/trigger/https/shop/exact',
    '/api/v1/sink/trigger/http/nobody/exact',
    '/runs/../shop/exact',
    '/console',
    '/favicon.ico',
    '/.env',
    '/index.php?id=1',
  ];
  for (const path of missing) {
    test(`${path} is 404, or 400 where it is no path at all`, async () => {
      const answer = await send(path);
      expect([400, 404]).toContain(answer.status);
      expect(JSON.parse(answer.body).error.message).toMatch(/./);
    });
  }
});

describe('paths that are refused', () => {
  const refused: [string, string][] = [
    ['/shop/users/a%2Fb', 'encoded slash'],
    ['/shop/users/a%2fb', 'encoded slash'],
    ['/shop%2Fexact', 'encoded slash'],
    ['/other%2F..%2Fshop/exact', 'encoded slash'],
    ['/shop/users/a%5Cb', 'encoded slash'],
    ['/shop/users/a\\b', 'backslash'],
    ['/shop/users/a%00b', 'control character'],
    ['/shop/users/a%0d%0ab', 'control character'],
    ['/shop/users/a%7f', 'control character'],
    ['/shop/users/%1b%5b31m', 'control character'],
    ['/shop/users/..', '"." or ".."'],
    ['/shop/users/.', '"." or ".."'],
    ['/shop/users/%2e%2e', '"." or ".."'],
    ['/shop/users/.%2E/exact', '"." or ".."'],
    ['/shop/./exact', '"." or ".."'],
    ['/other/../shop/exact', '"." or ".."'],
    ['/shop/files/../../etc/passwd', '"." or ".."'],
    ['/shop/files/a/%2e%2e/%2e%2e/b', '"." or ".."'],
    ['/shop/users/a#b', '%23'],
    ['/shop/users/%', 'write "%" as %25'],
    ['/shop/users/%z1', 'write "%" as %25'],
    ['/shop/users/%u002f', 'write "%" as %25'],
    ['/shop/users/%ff', 'not UTF-8'],
    ['/shop/users/%E9/posts/8', 'not UTF-8'],
    ['/sink/trigger/http/shop/users/%E9', 'not UTF-8'],
    ['/api/v1/sink/trigger/http/shop/users/%E9', 'not UTF-8'],
    ['http://x/shop/users/%E9?a=b', 'not UTF-8'],
    ['/%E9/exact', 'not UTF-8'],
    ['/shop/users/%c0%af', 'not UTF-8'],
    ['/shop/users/%e0%80%af', 'not UTF-8'],
    ['/shop/users/%ed%a0%80', 'not UTF-8'],
    ['/shop/users/\u00e9', 'percent-encode them as UTF-8'],
    ['/shop/users/\u00c3\u00a9', 'percent-encode them as UTF-8'],
    ['/shop/exact?q=\u00e9', 'percent-encode them as UTF-8'],
    [`/shop/users/${'x'.repeat(5000)}`, ''],
    [`/shop/files/${'x/'.repeat(2500)}`, ''],
  ];
  for (const [path, reason] of refused) {
    test(`${path.slice(0, 60)} is 400 that says why, as every trigger that is refused`, async () => {
      const answer = await send(path);
      expect(answer.status).toBe(400);
      const body = JSON.parse(answer.body);
      expect(body.error.message).toContain(reason);
      expect(body).toMatchObject({ triggered: false, run_id: null, message: body.error.message, error: { code: 'invalid' } });
      expect(body.request_id).toMatch(/^req_/);
    });
  }

  for (const path of ['/runs/%E9', '/api/v1/runs/%E9', '/healthz/%E9', '/runs/\u00e9']) {
    test(`${path} is 400 too, and no trigger`, async () => {
      const answer = await send(path);
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.body)).not.toHaveProperty('triggered');
    });
  }

  test('stand among the rejections, with app, method and reason', async () => {
    // Among many of one client they would be folded.
    const fresh = await startTestApp();
    await send('/shop/rejected/%E9', fresh);
    await send('/shop/rejected/\u00e9', fresh);
    const rejections: object[] = await until('both rejections', async () => {
      const { body } = await fresh.admin('GET', '/rejections?app_id=shop&limit=100');
      const found = body.rejections.filter(({ path }: { path: string }) => path.startsWith('/shop/rejected/'));
      return found.length === 2 ? found : undefined;
    });
    for (const rejection of rejections)
      expect(rejection).toMatchObject({ app_id: 'shop', method: 'POST', status: 400, code: 'invalid', client_ip: '127.0.0.1' });
  });
});

describe('queries', () => {
  const queries: [string, object][] = [
    ['a=1&b=two', { a: '1', b: 'two' }],
    ['a=1&a=2&a=3', { a: ['1', '2', '3'] }],
    ['', {}],
    ['&&', {}],
    ['a', { a: '' }],
    ['=1', { '': '1' }],
    ['a=%zz&b=%', { a: '%zz', b: '%' }],
    ['a=%00', { a: '\0' }],
    ['a=b+c%20d', { a: 'b c d' }],
    ['a[b]=1', { 'a[b]': '1' }],
    ['a=1?b=2', { a: '1?b=2' }],
    ['a=..%2f..%2f', { a: '../../' }],
    ['constructor=1&toString=2', { constructor: '1', toString: '2' }],
    ['a=%EF%BF%BD&b=%C3%A9', { a: '\ufffd', b: '\u00e9' }],
    ['a=%EF%BB%BFx', { a: '\ufeffx' }],
  ];
  for (const [query, expected] of queries) {
    test(`?${query} is ${JSON.stringify(expected)}`, async () => {
      const answer = await send(`/shop/exact?${query}`);
      expect(answer.status).toBe(200);
      expect(seen(answer).query).toEqual(expected);
    });
  }

  for (const query of ['a=%ff', 'b=1&a=%E9', 'a=%C3', '%FFa=1', 'a=%ED%A0%80', 'a=1&a=%c0%af']) {
    test(`?${query} is 400 that names the parameter: no letter is made up`, async () => {
      const answer = await send(`/shop/exact?${query}`);
      expect(answer.status).toBe(400);
      const body = JSON.parse(answer.body);
      expect(body).toMatchObject({ triggered: false, run_id: null, error: { part: query.startsWith('%') ? '%FFa' : 'a' } });
      expect(body.message).toMatch(/^query parameter ".*a" is not utf-8 text$/);
    });
  }

  test('?__proto__= is a name like any other and touches no prototype', async () => {
    const answer = await send('/shop/exact?__proto__=x&__proto__[polluted]=1');
    expect(answer.body).toContain('"__proto__":"x"');
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });
});
