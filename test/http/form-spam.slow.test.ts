// The spam guards of a form: a robot gets the answer of a visitor and no run, and nobody passes a captcha unverified.

import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { startHttpReceiver } from '../support/http-receiver.ts';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { until } from '../support/until.ts';

const HTML = 'text/html,*/*;q=0.8';
let now = 1_800_000_000_000;
const clock = (): number => now;

const app = shareApp({ clock, settings: { outbound_allow: '127.0.0.0/8' } }, async (shared) => {
  const spam = { honeypot: 'website', min_seconds: 3 };
  await shared.sink({ path: '/page', response: 'form', spam });
  await shared.sink({ path: '/moved', response: { mode: 'form', success: '/thanks' }, spam });
  await shared.sink({ path: '/strict', response: 'form', spam: { token: 'required' }, cors: { origins: ['https://example.org'] } });
  await shared.sink({ path: '/open', response: 'form' });
});

interface Sent {
  status: number;
  headers: Record<string, string>;
  text: string;
}

async function send(to: TestApp, path: string, body: Record<string, string> | FormData, accept = HTML): Promise<Sent> {
  const response = await fetch(`${to.url}/shop/${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { accept },
    body: body instanceof FormData ? body : new URLSearchParams(body),
  });
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
}

const runs = async (of: TestApp, filter = ''): Promise<any[]> => (await of.admin('GET', `/runs?limit=100${filter}`)).body.runs;

/** Names of blobs, which are SHA-256. */
const storedFiles = ({ dataDir }: TestApp): string[] =>
  (readdirSync(dataDir, { recursive: true }) as string[]).filter((name) => /[0-9a-f]{60}/.test(name));

/** The answer with ids and times masked. */
const shape = ({ status, headers, text }: Sent): object =>
  JSON.parse(JSON.stringify({ status, headers: { ...headers, date: '' }, text }).replaceAll(/run_[0-9a-z]{31}/g, 'run_id'));

describe('a robot that fills the hidden field', () => {
  for (const [path, accept] of [
    ['page', HTML],
    ['moved', HTML],
    ['page', 'application/json'],
  ] as const)
    test(`gets the answer of a visitor at /${path} for ${accept}, and no run`, async () => {
      const before = await runs(app());
      const visitor = await send(app(), path, { name: 'Ada', website: '' }, accept);
      const robot = await send(app(), path, { name: 'Bot', website: 'https://spam.example' }, accept);
      expect(shape(robot)).toEqual(shape(visitor));
      expect(robot.headers['x-run-id']).not.toBe(visitor.headers['x-run-id']);
      expect(await runs(app())).toHaveLength(before.length + 1);
      expect((await app().admin('GET', `/runs/${robot.headers['x-run-id']}`)).status).toBe(404);
    });

  test('is recorded', async () => {
    await send(app(), 'page', { website: 'x' });
    const entry = await until('the robot to be recorded', async () =>
      (await app().admin('GET', '/rejections?app_id=shop')).body.rejections.find(({ code }: any) => code === 'spam'),
    );
    expect(entry).toMatchObject({ method: 'POST', message: 'the hidden field "website" is filled' });
  });

  test('leaves no file behind', async () => {
    const form = new FormData();
    form.append('website', 'x');
    form.append('file', new File(['a file of a robot'], 'x.bin'));
    expect((await send(app(), 'page', form)).status).toBe(200);
    expect(storedFiles(app())).toEqual([]);
    form.delete('website');
    expect((await send(app(), 'page', form)).status).toBe(200);
    expect(storedFiles(app())).toHaveLength(1);
  });

  test('may fill it with a file, in a list, or in JSON', async () => {
    const before = await runs(app());
    const file = new FormData();
    file.append('website', new File(['x'], 'x.txt'));
    const list = new FormData();
    for (const value of ['', 'x']) list.append('website', value);
    for (const form of [file, list]) expect((await send(app(), 'page', form)).status).toBe(200);
    const json = await fetch(`${app().url}/shop/page`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"website": {"a": 1}}',
    });
    expect(json.status).toBe(202);
    expect(await runs(app())).toHaveLength(before.length);
  });
});

describe('a form token', () => {
  const fetchToken = async (path: string): Promise<any> => (await fetch(`${app().url}/shop/${path}?form-token`)).json();

  test('shows a robot that is too fast', async () => {
    const { field, token, expires_in: life } = await fetchToken('page');
    expect([field, life]).toEqual(['_form_token', 86_400]);
    const before = await runs(app());
    const fast = await send(app(), 'page', { name: 'Bot', _form_token: token });
    expect(fast.status).toBe(200);
    expect(await runs(app())).toHaveLength(before.length);
    now += 3000;
    const slow = await send(app(), 'page', { name: 'Ada', _form_token: token });
    expect(shape(fast)).toEqual(shape(slow));
    const [run, ...others] = await runs(app());
    expect(others).toHaveLength(before.length);
    expect((await app().admin('GET', `/runs/${run.run_id}`)).body.request.body).toBe('name=Ada');
  });

  test('is refused when it is too old, forged, of another sink, or missing although it is required', async () => {
    const { token } = await fetchToken('page');
    const strict = await fetchToken('strict');
    const refused = async (path: string, value: string | null): Promise<string> => {
      const { status, text } = await send(app(), path, value === null ? {} : { _form_token: value }, 'application/json');
      expect(status).toBe(422);
      return JSON.parse(text).message;
    };
    const [time, signature] = token.split('.');
    const later = (Number.parseInt(time, 36) - 60_000).toString(36);
    for (const forged of ['x', '.', `${later}.${signature}`, `${time}.${'A'.repeat(43)}`, `${token}=`, strict.token, 'a'.repeat(9000)])
      expect(await refused('page', forged)).toContain('that is not one of this form; load the page of the form again');
    expect(await refused('strict', null)).toContain('has no token in field "_form_token"');
    expect(await refused('strict', '')).toContain('has no token');
    expect((await send(app(), 'strict', { _form_token: strict.token })).status).toBe(200);
    now += 24 * 3_600_000 + 1;
    expect(await refused('strict', strict.token)).toContain('that is older than 24 hours');
    now -= 48 * 3_600_000;
    expect(await refused('page', token)).toContain('is not one of this form');
    now += 24 * 3_600_000;
  });

  test('comes in a script too, and only from a sink that reads it', async () => {
    const script = await fetch(`${app().url}/shop/strict?form.js`, { headers: { origin: 'https://example.org' } });
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(script.headers.get('cache-control')).toBe('no-store');
    expect(script.headers.get('access-control-allow-origin')).toBe('https://example.org');
    expect(await script.text()).toMatch(/field\.value = '[0-9a-z]+\.[\w-]{43}';/);
    expect((await fetch(`${app().url}/shop/open?form-token`)).status).toBe(405);
    expect((await fetch(`${app().url}/shop/strict?form-tokens`)).status).toBe(405);
  });
});

describe('a captcha', () => {
  const SECRET = 'the-secret-of-the-captcha';
  const FIELDS = { turnstile: 'cf-turnstile-response', hcaptcha: 'h-captcha-response', recaptcha: 'g-recaptcha-response' } as const;

  let sinks = 0;

  async function startGuarded(provider: keyof typeof FIELDS, verdict: object | string, settings: object = {}) {
    const receiver = await startHttpReceiver(onTestEnd);
    receiver.answer('/verify', { status: 200, body: typeof verdict === 'string' ? verdict : JSON.stringify(verdict) });
    const captcha = { provider, secret: SECRET, verify_url: `${receiver.url}/verify`, ...settings };
    const path = `captcha-${sinks++}`;
    const sink = await app().sink({ path: `/${path}`, response: 'form', spam: { captcha } });
    return {
      receiver,
      sink,
      runs: () => runs(app(), `&sink_id=${sink.id}`),
      post: (answer: string) => send(app(), path, { name: 'Ada', [FIELDS[provider]]: answer }),
    };
  }

  test.each(['turnstile', 'hcaptcha', 'recaptcha'] as const)(
    'of %s is verified before the run, which does not see it',
    async (provider) => {
      const { receiver, runs: runsOf, post } = await startGuarded(provider, { success: true });
      expect((await post('solved')).status).toBe(200);
      expect(receiver.received.map(({ method, body }) => [method, body])).toEqual([['POST', `secret=${SECRET}&response=solved`]]);
      const [run] = await runsOf();
      expect((await app().admin('GET', `/runs/${run.run_id}`)).body.request.body).toBe('name=Ada');
    },
  );

  test('that is not passed, or missing, is refused', async () => {
    const { receiver, runs: runsOf, post } = await startGuarded('turnstile', { success: false, 'error-codes': ['timeout-or-duplicate'] });
    expect((await post('guess')).status).toBe(422);
    for (const answer of ['', 'x'.repeat(8193)]) expect((await post(answer)).text).toContain('the form has no answer to the captcha');
    expect(receiver.received).toHaveLength(1);
    expect(await runsOf()).toEqual([]);
  });

  test('fails closed', async () => {
    const { receiver, runs: runsOf, post } = await startGuarded('hcaptcha', 'no JSON');
    const expect503 = async (text: string): Promise<void> => {
      const answer = await post('solved');
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '30']);
      expect(answer.text).toContain(text);
    };
    await expect503('the captcha cannot be verified at the moment');
    receiver.answer('/verify', { status: 200, body: '[]' });
    await expect503('gave no verdict');
    receiver.answer('/verify', { status: 500, body: '{"success":true}' });
    await expect503('cannot be verified');
    receiver.answer('/verify', { status: 302, headers: { location: '/other' } });
    await expect503('cannot be verified');
    receiver.answer('/verify', { status: 200, body: '{"success":false,"error-codes":["invalid-input-secret"]}' });
    await expect503('refuses the secret');
    expect(await runsOf()).toEqual([]);
    const alone = await startTestApp();
    const captcha = { provider: 'turnstile', secret: SECRET, verify_url: `${receiver.url}/verify` };
    await alone.sink({ path: '/form', response: 'form', spam: { captcha } });
    expect((await send(alone, 'form', { 'cf-turnstile-response': 'solved' })).status).toBe(503);
    expect(receiver.received).toHaveLength(5);
  });

  test('counts its score', async () => {
    const { receiver, post } = await startGuarded('recaptcha', { success: true, score: 0.3 }, { min_score: 0.5 });
    expect((await post('solved')).status).toBe(422);
    receiver.answer('/verify', { status: 200, body: '{"success":true}' });
    expect((await post('solved')).status).toBe(422);
    receiver.answer('/verify', { status: 200, body: '{"success":true,"score":0.5}' });
    expect((await post('solved')).status).toBe(200);
  });

  test('keeps its secret: sealed where it is shown, and in edits', async () => {
    const { sink, post } = await startGuarded('turnstile', { success: true });
    expect(JSON.stringify(sink)).not.toContain(SECRET);
    expect(sink.spam.captcha.secret.sealed).toMatch(/^v1\./);
    const path = `/apps/shop/sinks/${sink.id}`;
    const edited = await app().admin('PATCH', path, { spam: { honeypot: 'website' } });
    expect(edited.body.spam).toEqual({ ...sink.spam, honeypot: 'website' });
    const { credentials: _, ...shown } = edited.body;
    expect((await app().admin('PUT', path, shown)).body.spam).toEqual(edited.body.spam);
    expect((await post('solved')).status).toBe(200);
    const wrong = { ...edited.body.spam, captcha: { ...edited.body.spam.captcha, secret: { sealed: `v1.${'A'.repeat(60)}` } } };
    const refused = await app().admin('PATCH', path, { spam: wrong });
    expect([refused.status, refused.body.error.message]).toEqual([400, expect.stringContaining('spam.captcha.secret: was sealed by')]);
    expect(app().logs.join('')).not.toContain(SECRET);
  });

  test('is the same when its definition is applied again, or comes from an export', async () => {
    const fresh = await startTestApp();
    const captcha = { provider: 'recaptcha', secret: SECRET, min_score: 0.5 };
    const sink = { app_id: 'a', path: '/f', method: 'POST', response: { mode: 'form', success: '/x' }, spam: { min_seconds: 2, captcha } };
    const cors = { origins: ['https://example.org'] };
    const document = { sinks: [{ ...sink, cors }] };
    expect((await fresh.admin('POST', '/definitions/apply', document)).body.changes).toHaveLength(1);
    expect((await fresh.admin('POST', '/definitions/diff', document)).body.changes).toEqual([]);
    const exported = (await fresh.admin('GET', '/definitions')).body;
    expect(JSON.stringify(exported)).not.toContain(SECRET);
    expect((await fresh.admin('POST', '/definitions/diff', exported)).body.changes).toEqual([]);
  });
});
