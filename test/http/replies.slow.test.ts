// Replies from outside: a run sends one-time URLs, waits, and goes on with the first reply, and nothing else has an effect.

import { beforeAll, describe, expect, test } from 'vitest';
import { REPLY_PATH } from '../../src/core/reply/reply.ts';
import { sendRaw } from '../support/raw-http.ts';
import { BASE_URL, type Links, replyWorkflow, sentLinks } from '../support/reply-workflow.ts';
import { shareApp } from '../support/shared-app.ts';
import { ADMIN_TOKEN } from '../support/start-app.ts';
import { until } from '../support/until.ts';
import { type Arrival, startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const cleanups: (() => void | Promise<void>)[] = [];
let receiver: WebhookReceiver;

const schema = {
  type: 'object',
  required: ['amount', 'by'],
  properties: { amount: { type: 'number', maximum: 100 }, by: { type: 'string', pattern: '^[a-z]+$' } },
};

beforeAll(async () => {
  const echoes = ({ body }: Arrival): Record<string, string> => {
    const { approve = '' } = JSON.parse(body) as Partial<Links>;
    return { 'x-url': approve, 'x-token': approve.slice(approve.lastIndexOf('/') + 1) };
  };
  receiver = await startWebhookReceiver({ onEnd: (cleanup) => void cleanups.push(cleanup), headers: echoes });
  return async () => {
    for (const cleanup of cleanups) await cleanup();
  };
});

const app = shareApp({ settings: { base_url: BASE_URL, outbound_allow: '127.0.0.0/8' } }, async (started) => {
  const define = async (name: string, options: Parameters<typeof replyWorkflow>[1] = {}): Promise<void> => {
    await started.workflow(name, replyWorkflow(receiver, options));
    await started.sink({ path: `/${name}`, workflow_id: name, response: 'accept' });
  };
  await define('approval');
  await started.sink({ path: '/watched', workflow_id: 'approval', response: 'stream' });
  await define('checked', { urls: { schema } });
  await define('brief', { wait: { timeout_seconds: 1 } });
  await define('lenient', { wait: { timeout_seconds: 1, on_timeout: 'complete' } });
  await define('expiring', { urls: { expires_seconds: 1 } });
  await define('late', { between: [{ type: 'sluice/delay@v1', name: 'pause', seconds: 1, next_steps: ['$steps.decision'] }] });
});

async function start(name: string): Promise<{ runId: string; links: Links }> {
  const before = receiver.arrivals.length;
  const response = await fetch(`${app().url}/shop/${name}`, { method: 'POST' });
  const { run_id: runId } = (await response.json()) as { run_id: string };
  return { runId, links: await sentLinks(receiver, app().url, before) };
}

async function startWaiting(name: string): Promise<{ runId: string; links: Links }> {
  const started = await start(name);
  await until('the run to wait for its reply', async () => (await runOf(started.runId)).steps.some(isAwaiting));
  return started;
}

const isAwaiting = ({ waits_for: waitsFor }: { waits_for?: string }): boolean => waitsFor === 'reply';
const runOf = async (runId: string): Promise<any> => (await app().admin('GET', `/runs/${runId}`)).body;
const ended = (runId: string): Promise<any> =>
  until('the run to end', async () => {
    const run = await runOf(runId);
    return run.finished_at === null ? null : run;
  });
const post = (url: string, init: RequestInit = {}): Promise<Response> => fetch(url, { method: 'POST', ...init });
const asJson = (body: unknown): RequestInit => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const asForm = (body: string): RequestInit => ({ headers: { 'content-type': 'application/x-www-form-urlencoded' }, body });
const BROWSER = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };

describe('a reply', () => {
  test('lets the waiting run go on with its choice', async () => {
    const { runId, links } = await startWaiting('approval');
    const response = await post(links.approve);
    expect([response.status, await response.json()]).toEqual([200, { status: 'stored', choice: 'approve' }]);
    const run = await ended(runId);
    expect(run).toMatchObject({ status: 'completed', output: { choice: 'approve', body: null, timed_out: false } });
    expect(Math.abs(Date.parse(run.output.replied_at) - Date.now())).toBeLessThan(10_000);
  });

  test('brings its body, as JSON with exact numbers or as a form', async () => {
    const [json, form] = [await startWaiting('approval'), await startWaiting('approval')];
    await post(json.links.reject, { headers: { 'content-type': 'application/json' }, body: '{"id":12345678901234567890,"choice":"mine"}' });
    await post(form.links.reject, asForm('why=too+dear&tag=a&tag=b'));
    await ended(json.runId);
    const text = await (await fetch(`${app().url}/runs/${json.runId}`)).text();
    expect(text).toContain('"body":{"id":12345678901234567890,"choice":"mine"}');
    expect((await ended(form.runId)).output).toMatchObject({ choice: 'reject', body: { why: 'too dear', tag: ['a', 'b'] } });
  });

  test('names its choice in the body if the URL leaves it open', async () => {
    const { runId, links } = await startWaiting('approval');
    const without = await post(links.url, asJson({ note: 'hm' }));
    expect([without.status, ((await without.json()) as any).error]).toEqual([
      422,
      {
        code: 'unprocessable',
        message: 'name your choice in the field "choice" of the body: one of "approve", "reject"',
        choices: ['approve', 'reject'],
      },
    ]);
    expect((await post(links.url, asJson({ choice: 'reject', note: 'no' }))).status).toBe(200);
    expect((await ended(runId)).output).toMatchObject({ choice: 'reject', body: { note: 'no' } });
  });

  test('completes the step at once if it came before the run waits', async () => {
    const { runId, links } = await start('late');
    expect((await post(links.approve)).status).toBe(200);
    expect((await ended(runId)).output).toMatchObject({ choice: 'approve' });
  });

  test('lets a large run go on, which another thread plans', async () => {
    const before = receiver.arrivals.length;
    const init = asJson({ filler: 'x'.repeat(400_000) });
    const { run_id: runId } = (await (await fetch(`${app().url}/shop/approval`, { method: 'POST', ...init })).json()) as { run_id: string };
    const links = await sentLinks(receiver, app().url, before);
    expect((await post(links.reject, asJson({ why: 'large' }))).status).toBe(200);
    expect((await ended(runId)).output).toMatchObject({ choice: 'reject', body: { why: 'large' } });
  });

  test('reaches the caller whose stream stayed open meanwhile', async () => {
    const before = receiver.arrivals.length;
    const stream = await fetch(`${app().url}/shop/watched`, { method: 'POST' });
    const links = await sentLinks(receiver, app().url, before);
    const frames = stream.text();
    await until('the run to wait', async () => (await runOf(stream.headers.get('x-run-id') as string)).steps.some(isAwaiting));
    await post(links.approve);
    expect(await frames).toMatch(/"step":"decision","message":"waiting for a reply until [\s\S]*"type":"complete".*"choice":"approve"/);
  });

  test('counts once: of many at the same moment one wins, and the same again is the same', async () => {
    const { runId, links } = await startWaiting('approval');
    const sent = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'approve' : 'reject') as 'approve' | 'reject');
    const statuses = await Promise.all(sent.map(async (choice) => ({ choice, status: (await post(links[choice])).status })));
    const { choice } = (await ended(runId)).output;
    expect(statuses).toEqual(sent.map((own) => ({ choice: own, status: own === choice ? 200 : 409 })));
    const other = choice === 'approve' ? 'reject' : 'approve';
    const late = await post(links[other]);
    expect([late.status, ((await late.json()) as any).error.message]).toEqual([
      409,
      `already answered with "${choice}"; a reply cannot be changed`,
    ]);
    expect((await post(links[choice as 'approve'])).status).toBe(200);
    expect((await post(links[choice as 'approve'], asJson({ other: 'body' }))).status).toBe(409);
  });
});

describe('a body that does not fit', () => {
  test('is refused with every fault, and the URL stays good', async () => {
    const { runId, links } = await startWaiting('checked');
    const wrong = await post(links.approve, asJson({ amount: 101, by: 'X1' }));
    expect([wrong.status, ((await wrong.json()) as any).error.faults]).toEqual([
      422,
      [
        { path: 'amount', message: 'must be <= 100' },
        { path: 'by', message: 'must match ^[a-z]+$' },
      ],
    ]);
    expect((await post(links.approve)).status).toBe(422);
    expect((await post(links.approve, asJson({ amount: 100, by: 'ann' }))).status).toBe(200);
    expect((await ended(runId)).output).toMatchObject({ body: { amount: 100, by: 'ann' } });
  });

  test.each([
    ['malformed JSON', 400, { headers: { 'content-type': 'application/json' }, body: '{"a":' }],
    ['a poisoned key', 400, { headers: { 'content-type': 'application/json' }, body: '{"__proto__":{"a":1}}' }],
    ['bytes that are not UTF-8', 400, { headers: { 'content-type': 'application/json' }, body: new Uint8Array([0x22, 0xff, 0x22]) }],
    ['another type', 415, { headers: { 'content-type': 'image/png' }, body: 'x' }],
    ['a malformed type', 415, { headers: { 'content-type': 'nonsense' }, body: 'x' }],
    ['too many bytes', 413, { headers: { 'content-type': 'application/json' }, body: JSON.stringify('x'.repeat(65_536)) }],
    ['too many fields', 413, asForm('a&'.repeat(2000))],
  ])('is refused: %s', async (_what, status, init) => {
    const { runId, links } = await start('approval');
    expect((await post(links.approve, init)).status).toBe(status);
    await app().admin('POST', `/runs/${runId}/cancel`);
  });
});

describe('opening a URL', () => {
  test('shows a page with a button for each choice, and changes nothing', async () => {
    const { runId, links } = await startWaiting('approval');
    for (const url of Object.values(links)) {
      for (let visit = 0; visit < 3; visit += 1) expect((await fetch(url, { headers: BROWSER })).status).toBe(200);
      expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
      for (const method of ['OPTIONS', 'PUT', 'DELETE', 'PATCH']) {
        const response = await fetch(url, { method });
        expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
      }
    }
    const page = await fetch(links.url, { headers: { ...BROWSER, 'accept-language': 'fr;q=0.9, de-AT, en;q=0.5' } });
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex',
    });
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-anc/,
    );
    const html = await page.text();
    expect(html).toContain('<html lang="de">');
    expect(html.match(/<button [^>]*>[^<]*/g)).toEqual([
      '<button type="submit" name="choice" value="approve">Approve',
      '<button type="submit" name="choice" value="reject">Reject',
    ]);
    expect(html).not.toMatch(/<script|https?:/);
    expect((await (await fetch(links.reject)).text()).match(/<button/g)).toHaveLength(1);
    expect(await runOf(runId)).toMatchObject({ status: 'waiting' });
    const pressed = await post(links.approve, { ...asForm('choice=approve'), headers: { ...BROWSER, ...asForm('').headers } });
    expect([pressed.status, await pressed.text()]).toEqual([200, expect.stringContaining('Your reply is stored: Approve.')]);
    expect((await ended(runId)).output).toMatchObject({ choice: 'approve', body: null });
    const other = await post(links.reject, { headers: BROWSER });
    expect([other.status, await other.text()]).toEqual([409, expect.stringContaining('There is a reply already: Approve.')]);
    expect(await (await fetch(links.reject, { headers: BROWSER })).text()).toContain('Already replied');
  });
});

describe('a URL is refused', () => {
  const message = async (url: string): Promise<[number, string]> => {
    const response = await post(url);
    return [response.status, ((await response.json()) as any).error.code];
  };

  test('after its time, and so is its page', async () => {
    const { runId, links } = await startWaiting('expiring');
    await until('the URL to expire', async () => (await fetch(links.approve)).status === 410);
    expect(await message(links.approve)).toEqual([410, 'gone']);
    const page = await fetch(links.approve, { headers: BROWSER });
    expect([page.status, await page.text()]).toEqual([410, expect.stringContaining('This link is no longer valid.')]);
    expect(await runOf(runId)).toMatchObject({ status: 'waiting' });
    await app().admin('POST', `/runs/${runId}/cancel`);
  });

  test('once its run is cancelled', async () => {
    const { runId, links } = await startWaiting('approval');
    await app().admin('POST', `/runs/${runId}/cancel`);
    expect(await message(links.approve)).toEqual([410, 'gone']);
    expect((await fetch(links.url)).status).toBe(410);
  });

  test('if it is cut, altered, foreign or none, in the same words', async () => {
    const { links } = await start('approval');
    const token = links.approve.slice(links.approve.lastIndexOf('/') + 1);
    const sealed = (await import('../../src/sealer.ts')).createSealer('another key', 'replies').seal('run_0 reply_0_1_0_9999999999999');
    const forged = [token.slice(0, -4), `${token}/`, `${token}.`, token.replace(/.{5}$/, 'AAAAA'), sealed, '', 'x', 'a'.repeat(5000)];
    const answers = await Promise.all(forged.map(async (wrong) => (await post(`${app().url}${REPLY_PATH}${wrong}`)).json() as any));
    for (const { error } of answers)
      expect(error).toEqual({ code: 'not_found', message: 'there is no such reply URL; check that it is whole' });
  });

  test('and nobody can try many', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => post(`${app().url}${REPLY_PATH}v1.${'x'.repeat(60)}${index}`)),
    );
    expect(answers.map(({ status }) => status)).toContain(429);
    expect(answers.every(({ status }) => status === 404 || status === 429)).toBe(true);
    const { runId, links } = await start('approval');
    expect((await post(links.approve)).status).toBe(200);
    await ended(runId);
  });
});

describe('without a reply', () => {
  test('the run fails after the time limit', async () => {
    const { runId, links } = await start('brief');
    expect(await ended(runId)).toMatchObject({
      status: 'failed',
      error: { code: 'timed_out', step: 'decision', message: 'no reply came within 1 s' },
    });
    expect((await post(links.approve)).status).toBe(410);
  });

  test('or goes on, if the step says so', async () => {
    const { runId } = await start('lenient');
    expect((await ended(runId)).output).toEqual({ choice: null, body: null, replied_at: null, timed_out: true });
  });
});

describe('a URL is a secret', () => {
  test('that only the message holds: no document, stream, list or log has it', async () => {
    const { runId, links } = await startWaiting('approval');
    const token = links.approve.slice(links.approve.lastIndexOf('/') + 1);
    expect(receiver.arrivals.at(-1)?.body).toContain(token);
    for (const method of ['PUT', 'OPTIONS', 'POST']) await fetch(`${links.approve}/more`, { method });
    await sendRaw(app().url, `GET ${new URL(links.approve).pathname}%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await post(links.approve);
    await ended(runId);
    const admin = { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } };
    const paths = [
      `/runs/${runId}`,
      `/runs/${runId}/events`,
      `/api/v1/runs/${runId}`,
      '/api/v1/runs',
      '/api/v1/deliveries',
      '/api/v1/rejections',
    ];
    const documents = await Promise.all(paths.map(async (path) => (await fetch(`${app().url}${path}`, admin)).text()));
    const { deliveries } = JSON.parse(documents[4] as string);
    documents.push(await (await fetch(`${app().url}/api/v1/deliveries/${deliveries[0].delivery_id}`, admin)).text());
    for (const text of [...documents, ...app().logs]) {
      expect(text).not.toContain(REPLY_PATH);
      expect(text).not.toContain(token.slice(0, 20));
      expect(text).not.toContain('sluice-secret');
    }
    expect(documents.at(-1)).toContain('"x-token":"********"');
    expect(documents[1]).toContain('waiting for a reply until 20');
  });

  test('and the run document says that the run waits, and until when', async () => {
    const { runId } = await startWaiting('approval');
    const { steps } = await runOf(runId);
    const step = steps.find(isAwaiting);
    expect(step).toMatchObject({ step: 'decision', status: 'waiting' });
    expect(Date.parse(step.due_at) - Date.now()).toBeGreaterThan(6 * 86_400_000);
    await app().admin('POST', `/runs/${runId}/cancel`);
  });
});
