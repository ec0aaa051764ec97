// No secret shows: neither what stands for one of the environment, nor what an address or a header holds.

import { beforeAll, describe, expect, test } from 'vitest';
import { shownAddress, shownHeaders } from '../../src/http/admin/shown-secrets.ts';
import { type HttpReceiver, startHttpReceiver } from '../support/http-receiver.ts';
import { sendingSteps } from '../support/sending-steps.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { until } from '../support/until.ts';

const SECRET = 'hunter2-and-more';
const PLACEHOLDER = /sluice-secret/;

describe('a run that uses a secret', () => {
  let app: TestApp;
  let receiver: HttpReceiver;
  let runId = '';

  beforeAll(async () => {
    const cleanups: (() => void | Promise<void>)[] = [];
    const onEnd = (cleanup: () => void | Promise<void>): void => void cleanups.push(cleanup);
    receiver = await startHttpReceiver(onEnd);
    receiver.answer('/echo', { status: 200, headers: { 'x-echo': SECRET, location: `/next?key=${SECRET}` }, body: `you sent ${SECRET}` });
    app = await startTestApp({
      stepTypes: sendingSteps,
      environment: { API_KEY: SECRET },
      settings: { outbound_allow: '127.0.0.0/8', secrets_allow: 'API_KEY' },
      onEnd,
    });
    const key = '$steps.secrets.value';
    await app.workflow('secretive', {
      steps: [
        { type: 'test/secret@v1', name: 'secrets', variable: 'API_KEY' },
        {
          type: 'test/send@v1',
          name: 'send',
          url: `${receiver.url}/echo`,
          headers: { 'X-Plain': key, Authorization: key },
          body: key,
        },
        { type: 'test/complain@v1', name: 'complain', of: key, after: '$steps.send.status' },
      ],
    });
    await app.sink({ path: '/in', workflow_id: 'secretive', response: 'wait' });
    const response = await fetch(`${app.url}/shop/in`, { method: 'POST' });
    runId = response.headers.get('x-run-id') as string;
    await until(
      'the delivery to be over',
      async () => (await app.admin('GET', '/deliveries?status=delivered')).body.deliveries.length === 1,
    );
    return async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
    };
  });

  test('sends it to the receiver', () => {
    expect(receiver.received).toMatchObject([{ headers: { 'x-plain': SECRET, authorization: SECRET }, body: SECRET }]);
  });

  test('shows it neither to the caller nor to the administrator', async () => {
    const forCaller = await (await fetch(`${app.url}/runs/${runId}`)).text();
    const forAdmin = JSON.stringify((await app.admin('GET', `/runs/${runId}`)).body);
    for (const text of [forCaller, forAdmin]) {
      expect(text).not.toContain(SECRET);
      expect(text).not.toMatch(PLACEHOLDER);
      const { steps, error } = JSON.parse(text);
      expect(steps[0]).toMatchObject({ step: 'secrets', outputs: { value: '********' } });
      expect(steps.at(-1)).toMatchObject({ step: 'complain', error: { message: 'cannot use ********' } });
      expect(error).toEqual({ code: 'complaint', message: 'cannot use ********', step: 'complain' });
    }
  });

  test('shows it in no part of the run', async () => {
    const { body: head } = await app.admin('GET', `/runs/${runId}?parts=head`);
    const { body: page } = await app.admin('GET', `/runs/${runId}/steps`);
    expect(JSON.stringify([head, page])).not.toMatch(/sluice-secret|hunter2/);
    expect(head.error).toEqual({ code: 'complaint', message: 'cannot use ********', step: 'complain' });
    expect(page.steps.at(-1).error.message).toBe('cannot use ********');
  });

  test('shows it in no answer about its deliveries', async () => {
    const [{ delivery_id: id }] = (await app.admin('GET', '/deliveries')).body.deliveries;
    const { body } = await app.admin('GET', `/deliveries/${id}`);
    expect(body.message).toMatchObject({ headers: { 'X-Plain': '********', Authorization: '********' }, body: { text: '********' } });
    expect(body.attempts[0].response).toMatchObject({
      headers: { 'x-echo': '********', location: '/next?key=********' },
      body: { text: 'you sent ********' },
    });
    const headers = { authorization: 'Bearer admin-token-of-the-tests' };
    for (const path of ['/deliveries', `/deliveries/${id}`, '/deliveries/export', '/deliveries/export?format=csv']) {
      const text = await (await fetch(`${app.url}/api/v1${path}`, { headers })).text();
      expect(text, path).not.toContain(SECRET);
      expect(text, path).not.toMatch(PLACEHOLDER);
    }
  });
});

describe('an address', () => {
  const shown: [string, string][] = [
    ['https://example.org/hook', 'https://example.org/hook'],
    ['https://example.org/hook?token=abc&n=1', 'https://example.org/hook?token=********&n=********'],
    ['https://example.org/hook?abcdef', 'https://example.org/hook?********'],
    ['https://example.org/hook?a=b=c?d', 'https://example.org/hook?a=********'],
    ['https://example.org/hook?', 'https://example.org/hook?'],
    ['https://example.org/hook?a=1&&b', 'https://example.org/hook?a=********&&********'],
    ['https://example.org/hook#secret', 'https://example.org/hook'],
    ['https://user:word@example.org/hook', 'https://example.org/hook'],
    ['https://user@example.org/', 'https://example.org/'],
    ['https:\\\\user:word@example.org\\hook', 'https://example.org/hook'],
    [' https://user:word@example.org/', 'https://example.org/'],
    ['//user:word@example.org/x', '//example.org/x'],
    ['user:word@example.org/x', 'example.org/x'],
    ['https://user:word@[bad/x?y=z', 'https://[bad/x?y=********'],
    ['/@handle/x', '/@handle/x'],
    ['', ''],
  ];
  for (const [text, expected] of shown) {
    test(`${JSON.stringify(text)} is shown as ${JSON.stringify(expected)}`, () => {
      expect(shownAddress(text)).toBe(expected);
    });
  }
});

test('headers that tell a secret by their name are hidden, in any case, and no others', () => {
  const hidden = ['authorization', 'Proxy-Authorization', 'COOKIE', 'set-cookie', 'X-Api-Key', 'x-auth-token', 'client-secret'];
  hidden.push('X-Hub-Signature-256', 'webhook-signature', 'x-password', 'x-amz-security-token', 'idempotency-key');
  const open = ['content-type', 'x-request-id', 'retry-after', 'etag'];
  const shown = shownHeaders(Object.fromEntries([...hidden, ...open].map((name) => [name, 'value'])));
  expect(Object.entries(shown)).toEqual([...hidden.map((name) => [name, '********']), ...open.map((name) => [name, 'value'])]);
});
