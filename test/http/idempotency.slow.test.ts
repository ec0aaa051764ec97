// Idempotency-Key: the same request under the same key is one run, whoever asks and however often.

import { describe, expect, test } from 'vitest';
import { createGates, gatedWorkflow } from '../support/gates.ts';
import { shareApp } from '../support/shared-app.ts';

const gates = createGates();

const app = shareApp({ ...gates.options, settings: { drain_seconds: '0' } }, async (shared) => {
  await shared.workflow('echo', {
    inputs: [{ type: 'WorkflowParameter', name: 'n' }],
    steps: [{ type: 'sluice/set@v1', name: 's', values: { n: '$inputs.n' } }],
    outputs: [{ type: 'JsonField', name: 'n', selector: '$steps.s.n' }],
  });
  await shared.workflow('held', gatedWorkflow('held', 1));
  await shared.workflow('failing', { steps: [{ type: 'sluice/fail@v1', name: 'f' }] });
  await shared.sink({ path: '/echo', method: 'ANY', workflow_id: 'echo' });
  await shared.sink({ path: '/other', method: 'ANY', workflow_id: 'echo' });
  await shared.sink({ path: '/held', workflow_id: 'held' });
  await shared.sink({ path: '/failing', workflow_id: 'failing' });
  await shared.sink({ path: '/files' });
  await shared.sink({ path: '/messages', method: 'ANY', idempotency_key: '$request.headers.webhook-id' });
  await shared.sink({ path: '/events', idempotency_key: '$request.body.id' });
});

interface Sent {
  path?: string;
  key?: string;
  body?: string;
  headers?: Record<string, string>;
  method?: string;
}

function send({ path = '/echo', key = 'k', body = '{"n":1}', headers = {}, method = 'POST' }: Sent): Promise<Response> {
  return fetch(`${app().url}/shop${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
    body,
  });
}

/** The events of a stream, without comments. */
async function events(response: Response): Promise<string> {
  return (await response.text()).replaceAll(/^:.*\n\n/gm, '');
}

const runOf = (response: Response): string | null => response.headers.get('x-run-id');

describe('the same request under the same key', () => {
  test('is one run: the same id, and its stream again from the first event', async () => {
    const first = await send({ key: 'again' });
    const whole = await events(first);
    for (let count = 0; count < 3; count += 1) {
      const again = await send({ key: 'again' });
      expect(again.status).toBe(200);
      expect(runOf(again)).toBe(runOf(first));
      expect(await events(again)).toBe(whole);
    }
  });

  test('answers with the result of that run where a document is asked for, failed runs too', async () => {
    const first = await send({ key: 'document', headers: { accept: 'application/json' } });
    const again = await send({ key: 'document', headers: { accept: 'application/json' } });
    expect(await again.text()).toBe(await first.text());
    const failed = await send({ path: '/failing', key: 'document', headers: { accept: 'application/json' } });
    const failedAgain = await send({ path: '/failing', key: 'document', headers: { accept: 'application/json' } });
    expect([failed.status, failedAgain.status]).toEqual([502, 502]);
    expect(await failedAgain.text()).toBe(await failed.text());
  });

  test('follows the run live while it goes on', async () => {
    const first = await send({ path: '/held', key: 'live' });
    await gates.reached('held1');
    const again = await send({ path: '/held', key: 'live' });
    gates.open('held1');
    expect(runOf(again)).toBe(runOf(first));
    expect(await events(again)).toBe(await events(first));
  });

  test('is one run when a hundred come at once', async () => {
    const responses = await Promise.all(Array.from({ length: 100 }, () => send({ key: 'at-once' })));
    expect(new Set(responses.map(runOf)).size).toBe(1);
    const streams = await Promise.all(responses.map(events));
    expect(new Set(streams).size).toBe(1);
    const { body } = await app().admin('GET', '/runs?limit=500');
    expect(body.runs.filter(({ run_id: run }: any) => run === runOf(responses[0] as Response))).toHaveLength(1);
  });

  test('is the same request whatever headers, connection or token came with it', async () => {
    const first = await send({ key: 'headers' });
    const again = await send({ key: 'headers', headers: { 'user-agent': 'another', 'x-anything': '1' } });
    expect(runOf(again)).toBe(runOf(first));
    await Promise.all([first.text(), again.text()]);
  });

  test('is the same upload when its files are the same, and another one when they are not', async () => {
    const upload = (content: string): Promise<Response> => {
      const form = new FormData();
      form.append('picture', new Blob([content]), 'a.png');
      return fetch(`${app().url}/shop/files`, { method: 'POST', headers: { 'idempotency-key': 'upload' }, body: form });
    };
    const first = await upload('same');
    expect(runOf(await upload('same'))).toBe(runOf(first));
    expect((await upload('different')).status).toBe(422);
  });

  test('is another one where two files of it have changed their names', async () => {
    const upload = (...names: string[]): Promise<Response> => {
      const body = new FormData();
      for (const [index, name] of names.entries()) body.append('files', new Blob([`mask ${index}`]), name);
      return fetch(`${app().url}/shop/files`, { method: 'POST', headers: { 'idempotency-key': 'names' }, body });
    };
    const first = await upload('mask_0000.png', 'mask_0001.png');
    expect(runOf(await upload('mask_0000.png', 'mask_0001.png'))).toBe(runOf(first));
    expect((await upload('mask_0001.png', 'mask_0000.png')).status).toBe(422);
  });
});

describe('another request under the same key', () => {
  const others: [string, Sent][] = [
    ['another body', { body: '{"n":2}' }],
    ['a body that only differs in its bytes', { body: '{"n": 1}' }],
    ['another content type', { headers: { 'content-type': 'application/problem+json' } }],
    ['another method', { method: 'PUT' }],
    ['another query', { path: '/echo?a=1' }],
  ];
  for (const [what, other] of others) {
    test(`${what} is 422 that names the run of the first, and starts nothing`, async () => {
      const key = `other-${what.replaceAll(' ', '-')}`;
      const first = await send({ key });
      await first.text();
      const before = (await app().admin('GET', '/runs?limit=500')).body.runs.length;
      const refused = await send({ key, ...other });
      expect(refused.status).toBe(422);
      expect(await refused.json()).toMatchObject({
        triggered: false,
        run_id: null,
        error: { code: 'unprocessable', run_id: runOf(first), message: expect.stringContaining('use a new key for a new request') },
      });
      expect((await app().admin('GET', '/runs?limit=500')).body.runs.length).toBe(before);
    });
  }
});

describe('keys', () => {
  test('belong to their sink: the same key at another one is another run', async () => {
    const one = await send({ key: 'scoped' });
    const other = await send({ key: 'scoped', path: '/other', body: '{"n":2}' });
    expect(other.status).toBe(200);
    expect(runOf(other)).not.toBe(runOf(one));
    await Promise.all([one.text(), other.text()]);
  });

  test('are taken as they are: another case is another key', async () => {
    const lower = await send({ key: 'case' });
    const upper = await send({ key: 'CASE' });
    expect(runOf(upper)).not.toBe(runOf(lower));
    await Promise.all([lower.text(), upper.text()]);
  });

  test('without one, the same request is another run each time', async () => {
    const runs = new Set<string | null>();
    for (let count = 0; count < 3; count += 1) {
      const response = await fetch(`${app().url}/shop/files`, { method: 'POST' });
      runs.add(runOf(response));
      await response.text();
    }
    expect(runs.size).toBe(3);
  });

  test('that cannot be one are refused with what would be right', async () => {
    for (const key of ['', 'two words', 'x'.repeat(256), 'caf\u00e9', 'a\tb']) {
      const response = await send({ key });
      expect(response.status, key).toBe(400);
      expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining('1 to 255 visible ASCII characters') } });
    }
  });

  test('are not used up by a request that was refused', async () => {
    expect((await send({ key: 'refused-first', body: '{broken' })).status).toBe(400);
    expect((await send({ key: 'refused-first', body: '{}' })).status).toBe(422);
    const accepted = await send({ key: 'refused-first' });
    expect(accepted.status).toBe(200);
    await accepted.text();
  });
});

describe('a sink that says what names a message', () => {
  async function run(path: string, body: string, headers: Record<string, string> = {}): Promise<string | null> {
    const response = await fetch(`${app().url}/shop${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async', ...headers },
      body,
    });
    expect(response.status).toBe(202);
    await response.text();
    return runOf(response);
  }

  test('takes the same message once, and another one, or the same under another name, for itself', async () => {
    const first = await run('/messages', '{"a":1}', { 'webhook-id': 'msg_1' });
    expect(await run('/messages', '{"a":1}', { 'webhook-id': 'msg_1', 'webhook-timestamp': '2' })).toBe(first);
    expect(await run('/messages', '{"a":1}', { 'webhook-id': 'msg_2' })).not.toBe(first);
    const other = await run('/messages', '{"a":2}', { 'webhook-id': 'msg_1' });
    expect(other).not.toBe(first);
    expect(await run('/messages', '{"a":2}', { 'webhook-id': 'msg_1' })).toBe(other);
  });

  test('finds the name in the body, numbers exactly', async () => {
    const first = await run('/events', '{"id":"evt_1"}');
    expect(await run('/events', '{"id":"evt_1"}')).toBe(first);
    const big = `{"pad":"${'a'.repeat(2_000_000)}","id":"evt_2"}`;
    expect(await run('/events', big)).toBe(await run('/events', big));
    const large = await run('/events', '{"id":12345678901234567890}');
    expect(await run('/events', '{"id":12345678901234567890}')).toBe(large);
    expect(await run('/events', '{"id":12345678901234567891}')).not.toBe(large);
  });

  test('starts a run for each message without a name, unless the caller sends a key', async () => {
    for (const body of ['{}', '{"id":null}', '{"id":""}', '{"id":{"a":1}}', '[]'])
      expect(await run('/events', body)).not.toBe(await run('/events', body));
    const first = await run('/events', '{}', { 'idempotency-key': 'k' });
    expect(await run('/events', '{}', { 'idempotency-key': 'k' })).toBe(first);
  });

  test('joins the run of the message for a stream that is opened again, and starts none for one without a name', async () => {
    const send = (headers: Record<string, string>): Promise<Response> => fetch(`${app().url}/shop/messages`, { headers });
    const first = await send({ 'webhook-id': 'msg_3' });
    await first.text();
    const again = await send({ 'webhook-id': 'msg_3', 'last-event-id': '2' });
    expect(runOf(again)).toBe(runOf(first));
    expect(await again.text()).not.toContain('id: 2');
    expect((await send({ 'last-event-id': '2' })).status).toBe(204);
  });

  test('is saved and exported as it says, and cannot name what is never there', async () => {
    const { body } = await app().admin('GET', '/definitions');
    expect(body.sinks.find((sink: any) => sink.path === '/events').idempotency_key).toBe('$request.body.id');
    for (const key of ['webhook-id', '$request.headers.Webhook-Id', '$request.headers.x-gitlab-token', '$output.id', '$request.id']) {
      const answer = await app().admin('POST', '/apps/shop/sinks', { path: '/x', method: 'POST', idempotency_key: key });
      expect(answer.status, key).toBe(400);
      expect(answer.body.error.message).toContain('idempotency_key: ');
    }
  });
});
