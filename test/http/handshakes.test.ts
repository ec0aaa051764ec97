// Handshakes of providers through the server: answered byte for byte without a run, on the sink's own path, also by GET and OPTIONS.

import { createHmac, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';

const SECRET = 'handshake-secret';

const app = shareApp({ settings: { rate_limit: '0' } }, async (shared) => {
  const types = [
    'slack',
    'zoom',
    'x-twitter',
    'dropbox',
    'microsoft-graph',
    'okta',
    'ringcentral',
    'twitch',
    'figma',
    'github',
    'woocommerce',
  ];
  for (const type of types) await shared.sink({ path: `/${type}`, auth: { type, secrets: [SECRET] } });
  await shared.sink({ path: '/meta', auth: { type: 'meta', secrets: [SECRET], verify_token: 'shibboleth' } });
  await shared.sink({ path: '/azure-event-grid', auth: { type: 'azure-event-grid', secrets: [SECRET] } });
  await shared.sink({ path: '/notion', auth: { type: 'notion' } });
  await shared.sink({ path: '/asana', auth: { type: 'asana' } });
});

const hmac = (text: string, encoding: 'hex' | 'base64' = 'hex'): string => createHmac('sha256', SECRET).update(text).digest(encoding);
const seconds = (): string => String(Math.floor(Date.now() / 1000));

interface Sent {
  method?: string;
  body?: string;
  headers?: Record<string, string>;
}

interface Answered {
  status: number;
  type: string | null;
  body: string;
  headers: Headers;
}

async function send(path: string, { method = 'POST', body, headers = {} }: Sent = {}): Promise<Answered> {
  const response = await fetch(`${app().url}/shop${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text(), headers: response.headers };
}

function signedBySlack(body: string): Record<string, string> {
  const time = seconds();
  return { 'x-slack-request-timestamp': time, 'x-slack-signature': `v0=${hmac(`v0:${time}:${body}`)}` };
}

const runCount = async (): Promise<number> => (await app().admin('GET', '/runs?limit=500')).body.runs.length;

/** Starts no run, and its answer cannot act in a browser. */
async function withoutRun(handshake: () => Promise<Answered>): Promise<Answered> {
  const before = await runCount();
  const answer = await handshake();
  expect(await runCount()).toBe(before);
  expect(answer.headers.get('x-run-id')).toBeNull();
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('content-security-policy')).toBe('sandbox');
  return answer;
}

const PLAIN = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

describe('a handshake', () => {
  test('of Slack gives the challenge of a signed request back', async () => {
    const body = '{"token":"x","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7t","type":"url_verification"}';
    const answer = await withoutRun(() => send('/slack', { body, headers: signedBySlack(body) }));
    expect(answer).toMatchObject({ status: 200, type: PLAIN, body: '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7t' });
    expect((await send('/slack', { body })).status).toBe(401);
  });

  test('of Slack answers the unsigned probe of its certificate, and nothing else that is unsigned', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await withoutRun(() => send('/slack', { body: 'ssl_check=1&token=x', headers: form }))).toMatchObject({ status: 200, body: '' });
    expect((await send('/slack', { body: 'ssl_check=0&token=x', headers: form })).status).toBe(401);
    expect((await send('/slack', { body: `ssl_check=1&text=${'x'.repeat(70_000)}`, headers: form })).status).toBe(413);
  });

  test('of Zoom signs the token of a signed request', async () => {
    const body = '{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}';
    const time = seconds();
    const headers = { 'x-zm-request-timestamp': time, 'x-zm-signature': `v0=${hmac(`v0:${time}:${body}`)}` };
    const answer = await withoutRun(() => send('/zoom', { body, headers }));
    expect(answer).toMatchObject({ status: 200, type: JSON_TYPE });
    expect(JSON.parse(answer.body)).toEqual({ plainToken: 'qgg8vlvZRS6UYooatFL8Aw', encryptedToken: hmac('qgg8vlvZRS6UYooatFL8Aw') });
  });

  test('of X signs a token, and no text that could be the body of an event', async () => {
    const answer = await withoutRun(() => send('/x-twitter?crc_token=abc123', { method: 'GET' }));
    expect(answer).toMatchObject({ status: 200, type: JSON_TYPE, body: `{"response_token":"sha256=${hmac('abc123', 'base64')}"}` });
    for (const token of ['{"a":1}', 'a=b&c=d', 'a b', '', '<script>', 'é'])
      expect([token, (await send(`/x-twitter?crc_token=${encodeURIComponent(token)}`, { method: 'GET' })).status]).not.toEqual([
        token,
        200,
      ]);
  });

  test('of Meta gives the challenge to whoever knows the token', async () => {
    const query = (token: string): string => `/meta?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=1158201444`;
    expect(await withoutRun(() => send(query('shibboleth'), { method: 'GET' }))).toMatchObject({
      status: 200,
      type: PLAIN,
      body: '1158201444',
    });
    expect((await send(query('sibboleth'), { method: 'GET' })).status).toBe(403);
    expect((await send('/meta?hub.mode=subscribe&hub.challenge=1', { method: 'GET' })).status).toBe(403);
    expect((await send('/meta', { method: 'GET' })).status).toBe(405);
  });

  test.each([
    ['/dropbox?challenge=', 'GET'],
    ['/microsoft-graph?validationToken=', 'POST'],
  ])('%s gives the value back as plain text', async (path, method) => {
    const value = 'Validation: Testing+client';
    const answer = await withoutRun(() => send(`${path}${encodeURIComponent(value)}`, { method }));
    expect(answer).toMatchObject({ status: 200, type: PLAIN, body: value });
    const script = '<script>alert(1)</script>';
    expect(await withoutRun(() => send(`${path}${encodeURIComponent(script)}`, { method }))).toMatchObject({ type: PLAIN, body: script });
    for (const alien of ['é', 'a\nb', 'x'.repeat(1025)])
      expect((await send(`${path}${encodeURIComponent(alien)}`, { method })).status).toBe(403);
  });

  test('of Okta gives a header back to whoever has the secret', async () => {
    const headers = { 'x-okta-verification-challenge': 'abc', authorization: SECRET };
    expect(await withoutRun(() => send('/okta', { method: 'GET', headers }))).toMatchObject({
      status: 200,
      body: '{"verification":"abc"}',
    });
    expect((await send('/okta', { method: 'GET', headers: { ...headers, authorization: 'x' } })).status).toBe(401);
    expect((await send('/okta', { method: 'GET', headers: { authorization: SECRET } })).status).toBe(405);
  });

  test('of RingCentral gives a header back as a header', async () => {
    const answer = await withoutRun(() => send('/ringcentral', { body: '{}', headers: { 'validation-token': 'vt-1' } }));
    expect([answer.status, answer.headers.get('validation-token'), answer.body]).toEqual([200, 'vt-1', '']);
  });

  test('of Event Grid is the one of CloudEvents, and the one among its events', async () => {
    const path = `/azure-event-grid?token=${SECRET}`;
    const asked = await withoutRun(() => send(path, { method: 'OPTIONS', headers: { 'webhook-request-origin': 'eventgrid.azure.net' } }));
    expect([asked.status, asked.headers.get('webhook-allowed-origin')]).toEqual([200, 'eventgrid.azure.net']);
    const body = '[{"id":"1","data":{"validationCode":"0000-1111"},"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent"}]';
    const answer = await withoutRun(() => send(path, { body, headers: { 'aeg-event-type': 'SubscriptionValidation' } }));
    expect(answer).toMatchObject({ status: 200, type: JSON_TYPE, body: '{"validationResponse":"0000-1111"}' });
    expect((await send('/azure-event-grid', { body, headers: { 'aeg-event-type': 'SubscriptionValidation' } })).status).toBe(401);
  });

  test('of Twitch gives the challenge back; its revocation is answered and is a run', async () => {
    const signed = (body: string, type: string): Sent => {
      const [id, time] = [randomUUID(), new Date().toISOString()];
      const base = { 'twitch-eventsub-message-id': id, 'twitch-eventsub-message-timestamp': time, 'twitch-eventsub-message-type': type };
      return { body, headers: { ...base, 'twitch-eventsub-message-signature': `sha256=${hmac(id + time + body)}` } };
    };
    const asked = signed('{"challenge":"pogchamp-kappa-360noscope-vohiyo"}', 'webhook_callback_verification');
    expect(await withoutRun(() => send('/twitch', asked))).toMatchObject({
      status: 200,
      type: PLAIN,
      body: 'pogchamp-kappa-360noscope-vohiyo',
    });
    const before = await runCount();
    const revoked = await send('/twitch', signed('{"subscription":{"status":"user_removed"}}', 'revocation'));
    expect([revoked.status, await runCount()]).toEqual([204, before + 1]);
  });

  test('of Figma proves itself by the passcode in its body, which no run shows', async () => {
    const ping = JSON.stringify({ event_type: 'PING', passcode: SECRET });
    expect(await withoutRun(() => send('/figma', { body: ping }))).toMatchObject({ status: 200, body: '' });
    expect((await send('/figma', { body: JSON.stringify({ event_type: 'PING', passcode: 'x' }) })).status).toBe(401);
    const event = await send('/figma', { body: JSON.stringify({ event_type: 'FILE_UPDATE', passcode: SECRET }) });
    expect(event.status).toBe(200);
    expect(JSON.stringify((await app().admin('GET', `/runs/${event.headers.get('x-run-id')}`)).body)).not.toContain(SECRET);
  });

  test('is answered to HEAD without a run, as some providers probe', async () => {
    for (const path of ['/slack', '/meta', '/github']) expect((await send(path, { method: 'HEAD' })).status).toBe(200);
  });

  test('is recorded, so that an operator sees when a provider last asked', async () => {
    await send('/dropbox?challenge=recorded', { method: 'GET' });
    const recorded = await until('a handshake that is recorded', async () => {
      const { rejections } = (await app().admin('GET', '/rejections?limit=500')).body;
      return rejections.find(({ code, path }: any) => code === 'handshake' && path === '/shop/dropbox');
    });
    expect(recorded).toMatchObject({ method: 'GET', status: 200 });
  });

  test('with a line break in a value cannot split the answer', async () => {
    const { status, headers } = await sendRaw(
      app().url,
      'POST /shop/ringcentral HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nValidation-Token: a\tb\x7f\r\n\r\n{}',
    );
    expect([status, headers['validation-token']]).not.toEqual([200, expect.anything()]);
  });
});

describe('a secret that the provider brings', () => {
  const reveal = async (path: string): Promise<{ status: number; body: any }> => {
    const sink = (await app().admin('GET', '/apps/shop/sinks')).body.sinks.find((one: any) => one.path === path);
    return await app().admin('POST', `/apps/shop/sinks/${sink.id}/captured-secret`);
  };

  test('is kept once, shown once, proves the requests after it, and is never replaced', async () => {
    expect((await send('/notion', { body: '{"id":"e","type":"page.created"}' })).status).toBe(401);
    expect((await reveal('/notion')).status).toBe(404);
    const first = await withoutRun(() =>
      send('/notion', { body: '{"verification_token":"secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"}' }),
    );
    expect([first.status, first.body]).toEqual([200, '']);
    expect(await reveal('/notion')).toEqual({ status: 200, body: { secret: 'secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl' } });
    expect((await reveal('/notion')).status).toBe(409);
    const signature = createHmac('sha256', 'secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl').update('{"id":"e"}').digest('hex');
    expect((await send('/notion', { body: '{"id":"e"}', headers: { 'x-notion-signature': `sha256=${signature}` } })).status).toBe(200);
    expect((await send('/notion', { body: '{"verification_token":"of an attacker"}' })).status).toBe(403);
    expect(
      (
        await send('/notion', {
          body: '{"id":"e2"}',
          headers: { 'x-notion-signature': `sha256=${createHmac('sha256', 'of an attacker').update('{"id":"e2"}').digest('hex')}` },
        })
      ).status,
    ).toBe(401);
  });

  test('of Asana goes back in a header', async () => {
    const answer = await withoutRun(() => send('/asana', { body: '{}', headers: { 'x-hook-secret': 'hook-secret-1' } }));
    expect([answer.status, answer.headers.get('x-hook-secret')]).toEqual([200, 'hook-secret-1']);
    const signature = createHmac('sha256', 'hook-secret-1').update('{"events":[1]}').digest('hex');
    expect((await send('/asana', { body: '{"events":[1]}', headers: { 'x-hook-signature': signature } })).status).toBe(200);
  });
});
