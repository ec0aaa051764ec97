// Sinks whose senders prove themselves by a scheme: over the bytes as they came, before any run exists, whatever is sent.

import { createHmac, randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';

const SECRET = 'It’s a secret to everybody';
const OLD_SECRET = 'the secret before';
const ENDED_SECRET = 'the secret before that';

let now = Date.UTC(2026, 10, 29, 12);
/** Wrong credentials are counted by the second. */
function aMinuteLater(): number {
  now += 60_000;
  return now;
}

const ENDED = new Date(now - 1000).toISOString();
const dataDir = tempDir((): void => undefined);

const app = shareApp({ clock: () => now, dataDir }, async (shared) => {
  const secrets = [
    { name: 'new', value: SECRET },
    { name: 'old', value: OLD_SECRET, ends_at: '2027-01-01T00:00:00Z' },
    { name: 'older', value: ENDED_SECRET, ends_at: ENDED },
  ];
  await shared.sink({ path: '/github', auth: { type: 'github', secrets } });
  const timed = {
    type: 'hmac',
    secrets: ['k'],
    header: 'X-Sig',
    encoding: 'base64',
    signed: '{timestamp}.{body}',
    timestamp: 'X-Time',
    tolerance_seconds: 60,
  };
  await shared.sink({ path: '/timed', auth: timed, response: 'wait' });
  await shared.sink({
    path: '/items',
    auth: { type: 'hmac', secrets: ['k'], header: 'sig', signed: '{body}{timestamp}', timestamp: 'field:t', item_separator: ',' },
    response: 'wait',
  });
  await shared.sink({
    path: '/url/*',
    auth: { type: 'hmac', secrets: ['k'], header: 'sig', signed: '{method} {url} {body}' },
    public_url: 'https://hooks.example/in',
    response: 'wait',
  });
  await shared.sink({ path: '/key', method: 'ANY', auth: { type: 'api_key', secrets: ['k-1'], header: 'X-Api-Key' }, response: 'wait' });
  await shared.sink({ path: '/query', auth: { type: 'api_key', secrets: ['k-1'], query: 'api_key' }, response: 'wait' });
  await shared.sink({ path: '/basic', auth: { type: 'basic', secrets: ['ada:pass:word'] }, response: 'wait' });
  await shared.sink({ path: '/camera', auth: { type: 'hmac', secrets: ['k'], header: 'sig' }, payload: 'robovision', response: 'wait' });
  await shared.sink({
    path: '/tokens',
    auth: {
      type: 'bearer',
      tokens: [
        { name: 'ci', token: 't1' },
        { name: 'gone', token: 't0', ends_at: ENDED },
      ],
    },
    response: 'wait',
  });
});

const sign = (body: string | Uint8Array, key = SECRET): string => `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;

interface Sent {
  path?: string;
  body?: string | Uint8Array;
  headers?: Record<string, string>;
  method?: string;
}

function send({ path = '/github', body = '{"a":1}', headers = {}, method = 'POST' }: Sent): Promise<Response> {
  aMinuteLater();
  return fetch(`${app().url}/shop${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(method === 'GET' ? {} : { body }),
  });
}

const sendToGithub = (body: string | Uint8Array, headers: Record<string, string> = {}, key = SECRET): Promise<Response> =>
  send({ body: body, headers: { 'x-hub-signature-256': sign(body, key), 'x-github-event': 'push', ...headers } });

async function storedBody(runId: string | null): Promise<unknown> {
  return (await app().admin('GET', `/runs/${runId}`)).body.request.body;
}

const runCount = async (): Promise<number> => (await app().admin('GET', '/runs?limit=500')).body.runs.length;
const blobFiles = (): string[] =>
  (readdirSync(join(dataDir, 'blobs'), { recursive: true }) as string[]).filter((name) => statSync(join(dataDir, 'blobs', name)).isFile());

describe('a request of GitHub', () => {
  test('is answered with 200 and no body at once, whatever it would accept, and is a run', async () => {
    const body = JSON.stringify({ first: 1 });
    const response = await sendToGithub(body, { accept: 'text/event-stream, */*' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
    expect(await storedBody(response.headers.get('x-run-id'))).toBe(body);
  });

  test('is proven by each secret that has not ended', async () => {
    expect((await sendToGithub('{"by":"old"}', {}, OLD_SECRET)).status).toBe(200);
    expect((await sendToGithub('{"by":"older"}', {}, ENDED_SECRET)).status).toBe(401);
    const [sink] = (await app().admin('GET', '/apps/shop/sinks')).body.sinks.filter((one: any) => one.path === '/github');
    expect(sink.auth).toBe('github');
    expect(sink.credentials.map(({ name }: any) => name)).toEqual(['new', 'old', 'older']);
    expect(sink.credentials[1].last_used_at).not.toBeNull();
    expect(sink.credentials[2]).toMatchObject({ ends_at: ENDED, last_used_at: null });
  });

  const bodies: [string, string | Uint8Array, string][] = [
    ['JSON with spaces and escapes', '{ "a" :  "\\u001B\\u2665♥" , "b":1.0 }\n', 'application/json'],
    ['a form whose field holds the JSON', `payload=${encodeURIComponent('{"a":1}')}`, 'application/x-www-form-urlencoded'],
    ['text', 'plain', 'text/plain'],
    ['bytes that are no text', randomBytes(100_000), 'application/octet-stream'],
    ['a megabyte of JSON', JSON.stringify({ data: 'x'.repeat(1_000_000) }), 'application/json'],
    ['gzip', gzipSync('{"zipped":true}'), 'application/json'],
  ];
  for (const [what, body, type] of bodies) {
    const coding = what === 'gzip' ? { 'content-encoding': 'gzip' } : {};
    test(`is proven over the bytes as they came: ${what}`, async () => {
      expect((await sendToGithub(body, { 'content-type': type, ...coding })).status).toBe(200);
    });
    test(`is refused when a bit of it is flipped: ${what}`, async () => {
      const flipped = Buffer.from(body);
      flipped[flipped.length - 2] = (flipped[flipped.length - 2] as number) ^ 1;
      const response = await send({ body: flipped, headers: { 'x-hub-signature-256': sign(body), 'content-type': type, ...coding } });
      expect(response.status).toBe(401);
    });
  }

  test('with files is proven over the whole form, and leaves nothing on disk unless it is', async () => {
    const form = new FormData();
    form.set('camera', 'gate-3');
    form.set('image', new File([randomBytes(50_000)], 'a.jpg', { type: 'image/jpeg' }));
    const request = new Request('http://x/', { method: 'POST', body: form });
    const type = request.headers.get('content-type') as string;
    const bytes = new Uint8Array(await request.arrayBuffer());
    const before = blobFiles();
    const refused = await send({ body: bytes, headers: { 'x-hub-signature-256': sign(bytes, 'wrong'), 'content-type': type } });
    expect(refused.status).toBe(401);
    expect(blobFiles()).toEqual(before);
    const accepted = await sendToGithub(bytes, { 'content-type': type });
    expect(accepted.status).toBe(200);
    expect(blobFiles().length).toBe(before.length + 1);
  });

  test('without a body is proven over nothing', async () => {
    expect((await sendToGithub('')).status).toBe(200);
  });

  test('that is unsigned is refused on its head: its body is not waited for', async () => {
    aMinuteLater();
    const { status, headers, body } = await sendRaw(
      app().url,
      'POST /shop/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{',
    );
    expect([status, headers['www-authenticate']]).toEqual([401, 'Webhook realm="sluice", scheme="github"']);
    expect(body).toContain('header x-hub-signature-256 is missing');
  });

  const wrong: [string, string][] = [
    ['another secret', sign('{"a":1}', 'other')],
    ['no prefix', sign('{"a":1}').slice('sha256='.length)],
    ['a prefix alone', 'sha256='],
    ['a digest cut short', sign('{"a":1}').slice(0, -1)],
    ['a digest with more after it', `${sign('{"a":1}')}00`],
    ['SHA-1', `sha1=${createHmac('sha1', SECRET).update('{"a":1}').digest('hex')}`],
    ['upper case', sign('{"a":1}').toUpperCase().replace('SHA256', 'sha256')],
    ['nonsense', 'sha256=💥'.replace('💥', '%F0%9F')],
    ['a very long text', `sha256=${'a'.repeat(10_000)}`],
  ];
  for (const [what, signature] of wrong) {
    test(`signed with ${what} is 401, and no run`, async () => {
      const before = await runCount();
      expect((await send({ headers: { 'x-hub-signature-256': signature } })).status).toBe(401);
      expect(await runCount()).toBe(before);
    });
  }

  test('that is malformed and unproven learns only that it is unproven', async () => {
    const response = await send({ body: '{"a":', headers: { 'x-hub-signature-256': sign('{}') } });
    expect(response.status).toBe(401);
    expect(await response.text()).not.toContain('JSON');
    expect((await sendToGithub('{"a":')).status).toBe(400);
  });

  test('that is too large is 413 without its signature being looked at', async () => {
    expect((await send({ body: 'x'.repeat(11 * 2 ** 20), headers: { 'x-hub-signature-256': sign('{}') } })).status).toBe(413);
  });

  test('is a ping: it is answered, starts no run, and is recorded', async () => {
    const before = await runCount();
    const response = await sendToGithub('{"zen":"Keep it logically awesome."}', { 'x-github-event': 'ping' });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(await runCount()).toBe(before);
    expect((await sendToGithub('{"zen":1}', { 'x-github-event': 'ping' }, 'wrong')).status).toBe(401);
  });

  test('that comes again, also under another id, is the run of the first', async () => {
    const body = JSON.stringify({ once: randomBytes(8).toString('hex') });
    const first = await sendToGithub(body, { 'x-github-delivery': 'd-1' });
    const again = await sendToGithub(body, { 'x-github-delivery': 'd-2' });
    expect([again.status, await again.text()]).toEqual([200, '']);
    expect(again.headers.get('x-run-id')).toBe(first.headers.get('x-run-id'));
    expect([first, again].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true']);
  });
});

test('an id that the sender signs names its message, also when the retries are counted in the body', async () => {
  await app().sink({ path: '/notion', auth: { type: 'notion', secrets: ['n'] } });
  const post = (id: string, attempt: number): Promise<Response> => {
    const body = JSON.stringify({ id, type: 'page.created', attempt_number: attempt });
    const signature = `sha256=${createHmac('sha256', 'n').update(body).digest('hex')}`;
    return send({ path: '/notion', body, headers: { 'x-notion-signature': signature } });
  };
  const unnamed = [await post('', 1), await post('', 1)].map(({ headers }) => headers.get('x-run-id'));
  // Without an id, and without a signed time, the bytes are the name: anyone could send them again.
  expect(unnamed[1]).toBe(unnamed[0]);
  const [first, retried, other] = [await post('e-1', 1), await post('e-1', 2), await post('e-2', 1)];
  expect(retried.headers.get('x-run-id')).toBe(first.headers.get('x-run-id'));
  expect(other.headers.get('x-run-id')).not.toBe(first.headers.get('x-run-id'));
});

describe('a scheme of the operator', () => {
  const seconds = (): string => String(Math.floor((now + 60_000) / 1000));
  const timed = (time: string, body = '{"a":1}'): Record<string, string> => ({
    'x-time': time,
    'x-sig': createHmac('sha256', 'k').update(`${time}.${body}`).digest('base64'),
  });

  test('binds a time, within its tolerance', async () => {
    expect((await send({ path: '/timed', headers: timed(seconds()) })).status).toBe(200);
    expect((await send({ path: '/timed', headers: timed(String(Number(seconds()) - 60)) })).status).toBe(200);
    const stale = await send({ path: '/timed', headers: timed(String(Number(seconds()) - 61)) });
    expect(stale.status).toBe(401);
    expect(await stale.text()).toContain('it was signed 61 s ago, and 60 s are allowed');
    expect((await send({ path: '/timed', headers: timed(String(Number(seconds()) + 61)) })).status).toBe(401);
    for (const time of ['', 'abc', '1e9', `${seconds()}abc`, '-5', `${seconds()}.5`, '99999999999999999999'])
      expect([time, (await send({ path: '/timed', headers: timed(time) })).status]).toEqual([time, 401]);
    const { 'x-time': _time, ...untimed } = timed(seconds());
    expect((await send({ path: '/timed', headers: untimed })).status).toBe(401);
  });

  test('reads the time and several signatures from one header', async () => {
    const time = seconds();
    const right = createHmac('sha256', 'k').update(`{"a":1}${time}`).digest('hex');
    expect((await send({ path: '/items', headers: { sig: `t=${time}, v1=00, v1=${right}` } })).status).toBe(200);
    expect((await send({ path: '/items', headers: { sig: `t=${time},v0=${right}` } })).status).toBe(401);
    expect((await send({ path: '/items', headers: { sig: `v1=${right}` } })).status).toBe(401);
    expect((await send({ path: '/items', headers: { sig: `${'v1=00,'.repeat(1000)}` } })).status).toBe(401);
  });

  test('covers the method and the public URL with its query', async () => {
    const signed = (url: string): Record<string, string> => ({
      sig: createHmac('sha256', 'k').update(`POST ${url} {"a":1}`).digest('hex'),
    });
    expect((await send({ path: '/url/x?b=%20c', headers: signed('https://hooks.example/in?b=%20c') })).status).toBe(200);
    expect((await send({ path: '/url/x?b=d', headers: signed('https://hooks.example/in?b=c') })).status).toBe(401);
  });

  test('is a key in a header or in the query, which no run shows', async () => {
    expect((await send({ path: '/key', headers: { 'x-api-key': 'k-1' } })).status).toBe(200);
    expect((await send({ path: '/key', method: 'GET', headers: { 'x-api-key': 'k-1' } })).status).toBe(200);
    for (const key of ['k-2', 'k-1 ', 'K-1', ''])
      expect((await send({ path: '/key', headers: { 'x-api-key': `x${key}`.slice(1) || ' ' } })).status).toBe(key === 'k-1 ' ? 200 : 401);
    expect((await send({ path: '/key' })).status).toBe(401);
    const response = await send({ path: '/query?api_key=k-1' });
    expect(response.status).toBe(200);
    expect(JSON.stringify((await app().admin('GET', `/runs/${response.headers.get('x-run-id')}`)).body)).not.toContain('k-1');
    expect((await send({ path: '/query?api_key=k-2' })).status).toBe(401);
    expect((await send({ path: '/query' })).status).toBe(401);
  });

  test('is a user with a password', async () => {
    const basic = (text: string): Record<string, string> => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
    expect((await send({ path: '/basic', headers: basic('ada:pass:word') })).status).toBe(200);
    for (const headers of [basic('ada:wrong'), basic('ada'), basic(''), { authorization: 'Basic !' }, { authorization: 'Bearer x' }, {}])
      expect((await send({ path: '/basic', headers: headers as Record<string, string> })).status).toBe(401);
  });

  test('guards the payloads of a platform', async () => {
    const form = new FormData();
    form.set('nonsense', 'x');
    const request = new Request('http://x/', { method: 'POST', body: form });
    const bytes = new Uint8Array(await request.arrayBuffer());
    const headers = { 'content-type': request.headers.get('content-type') as string };
    const signature = createHmac('sha256', 'k').update(bytes).digest('hex');
    expect((await send({ path: '/camera', body: bytes, headers: { ...headers, sig: signature } })).status).toBe(422);
    expect((await send({ path: '/camera', body: bytes, headers: { ...headers, sig: signature.replaceAll('a', 'b') } })).status).toBe(401);
  });
});

test('a token with an end is refused after it', async () => {
  expect((await send({ path: '/tokens', headers: { authorization: 'Bearer t1' } })).status).toBe(200);
  expect((await send({ path: '/tokens', headers: { authorization: 'Bearer t0' } })).status).toBe(401);
});

describe('secrets', () => {
  const everything = async (shown: TestApp): Promise<string> =>
    JSON.stringify([(await shown.admin('GET', '/sinks')).body, (await shown.admin('GET', '/definitions')).body, shown.logs]);

  test('are never shown: not in answers, exports or logs', async () => {
    const shown = await everything(app());
    for (const secret of [SECRET, OLD_SECRET, 'pass:word']) expect(shown).not.toContain(secret);
  });

  test('are equal to themselves: the same document applied again changes nothing', async () => {
    const applied = await startTestApp();
    const sink = {
      app_id: 'filed',
      path: '/hook',
      method: 'POST',
      auth: { type: 'meta', secrets: ['s', { name: 'old', value: 't' }], verify_token: 'v' },
    };
    const apply = async (): Promise<unknown[]> => (await applied.admin('POST', '/definitions/apply', { sinks: [sink] })).body.changes;
    expect([(await apply()).length, (await apply()).length]).toEqual([1, 0]);
    sink.auth.verify_token = 'w';
    expect((await apply()).length).toBe(1);
  });

  test('survive a restart and an edit, and need the key that sealed them', async () => {
    const folder = tempDir();
    const key = { secret_key: 'a'.repeat(40) };
    const first = await startTestApp({ dataDir: folder, settings: key });
    const sink = await first.sink({ path: '/hook', auth: { type: 'github', secrets: ['s3cret'] } });
    const path = `/apps/shop/sinks/${sink.id}`;
    expect((await first.admin('PATCH', path, { body: 'json' })).body.auth).toBe('github');
    expect((await first.admin('PUT', path, (await first.admin('GET', path)).body)).status).toBe(200);
    await first.close();
    const post = (to: TestApp, body = '{}'): Promise<Response> =>
      fetch(`${to.url}/shop/hook`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-hub-signature-256': sign(body, 's3cret') },
        body,
      });
    const second = await startTestApp({ dataDir: folder, settings: key });
    expect((await post(second)).status).toBe(200);
    const exported = (await second.admin('GET', '/definitions')).body;
    expect((await second.admin('POST', '/definitions/diff', exported)).status).toBe(200);
    await second.close();
    const third = await startTestApp({ dataDir: folder, settings: { secret_key: 'b'.repeat(40) } });
    const refused = await post(third);
    expect(refused.status).toBe(503);
    expect(await refused.text()).toContain('sealed with another secret key');
    const { status, body } = await third.admin('POST', '/definitions/diff', exported);
    expect([status, body.error.message]).toEqual([400, expect.stringContaining('was sealed by a server with another secret key')]);
  });
});

test('a scheme that signs the URL needs the public address', async () => {
  const sink = { path: '/signed-url', method: 'POST', auth: { type: 'hmac', secrets: ['k'], header: 'sig', signed: '{url}{body}' } };
  const { status, body } = await app().admin('POST', '/apps/shop/sinks', sink);
  expect([status, body.error.message]).toEqual([
    400,
    expect.stringContaining('public_url: is missing: hmac signs the public URL; write it here, or set SLUICE_BASE_URL'),
  ]);
});

describe('a sink with a list of addresses', () => {
  test('is triggered from these alone, whatever else proves the sender', async () => {
    await app().sink({ path: '/near', allow_from: ['127.0.0.0/8', '::1'], response: 'wait' });
    await app().sink({ path: '/far', allow_from: ['203.0.113.0/24', '2001:db8::/32'], response: 'wait' });
    expect((await send({ path: '/near' })).status).toBe(200);
    const refused = await send({ path: '/far' });
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('allow_from')]);
    const { status, body } = await app().admin('POST', '/apps/shop/sinks', {
      path: '/x',
      method: 'POST',
      allow_from: ['10.0.0.0/8', 'localhost'],
    });
    expect([status, body.error.message]).toEqual([
      400,
      expect.stringContaining('allow_from[1]: "localhost" is neither an address nor a CIDR'),
    ]);
  });

  test('goes by the address that a trusted proxy tells', async () => {
    const behind = await startTestApp({ settings: { trust_proxy: '127.0.0.1' } });
    await behind.sink({ path: '/far', allow_from: ['203.0.113.0/24'], response: 'wait' });
    const from = (address: string): Promise<Response> =>
      fetch(`${behind.url}/shop/far`, { method: 'POST', headers: { 'x-forwarded-for': address } });
    expect((await from('203.0.113.9')).status).toBe(200);
    expect((await from('203.0.114.9')).status).toBe(403);
    expect((await from('::ffff:203.0.113.9')).status).toBe(200);
  });
});

describe('a token that is rotated', () => {
  test('stays valid for as long as it is kept', async () => {
    let clock = Date.now();
    const rotating = await startTestApp({ clock: () => clock });
    const { id } = await rotating.sink({ path: '/rotated', auth_token: 'first', response: 'wait' });
    const { body } = await rotating.admin('POST', `/apps/shop/sinks/${id}/rotate-token?keep_hours=24`);
    const post = async (token: string): Promise<number> =>
      (await fetch(`${rotating.url}/shop/rotated`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })).status;
    expect([await post('first'), await post(body.auth_token)]).toEqual([200, 200]);
    clock += 24 * 3_600_000 - 1;
    expect(await post('first')).toBe(200);
    clock += 1;
    expect([await post('first'), await post(body.auth_token)]).toEqual([401, 200]);
    expect((await rotating.admin('POST', `/apps/shop/sinks/${id}/rotate-token?keep_hours=-1`)).status).toBe(400);
  });
});
