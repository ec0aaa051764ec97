// Tokens: who may trigger a sink, read a run and administer the server, and that no secret ever comes out again.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readOrMakeAdminToken } from '../../src/files/data-directory.ts';
import { newToken } from '../../src/ids.ts';
import { sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';
import { ADMIN_TOKEN, startTestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const TOKEN = 'tok-of-Alpha.123';
const SECOND_TOKEN = 'second-tok-of-alpha';
const OTHER_TOKEN = 'tok-of-beta';

let now = Date.now();
/** Wrong tokens are counted by the second: the tests of a file present more of them than a caller may. */
function aMinuteLater(): void {
  now += 60_000;
}

const app = shareApp({ clock: () => now }, async (shared) => {
  await shared.sink({ path: '/alpha', method: 'ANY', auth: { type: 'bearer', tokens: [TOKEN, SECOND_TOKEN] } });
  await shared.sink({ path: '/beta', method: 'ANY', auth_token: OTHER_TOKEN });
  await shared.sink({ path: '/open', method: 'ANY' });
});

function trigger(authorization: string | undefined, path = '/alpha'): Promise<Response> {
  aMinuteLater();
  return fetch(`${app().url}/shop${path}`, { method: 'POST', headers: authorization === undefined ? {} : { authorization } });
}

async function runOf(path: string, token?: string): Promise<string> {
  const response = await trigger(token === undefined ? undefined : `Bearer ${token}`, path);
  await response.text();
  return response.headers.get('x-run-id') as string;
}

async function runCount(): Promise<number> {
  return (await app().admin('GET', '/runs?limit=500')).body.runs.length;
}

describe('a sink with a token', () => {
  const right = [
    ['the token', `Bearer ${TOKEN}`],
    ['its other token', `Bearer ${SECOND_TOKEN}`],
    ['the scheme in lower case', `bearer ${TOKEN}`],
    ['the scheme in upper case', `BEARER ${TOKEN}`],
  ] as const;
  for (const [what, authorization] of right) {
    test(`starts a run for ${what}`, async () => {
      const response = await trigger(authorization);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('"type":"complete"');
    });
  }

  const wrong = [
    ['an empty header', ''],
    ['another token', 'Bearer nope'],
    ['no token behind the scheme', 'Bearer'],
    ['an empty token', 'Bearer '],
    ['the bare token', TOKEN],
    ['another scheme', `Token ${TOKEN}`],
    ['basic credentials', `Basic ${Buffer.from(`user:${TOKEN}`).toString('base64')}`],
    ['a scheme that only begins alike', `BearerX ${TOKEN}`],
    ['the token in another case', `Bearer ${TOKEN.toUpperCase()}`],
    ['the beginning of the token', `Bearer ${TOKEN.slice(0, -1)}`],
    ['the token and more', `Bearer ${TOKEN}x`],
    ['the token in quotes', `Bearer "${TOKEN}"`],
    ['the token twice', `Bearer ${TOKEN} ${TOKEN}`],
    ['a list with the token in it', `Bearer nope, Bearer ${TOKEN}`],
    ['both tokens', `Bearer ${TOKEN},${SECOND_TOKEN}`],
    ['a token of another sink', `Bearer ${OTHER_TOKEN}`],
    ['the admin token', `Bearer ${ADMIN_TOKEN}`],
    ['a very long token', `Bearer ${'x'.repeat(8000)}`],
    ['characters beyond ASCII', 'Bearer t\u00f6k'],
  ] as const;
  for (const [what, authorization] of wrong) {
    test(`answers 401 with a challenge to ${what}, and starts nothing`, async () => {
      const before = await runCount();
      const response = await trigger(authorization);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm="sluice"/);
      expect(await response.json()).toMatchObject({ triggered: false, run_id: null, error: { code: 'unauthorized' } });
      expect(await runCount()).toBe(before);
    });
  }

  test('tells a missing token from a wrong one, as RFC 6750 has it', async () => {
    expect((await trigger(undefined)).headers.get('www-authenticate')).toBe('Bearer realm="sluice"');
    expect((await trigger('Bearer nope')).headers.get('www-authenticate')).toBe('Bearer realm="sluice", error="invalid_token"');
  });

  test('takes no token from the query, a cookie or a field', async () => {
    aMinuteLater();
    const url = `${app().url}/shop/alpha?access_token=${TOKEN}&token=${TOKEN}&auth_token=${TOKEN}`;
    const response = await fetch(url, {
      method: 'POST',
      headers: { cookie: `token=${TOKEN}`, 'x-api-key': TOKEN, 'proxy-authorization': `Bearer ${TOKEN}` },
      body: new URLSearchParams({ auth_token: TOKEN, access_token: TOKEN }),
    });
    expect(response.status).toBe(401);
  });

  test('looks at the first of two Authorization headers alone', async () => {
    aMinuteLater();
    const two = (first: string, second: string): string =>
      `POST /shop/alpha HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${first}\r\nAuthorization: Bearer ${second}\r\nContent-Length: 0\r\n\r\n`;
    expect((await sendRaw(app().url, two('nope', TOKEN))).status).toBe(401);
    expect((await sendRaw(app().url, two(TOKEN, 'nope'))).status).toBe(200);
  });

  test('decides on the head: 100 MB announced and never sent are 401 at once, and the connection is closed', async () => {
    aMinuteLater();
    for (const framing of ['Content-Length: 100000000', 'Transfer-Encoding: chunked']) {
      const started = performance.now();
      const answer = await sendRaw(
        app().url,
        `POST /shop/alpha HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${framing}\r\n\r\n`,
      );
      expect(answer.status).toBe(401);
      expect(answer.headers['connection']).toBe('close');
      expect(performance.now() - started).toBeLessThan(3000);
    }
  });

  test('still takes the right token from an address that guessed wrong two hundred times, while guessing is held up', async () => {
    aMinuteLater();
    const statuses: number[] = [];
    for (let guess = 0; guess < 200; guess += 1) {
      const response = await fetch(`${app().url}/shop/alpha`, { method: 'POST', headers: { authorization: `Bearer guess-${guess}` } });
      statuses.push(response.status);
      if (response.status === 429) expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      await response.text();
    }
    expect(statuses.slice(0, 50)).toEqual(Array(50).fill(401));
    expect(statuses.slice(50)).toEqual(Array(150).fill(429));
    const right = await fetch(`${app().url}/shop/alpha`, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } });
    expect(right.status).toBe(200);
    await right.text();
    const open = await fetch(`${app().url}/shop/open`, { method: 'POST' });
    expect(open.status).toBe(200);
    await open.text();
    expect((await app().admin('GET', '/apps')).status).toBe(200);
  });

  test('takes the new token after it was rotated, and no old one', async () => {
    const { id } = await app().sink({ path: '/rotated', auth_token: 'old-token' });
    const { body } = await app().admin('POST', `/apps/shop/sinks/${id}/rotate-token`);
    expect(body.auth_token).toMatch(/^[\w-]{43}$/);
    expect((await trigger('Bearer old-token', '/rotated')).status).toBe(401);
    expect((await trigger(`Bearer ${body.auth_token}`, '/rotated')).status).toBe(200);
    expect(JSON.stringify((await app().admin('GET', `/apps/shop/sinks/${id}`)).body)).not.toContain(body.auth_token);
  });
});

describe('the runs of a sink', () => {
  const read = (run: string, token?: string, suffix = ''): Promise<Response> => {
    aMinuteLater();
    return fetch(`${app().url}/runs/${run}${suffix}`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  };

  for (const suffix of ['', '/events']) {
    const what = suffix === '' ? 'looked up' : 'streamed';

    test(`are ${what} by whoever holds a token of the sink, or the admin token, and by nobody else`, async () => {
      const run = await runOf('/alpha', TOKEN);
      for (const token of [TOKEN, SECOND_TOKEN, ADMIN_TOKEN]) {
        const response = await read(run, token, suffix);
        expect(response.status, token).toBe(200);
        expect(await response.text()).toContain(run);
      }
      for (const token of [undefined, 'nope', OTHER_TOKEN]) {
        const response = await read(run, token, suffix);
        expect(response.status, token).toBe(401);
        expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /);
      }
    });

    test(`are ${what} by their unguessable id where the sink is public`, async () => {
      const run = await runOf('/open');
      expect((await read(run, undefined, suffix)).status).toBe(200);
      expect((await read(run, 'whatever', suffix)).status).toBe(200);
      const last = run.at(-1) === '0' ? '1' : '0';
      expect((await read(run.slice(0, -1) + last, undefined, suffix)).status).toBe(404);
    });

    test(`are ${what} by the administrator alone once the sink was deleted`, async () => {
      for (const auth of [{ auth_token: 'tok-to-delete' }, {}]) {
        const { id } = await app().sink({ path: '/deleted', method: 'ANY', ...auth });
        const run = await runOf('/deleted', auth.auth_token);
        expect((await app().admin('DELETE', `/apps/shop/sinks/${id}`)).status).toBe(204);
        expect((await read(run, 'tok-to-delete', suffix)).status).toBe(401);
        expect((await read(run, undefined, suffix)).status).toBe(401);
        expect((await read(run, ADMIN_TOKEN, suffix)).status).toBe(200);
      }
    });
  }
});

describe('the admin API', () => {
  const PUBLIC = new Set(['get /healthz', 'get /readyz', 'get /runs/{run_id}', 'get /runs/{run_id}/events', 'get /api/v1/openapi.json']);

  async function routes(): Promise<{ method: string; path: string }[]> {
    const document = (await (await fetch(`${app().url}/api/v1/openapi.json`)).json()) as any;
    expect(document.openapi).toBe('3.1.0');
    return Object.entries(document.paths as Record<string, object>).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => ({ method, path })),
    );
  }

  test('answers 401 on every route that its description lists, save those that are meant for everybody', async () => {
    const admin = (await routes()).filter(({ method, path }) => !PUBLIC.has(`${method} ${path}`));
    expect(admin.length).toBeGreaterThan(20);
    for (const { method, path } of admin) {
      expect(path).toMatch(/^\/api\/v1\//);
      const url = app().url + path.replaceAll(/\{\w+\}/g, 'x');
      for (const headers of [{}, { authorization: 'Bearer nope' }, { authorization: `Bearer ${TOKEN}` }]) {
        aMinuteLater();
        const response = await fetch(url, { method: method.toUpperCase(), headers: headers as Record<string, string> });
        expect(response.status, `${method} ${path}`).toBe(401);
        expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /);
        await response.text();
      }
    }
  });

  test('decides on the head there too', async () => {
    aMinuteLater();
    const answer = await sendRaw(
      app().url,
      'POST /api/v1/definitions/apply HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n',
    );
    expect(answer.status).toBe(401);
  });

  test('cannot be reached on a way around its token', async () => {
    const paths = [
      '/api/v1/runs/',
      '//api/v1/runs',
      '/api//v1/runs',
      '/./api/v1/runs',
      '/api/v1/../v1/runs',
      '/API/V1/RUNS',
      '/api/v1/runs;x=1',
      '/api/v1/runs%2f',
      '/api/v1%2fruns',
      '/api/v1/runs%00',
      '/api%2fv1%2fruns',
      '/%61pi/v1/runs',
      '/sink/trigger/http/../../../api/v1/runs',
      '/sink/trigger/http/%2e%2e/%2e%2e/%2e%2e/api/v1/runs',
      '/shop/../api/v1/runs',
      '/api/v1/openapi.json/../runs',
      '/healthz/../api/v1/runs',
      '/api/v1/runs?/healthz',
      '/api/v1/runs#/healthz',
      'http://127.0.0.1/api/v1/runs',
    ];
    for (const path of paths) {
      aMinuteLater();
      const answer = await sendRaw(app().url, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect([400, 401, 404], path).toContain(answer.status);
    }
  });

  test('makes a token of 256 bits where it was given none, for its owner alone to read, and keeps it', async () => {
    const dataDir = tempDir();
    const { token, path, isNew } = await readOrMakeAdminToken(dataDir, newToken);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect([isNew, readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual([true, `${token}\n`, 0o600]);
    expect(await readOrMakeAdminToken(dataDir, newToken)).toEqual({ token, path, isNew: false });
  });
});

describe('secrets', () => {
  test('never come out again: not in answers, events, lists, exports, the description, the log or on the disk', async () => {
    const dataDir = tempDir();
    const secretive = await startTestApp({ dataDir });
    const canaries = ['token', 'second', 'guess', 'cookie', 'gitlab', 'telegram', 'key', 'query', 'referer', 'path', 'fragment'].map(
      (name) => `canary-of-a-${name}`,
    );
    const sink = await secretive.sink({ path: '/guarded', auth: { type: 'bearer', tokens: canaries.slice(0, 2) } });
    const seen: string[] = [JSON.stringify(sink)];
    const note = async (response: Promise<Response>): Promise<Response> => {
      const answered = await response;
      seen.push(JSON.stringify([...answered.headers]), await answered.text());
      return answered;
    };
    const post = (authorization: string, body = '{}'): Promise<Response> =>
      note(
        fetch(`${secretive.url}/shop/guarded?a=1&token=canary-of-a-query&hub.verify_token=canary-of-a-query&apiKey=canary-of-a-query`, {
          method: 'POST',
          headers: {
            authorization,
            'content-type': 'application/json',
            cookie: 'session=canary-of-a-cookie',
            'x-gitlab-token': 'canary-of-a-gitlab',
            'x-telegram-bot-api-secret-token': 'canary-of-a-telegram',
            'x-api-key': 'canary-of-a-key',
            'x-auth-token': 'canary-of-a-key',
            referer: 'https://example.org/?page=2&access_token=canary-of-a-referer',
            'x-forwarded-uri': '/shop/guarded?token=canary-of-a-referer',
            'x-hub-signature-256': 'sha256=canary-of-a-signature',
            'stripe-signature': 't=1,v1=canary-of-a-signature',
          },
          body,
        }),
      );
    const run = (await post('Bearer canary-of-a-token')).headers.get('x-run-id');
    expect(run).toMatch(/^run_/);
    await post('Bearer canary-of-a-guess');
    await post('Bearer canary-of-a-token', '{broken');
    for (const path of ['/shop/none?token=canary-of-a-query', '/shop/none;token=canary-of-a-path', '/shop/none%3Ftoken%3Dcanary-of-a-path'])
      expect((await fetch(secretive.url + path)).status).toBe(404);
    await sendRaw(secretive.url, 'GET /shop/none#access_token=canary-of-a-fragment HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await until('the refusals to be listed', async () => (await secretive.admin('GET', '/rejections')).body.rejections.length >= 6);
    const paths = [
      '/sinks',
      '/apps/shop/sinks',
      `/apps/shop/sinks/${sink.id}`,
      '/runs',
      `/runs/${run}`,
      '/rejections',
      '/definitions',
      '/apps',
    ];
    for (const path of [...paths, '/openapi.json']) {
      const response = await note(fetch(`${secretive.url}/api/v1${path}`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } }));
      expect(response.status).toBe(200);
    }
    const { request } = (await secretive.admin('GET', `/runs/${run}`)).body;
    expect(request.query).toEqual({ a: '1' });
    expect(request.headers).toMatchObject({
      'x-hub-signature-256': 'sha256=canary-of-a-signature',
      'stripe-signature': 't=1,v1=canary-of-a-signature',
      referer: 'https://example.org/?page=2&access_token=********',
    });
    const invalid = { path: '/x', method: 'POST', auth_token: 'canary-of-a-token with spaces', tokn: 1 };
    seen.push(JSON.stringify((await secretive.admin('POST', '/apps/shop/sinks', invalid)).body));
    await secretive.close();
    const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const { parentPath, name } of files) seen.push(readFileSync(join(parentPath, name), 'latin1'));
    expect(files.length).toBeGreaterThan(1);
    expect(seen.filter((text) => text.includes('/guarded')).length).toBeGreaterThan(5);
    for (const canary of canaries)
      expect(
        seen.some((text) => text.includes(canary)),
        canary,
      ).toBe(false);
    for (const canary of [...canaries, ADMIN_TOKEN]) expect(secretive.logs.join(''), canary).not.toContain(canary);
  });
});
