// Sinks with `response: form`: what a visitor sees, where the browser goes, and what a script gets.

import { expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { ADMIN_TOKEN } from '../support/start-app.ts';
import { until } from '../support/until.ts';

const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const RUN_ID = /^run_[0-9a-z]{31}$/;

const app = shareApp({}, async (shared) => {
  await shared.workflow('contact', {
    inputs: [
      { type: 'WorkflowParameter', name: 'name', kind: ['string'] },
      { type: 'WorkflowParameter', name: 'age', kind: ['integer'], default_value: null },
    ],
    outputs: [{ type: 'JsonField', name: 'body', selector: '$request.body' }],
  });
  await shared.workflow('echo', { outputs: [{ type: 'JsonField', name: 'body', selector: '$request.body' }] });
  const sinks: Record<string, object> = {
    plain: { response: 'form' },
    pages: {
      response: { mode: 'form', success: 'https://example.org/thanks?a=1#top', fault: '/wrong', pages: ['https://shop.example/sent/'] },
    },
    next: { response: { mode: 'form', pages: ['https://shop.example/sent/'] } },
    locked: { response: 'form', auth_token: 'a-token' },
    small: { response: 'form', limits: { body_bytes: 20 } },
    'large-nested': { response: 'wait', body: { form: 'nested' }, workflow_id: 'echo' },
    nested: { response: 'form', body: { form: 'nested' }, workflow_id: 'echo' },
  };
  for (const [path, fields] of Object.entries(sinks)) await shared.sink({ path: `/${path}`, workflow_id: 'contact', ...fields });
});

interface Sent {
  status: number;
  headers: Headers;
  text: string;
}

async function send(path: string, body: string | FormData | Record<string, string>, headers: Record<string, string> = {}): Promise<Sent> {
  const isPlain = !(body instanceof FormData) && typeof body === 'object';
  const response = await fetch(`${app().url}/shop/${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { accept: HTML, ...headers },
    body: isPlain ? new URLSearchParams(body) : body,
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** As the workflow saw it. */
async function seenBody(runId: string | null): Promise<any> {
  expect(runId).toMatch(RUN_ID);
  return await until('the run to end', async () => (await app().admin('GET', `/runs/${runId}`)).body.output?.body);
}

const bodyBytes = async (runId: string | null): Promise<string> =>
  (await fetch(`${app().url}/api/v1/runs/${runId}/body`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })).text();

test('a visitor sees a page of the server, which names the run', async () => {
  const { status, headers, text } = await send('plain', { name: 'Ada' });
  const runId = headers.get('x-run-id') as string;
  expect(status).toBe(200);
  expect(text).toContain('<html lang="en">');
  expect(text).toContain('<h1>Your form was received</h1>');
  expect(text).toContain(runId);
  expect(text.match(/<(?:script|link|img|iframe)|https?:/g)).toBeNull();
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; base-uri 'none'; form-action 'none'$/,
  );
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(await seenBody(runId)).toEqual({ name: 'Ada' });
});

test.each([
  ['de-CH,de;q=0.9,en;q=0.8', 'de'],
  ['fr;q=0.5, pl;q=0.9', 'pl'],
  ['xx, *;q=0.1', 'en'],
  ['de;q=0, es', 'es'],
  ['it;q=nonsense, nl;q=0.1', 'nl'],
  ['pt-BR', 'pt'],
  ['constructor, __proto__', 'en'],
  [`${'x,'.repeat(5000)}de`, 'en'],
])('Accept-Language %s is %s', async (header, language) => {
  expect((await send('plain', { name: 'Ada' }, { 'accept-language': header })).text).toContain(`<html lang="${language}">`);
});

test('a browser goes to the page of the sink, which gets the run', async () => {
  const { status, headers } = await send('pages', { name: 'Ada' });
  expect(status).toBe(303);
  expect(headers.get('location')).toBe(`https://example.org/thanks?a=1&run_id=${headers.get('x-run-id')}#top`);
});

test('a form names its own page, and the run does not see it', async () => {
  const { status, headers } = await send('next', 'name=Ada%20L.&_next=%2Fsent&x=%FFy&%5fnext=', {
    'content-type': 'application/x-www-form-urlencoded; charset=windows-1252',
  });
  expect(status).toBe(422);
  expect(headers.get('location')).toBeNull();
  const named = await send('next', 'name=Ada%20L.&%5Fnext=%2Fsent&x=%FFy', {
    'content-type': 'application/x-www-form-urlencoded; charset=windows-1252',
  });
  expect(named.status).toBe(303);
  const runId = named.headers.get('x-run-id') as string;
  expect(named.headers.get('location')).toBe(`/sent?run_id=${runId}`);
  expect(await seenBody(runId)).toEqual({ name: 'Ada L.', x: 'ÿy' });
  expect(await bodyBytes(runId)).toBe('name=Ada%20L.&x=%FFy');
  const allowed = await send('pages', { name: 'Ada', _next: 'https://shop.example/sent/a' });
  expect(allowed.headers.get('location')).toMatch(/^https:\/\/shop\.example\/sent\/a\?run_id=run_/);
});

test('the field may be in a form with files, in JSON, or after a byte order mark', async () => {
  const form = new FormData();
  for (const [name, value] of [
    ['name', 'Ada'],
    ['_next', '/sent'],
  ] as const)
    form.append(name, value);
  form.append('cv', new File(['%PDF-1.7\0\r\n'], 'cv.pdf', { type: 'application/pdf' }));
  const withFile = await send('plain', form);
  expect(withFile.headers.get('location')).toMatch(/^\/sent\?run_id=/);
  const runId = withFile.headers.get('x-run-id');
  expect(await seenBody(runId)).toEqual({ name: 'Ada' });
  expect((await app().admin('GET', `/runs/${runId}`)).body.request.files).toMatchObject([{ name: 'cv', filename: 'cv.pdf', size: 11 }]);
  const json = await send('plain', '{"name": "Ada", "n": 1.0, "_next": "/sent"}', { 'content-type': 'application/json' });
  expect(json.headers.get('location')).toMatch(/^\/sent\?/);
  expect(await bodyBytes(json.headers.get('x-run-id'))).toBe('{"name":"Ada","n":1.0}');
  const marked = await send('plain', '\ufeff_next=%2Fsent&name=Ada', { 'content-type': 'application/x-www-form-urlencoded' });
  expect(marked.headers.get('location')).toMatch(/^\/sent\?/);
  expect(await bodyBytes(marked.headers.get('x-run-id'))).toBe('name=Ada');
  const utf16 = await fetch(`${app().url}/shop/plain`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-16le' },
    body: Buffer.from('_next=/sent&name=Ada', 'utf16le'),
  });
  expect(utf16.status).toBe(415);
});

test.each(['//evil.example', 'https://evil.example/', 'javascript:alert(1)', '/\\evil.example', '/\t/evil.example'])(
  'the page %j of a form is refused before any run',
  async (next) => {
    const { status, headers, text } = await send('next', { name: 'Ada', _next: next });
    expect(status).toBe(422);
    expect(headers.get('x-run-id')).toBeNull();
    expect(text).toContain('must be a path that starts with one &quot;/&quot;, or one of https://shop.example/sent/');
  },
);

test('a fault is shown with its true status, escaped, with a link back', async () => {
  const { status, headers, text } = await send(
    'plain',
    { name: 'Ada', age: '<script>alert(1)</script>' },
    { referer: 'https://example.org/a?b="><script>', 'accept-language': 'fr' },
  );
  expect(status).toBe(422);
  expect(text).toContain('<html lang="fr">');
  expect(text).toContain('Votre formulaire n’a pas été envoyé');
  expect(text).toContain('<span lang="en">the request does not fit workflow &quot;contact&quot;: input &quot;age&quot; must be integer');
  expect(text).toContain('<a href="https://example.org/a?b=%22%3E%3Cscript%3E">');
  expect(text).not.toContain('<script');
  expect(headers.get('cache-control')).toBe('no-store');
  const odd = await send('plain', '%FF<b>=1', { 'content-type': 'application/x-www-form-urlencoded', referer: 'javascript:alert(1)' });
  expect(odd.status).toBe(400);
  expect(odd.text).not.toMatch(/<b>|javascript:/);
});

test('every fault of the sink has a page, and keeps its headers', async () => {
  const locked = await send('locked', { name: 'Ada' });
  expect([locked.status, locked.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="sluice"']);
  expect(locked.text).toContain('<main>');
  const large = await send('small', { name: 'A'.repeat(100) });
  expect(large.status).toBe(413);
  expect(large.text).toContain('is too large');
  const huge = await send('plain', { name: 'A'.repeat(300_000) });
  expect(huge.status).toBe(413);
  expect(huge.text).toContain('send large content as a file');
  const moved = await send('pages', { name: 'Ada', age: 'old' });
  expect([moved.status, moved.headers.get('location')]).toEqual([303, '/wrong?error=unprocessable']);
});

test('a script gets JSON, for success and fault', async () => {
  for (const accept of ['application/json', 'application/json, text/plain, */*', '*/*', 'text/html;q=0.5, application/json']) {
    const { status, headers, text } = await send('pages', { name: 'Ada' }, { accept });
    expect(status).toBe(202);
    expect(JSON.parse(text)).toEqual({ run_id: headers.get('x-run-id'), status: 'queued' });
    const fault = await send('pages', { age: '1' }, { accept });
    expect(fault.status).toBe(422);
    expect(JSON.parse(fault.text)).toMatchObject({ triggered: false, run_id: null, error: { code: 'unprocessable' } });
  }
});

test('nested names are nested if the sink says so', async () => {
  const { headers } = await send('nested', 'a[b]=1&a[c][]=2&a[c][]=3&_next=/x', { 'content-type': 'application/x-www-form-urlencoded' });
  expect(await seenBody(headers.get('x-run-id'))).toEqual({ a: { b: '1', c: ['2', '3'] } });
  expect(await bodyBytes(headers.get('x-run-id'))).toBe('a[b]=1&a[c][]=2&a[c][]=3');
  const form = new FormData();
  for (const [name, value] of [
    ['a[b]', '1'],
    ['a[c][]', '2'],
    ['e', '3'],
  ] as const)
    form.append(name, value);
  const multipart = await send('nested', form);
  expect(await seenBody(multipart.headers.get('x-run-id'))).toEqual({ a: { b: '1', c: ['2'] }, e: '3' });
  for (const body of ['a=1&a[b]=2', 'a[__proto__][x]=1']) {
    const { status, text } = await send('nested', body, { accept: '*/*', 'content-type': 'application/x-www-form-urlencoded' });
    expect(status).toBe(400);
    expect(JSON.parse(text).error.part).toMatch(/^a\[/);
  }
});

test('a large form with nested names is decoded too, and a large multipart one is refused', async () => {
  const large = 'x'.repeat(300_000);
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  const nested = await send('large-nested', `a[b]=1&a[c]=${large}`, type);
  expect(JSON.parse(nested.text)).toMatchObject({ status: 'completed', output: { body: { a: { b: '1', c: large } } } });
  const conflict = await send('large-nested', `a=1&a[c]=${large}`, type);
  expect([conflict.status, JSON.parse(conflict.text).error.part]).toEqual([400, 'a[c]']);
  const form = new FormData();
  form.append('a[b]', large);
  const refused = await send('large-nested', form);
  expect([refused.status, JSON.parse(refused.text).message]).toEqual([413, expect.stringContaining('send large content as a file')]);
});
