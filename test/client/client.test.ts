// The typed client against the real server: every part of the administration API, and errors in words.

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type Client, createClient } from '../../src/client/client.ts';
import { UnreachableError } from '../../src/client/client-error.ts';
import type { RunEvent } from '../../src/client/wire/wire-types.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { shareApp } from '../support/shared-app.ts';
import { silentAddress } from '../support/silent-address.ts';
import { ADMIN_TOKEN } from '../support/start-app.ts';

const app = shareApp();
const admin = (): Client => createClient({ url: app().url, token: ADMIN_TOKEN });

const DEFINITION = {
  version: '1.0',
  inputs: [{ type: 'WorkflowParameter', name: 'who' }],
  steps: [{ type: 'sluice/set@v1', name: 'greet', values: { to: '$inputs.who' } }],
  outputs: [{ type: 'JsonField', name: 'hello', selector: '$steps.greet.to' }],
};

async function last(events: AsyncIterable<RunEvent>): Promise<RunEvent | undefined> {
  let found: RunEvent | undefined;
  for await (const event of events) found = event;
  return found;
}

describe('administration', () => {
  test('makes, lists, shows and deletes apps, workflows and sinks', async () => {
    const { apps, workflows, sinks } = admin();
    expect(await apps.save('crm', { name: 'Customers' })).toMatchObject({ id: 'crm', name: 'Customers', managed_by: 'api' });
    expect(await apps.get('crm')).toMatchObject({ id: 'crm' });
    expect((await apps.list()).map(({ id }) => id)).toContain('crm');

    expect(await workflows.save('crm', 'greet', DEFINITION)).toMatchObject({ id: 'greet', app_id: 'crm', version: 1 });
    expect(await workflows.save('crm', 'greet', { ...DEFINITION, outputs: [] })).toMatchObject({ version: 2 });
    expect((await workflows.get('crm', 'greet', 1)).definition).toEqual(DEFINITION);
    expect((await workflows.list('crm')).map(({ id, version }) => [id, version])).toEqual([['greet', 2]]);

    const sink = await sinks.create('crm', { path: '/a', method: 'POST', auth_token: null, workflow_id: 'greet' });
    expect(sink).toMatchObject({ app_id: 'crm', public: true, auth: 'none', url: `${app().url}/sink/trigger/http/crm/a` });
    expect(await sinks.replace('crm', sink.id, { path: '/b', method: 'PUT' })).toMatchObject({
      id: sink.id,
      path: '/b',
      workflow_id: null,
    });
    const { answer, etag } = await sinks.getWithTag('crm', sink.id);
    expect(answer).toMatchObject({ path: '/b' });
    const ifMatch = etag as string;
    expect(await sinks.patch('crm', sink.id, { method: 'DELETE' }, { ifMatch })).toMatchObject({ path: '/b', method: 'DELETE' });
    await expect(sinks.patch('crm', sink.id, { method: 'GET' }, { ifMatch })).rejects.toMatchObject({ status: 412 });
    await expect(sinks.delete('crm', sink.id, { ifMatch })).rejects.toMatchObject({ code: 'precondition_failed' });
    expect((await workflows.getWithTag('crm', 'greet')).etag).toMatch(/^"/);
    expect(await workflows.patch('crm', 'greet', { version: '1.1' })).toMatchObject({ version: 3 });
    expect((await apps.getWithTag('crm')).answer.name).toBe('Customers');
    const { auth_token: token } = await sinks.rotateToken('crm', sink.id);
    expect(token.length).toBeGreaterThan(30);
    expect(await sinks.get('crm', sink.id)).toMatchObject({ public: false, auth: 'bearer' });
    expect((await sinks.list('crm')).map(({ id }) => id)).toEqual([sink.id]);

    await sinks.delete('crm', sink.id);
    await workflows.delete('crm', 'greet');
    await apps.delete('crm');
    expect((await apps.list()).map(({ id }) => id)).not.toContain('crm');
  });

  test('tells what applying definitions would change, applies them, and exports them again', async () => {
    const { definitions } = admin();
    const document = {
      apps: [{ id: 'files' }],
      workflows: [],
      sinks: [{ app_id: 'files', path: '/in', method: 'POST', auth_token: null }],
    };
    const changes = [
      { action: 'create', kind: 'app', name: 'files' },
      { action: 'create', kind: 'sink', name: 'files POST /in' },
    ];
    expect(await definitions.diff(document)).toEqual(changes);
    expect(await definitions.apply(document)).toEqual(changes);
    expect(await definitions.diff(document)).toEqual([]);
    expect((await definitions.export()).sinks).toContainEqual(document.sinks[0]);
    await definitions.apply({});
  });

  test('lists, shows, cancels and replays runs, page by page, and lists rejections', async () => {
    const { workflows, sinks, runs, rejections, trigger } = admin();
    await workflows.save('shop', 'greet', DEFINITION);
    await workflows.save('shop', 'wait', {
      ...DEFINITION,
      inputs: [],
      outputs: [],
      steps: [{ type: 'sluice/delay@v1', name: 'w', seconds: 600 }],
    });
    const greet = await sinks.create('shop', { path: '/greet', method: 'POST', workflow_id: 'greet' });
    await sinks.create('shop', { path: '/wait', method: 'POST', workflow_id: 'wait' });

    const body = '{"who":"Ada"}';
    const first = await trigger('/shop/greet', { headers: { 'content-type': 'application/json' }, body });
    expect(await last(first.events)).toMatchObject({ type: 'complete', run_id: first.runId, output: { hello: 'Ada' } });
    expect(await runs.get(first.runId)).toMatchObject({
      status: 'completed',
      steps: [{ step: 'greet' }],
      request: { method: 'POST', body },
    });
    const replayed = await runs.replay(first.runId);
    expect(replayed).toMatchObject({ replay_of: first.runId });
    expect(await last(runs.follow(replayed.run_id))).toMatchObject({ output: { hello: 'Ada' } });

    const waiting = await trigger('/shop/wait');
    expect((await waiting.events.next()).value).toMatchObject({ progress: 0 });
    expect(await runs.cancel(waiting.runId)).toEqual({ run_id: waiting.runId, status: 'cancelled' });
    expect(await last(waiting.events)).toMatchObject({ type: 'error', error: { code: 'cancelled' } });

    const page = await runs.list({ sink_id: greet.id, limit: 1 });
    expect(page.runs.map(({ run_id: id }) => id)).toEqual([replayed.run_id]);
    const next = await runs.list({ sink_id: greet.id, limit: 1, cursor: page.next_cursor as string });
    expect(next.runs.map(({ run_id: id }) => id)).toEqual([first.runId]);
    expect((await runs.list({ status: 'cancelled' })).runs).toHaveLength(1);

    await expect(trigger('/shop/nothing')).rejects.toMatchObject({ status: 404 });
    await expect
      .poll(async () => (await rejections.list({ app_id: 'shop' })).rejections)
      .toMatchObject([{ path: '/shop/nothing', status: 404 }]);
  });

  test('asks after the health of the server', async () => {
    expect(await admin().healthz()).toEqual({ status: 'ok' });
    expect(await admin().readyz()).toMatchObject({ status: 'ready', checks: { database: true } });
  });
});

describe('a refusal', () => {
  test('carries the code, the words and the particulars of the server', async () => {
    await expect(admin().sinks.create('shop', { path: 'no-slash', method: 'POST' })).rejects.toMatchObject({
      name: 'RefusedError',
      status: 400,
      code: 'invalid',
      message: expect.stringContaining('path: must start with "/"'),
      details: { faults: [{ path: 'path', message: expect.stringContaining('must start with "/"') }] },
      requestId: expect.stringMatching(/^req_/),
    });
    await expect(createClient({ url: app().url, token: 'wrong' }).runs.list()).rejects.toMatchObject({ status: 401, code: 'unauthorized' });
    await expect(createClient({ url: app().url }).apps.list()).rejects.toMatchObject({ status: 401 });
    await expect(admin().runs.get('run_none')).rejects.toMatchObject({ status: 404, code: 'not_found' });
  });

  test('by something that is no Sluice server says so', async () => {
    const url = await startOther((_request, response) => response.writeHead(418, { 'content-type': 'text/html' }).end('<p>teapot</p>'));
    const message = `${url}/api/v1/apps answered 418, but not as a Sluice server does; is the address right?`;
    await expect(createClient({ url, token: 'a' }).apps.list()).rejects.toMatchObject({ code: 'http_418', message });
  });

  test('of a server that has moved names the new address, and the token is not sent there', async () => {
    const url = await startOther((_request, response) => response.writeHead(301, { location: 'https://hooks.example.org/' }).end());
    const message = `${url}/api/v1/apps has moved to https://hooks.example.org/; use that address`;
    await expect(createClient({ url, token: 'a' }).apps.list()).rejects.toMatchObject({ message });
  });
});

describe('an answer that never comes whole', () => {
  test('because nobody listens is told with the address and what to do', async () => {
    const url = await silentAddress();
    const message = `cannot reach ${url}: connection refused; is the server running?`;
    await expect(createClient({ url }).healthz()).rejects.toThrow(new UnreachableError(message));
    const blocked = 'cannot reach http://127.0.0.1:6000: fetch refuses to use this port; choose another';
    await expect(createClient({ url: 'http://127.0.0.1:6000' }).healthz()).rejects.toThrow(new UnreachableError(blocked));
    await expect(createClient({ url: 'http://no-such-host.invalid' }).healthz()).rejects.toThrow(
      /^cannot reach http:\/\/no-such-host\.invalid: (the host is unknown|the host name could not be looked up)$/,
    );
  });

  test('in time is given up', async () => {
    const url = await startOther(() => undefined);
    await expect(createClient({ url, timeoutMs: 20 }).healthz()).rejects.toThrow(`cannot reach ${url}: no answer in time`);
  });

  test('or is no JSON, or no event stream, is told as what it is', async () => {
    const foreign = (url: string): string => `${url} answered 200, but not as a Sluice server does; is the address right?`;
    const url = await startOther((_request, response) => response.end('hello'));
    await expect(createClient({ url }).healthz()).rejects.toThrow(foreign(`${url}/healthz`));
    await expect(createClient({ url }).trigger('/shop/x')).rejects.toThrow(foreign(`${url}/shop/x`));
    const stream = await startOther((_request, response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end());
    await expect(createClient({ url: stream }).trigger('/shop/x')).rejects.toThrow(foreign(`${stream}/shop/x`));
  });
});

describe('an address or a token that cannot be one', () => {
  test('is refused before anything is sent', () => {
    for (const url of ['localhost:9657', 'ftp://x', '', 'http://'])
      expect(() => createClient({ url })).toThrow('is not the address of a server');
    expect(() => createClient({ url: 'http://me:secret@127.0.0.1' })).toThrow('must not have a user name or password');
    for (const token of ['', 'two words', 'line\nfeed']) {
      expect(() => createClient({ url: 'http://127.0.0.1', token })).toThrow('visible ASCII characters');
    }
  });

  test('as an id cannot lead to another route', async () => {
    await expect(async () => admin().apps.delete('..')).rejects.toThrow('".." is not an id');
    await expect(async () => admin().runs.get('')).rejects.toThrow('"" is not an id');
    await expect(admin().runs.get('../apps')).rejects.toMatchObject({ status: 404 });
  });
});

test('numbers keep their text when the JSON reader keeps it', async () => {
  await admin().sinks.create('shop', { path: '/numbers', method: 'POST', response: 'wait' });
  const json = { parse: (text: string): unknown => ({ text }), stringify: JSON.stringify };
  const { runId, events } = await createClient({ url: app().url }).trigger('/shop/numbers');
  await last(events);
  const answer: unknown = await createClient({ url: app().url, token: ADMIN_TOKEN, json }).runs.get(runId);
  expect((answer as { text: string }).text).toContain(`"run_id":"${runId}"`);
});

/** A server of another kind. */
async function startOther(handle: RequestListener): Promise<string> {
  const server = createServer(handle);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
