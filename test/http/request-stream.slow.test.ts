// The live stream of a sink's requests, and the bodies of requests: who may read them, what comes again after a pause, and
// what a slow reader costs.

import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createSseParser, type SseEvent } from '../../src/client/sse-parser.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { shareApp } from '../support/shared-app.ts';
import { ADMIN_TOKEN } from '../support/start-app.ts';
import { until } from '../support/until.ts';

const app = shareApp();
const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
let sinks = 0;

async function addSink(fields: object = {}): Promise<{ url: string; events: string }> {
  sinks += 1;
  const { id, url } = await app().sink({ path: `/in-${sinks}`, method: 'ANY', response: 'accept', ...fields });
  return { url, events: `${app().url}/api/v1/apps/shop/sinks/${id}/requests/events` };
}

async function post(url: string, body: string | Uint8Array = '', headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(url, { method: 'POST', body: typeof body === 'string' ? body : new Uint8Array(body), headers });
  await response.arrayBuffer();
  return response.headers.get('x-run-id') as string;
}

interface Reader {
  response: IncomingMessage;
  events: SseEvent[];
  ids(): string[];
}

/** A reader that reads, until somebody pauses its response. */
async function read(url: string, after?: string): Promise<Reader> {
  const request = get(url, { headers: { ...admin, ...(after === undefined ? {} : { 'last-event-id': after }) } });
  onTestEnd(() => void request.destroy());
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const events: SseEvent[] = [];
  const parse = createSseParser();
  response.on('data', (chunk: Buffer) => events.push(...parse(chunk)));
  response.on('error', () => undefined);
  if (after === undefined) await until('the stream to be ready', () => events.length > 0);
  return { response, events, ids: () => events.filter(({ data }) => !data.includes('"ready"')).map(({ id }) => id) };
}

describe('the stream', () => {
  test('gives each request with its id, without its body and without credentials', async () => {
    const { url, events } = await addSink();
    const reader = await read(events);
    expect(reader.response.headers).toMatchObject({ 'content-type': 'text/event-stream' });
    const runId = await post(`${url}?a=1&token=secret`, '{ "n": 1.0 }', {
      'content-type': 'application/json',
      authorization: 'Bearer x',
      'x-event': 'e',
    });
    await until('the request', () => reader.ids().length === 1);
    const event = JSON.parse(reader.events[1]?.data as string);
    expect(reader.ids()).toEqual([runId]);
    expect(event).toMatchObject({ type: 'request', run_id: runId, body_kind: 'json', body_size: 12 });
    expect(event.request).toMatchObject({
      method: 'POST',
      path: `/in-${sinks}`,
      query: { a: '1' },
      files: [],
      headers: { 'x-event': 'e' },
    });
    expect(JSON.stringify(event)).not.toMatch(/secret|Bearer/);
  });

  test('resumes with all requests since the last one, a little further back', async () => {
    const { url, events } = await addSink();
    const ids: string[] = [];
    for (let count = 0; count < 250; count += 1) ids.push(await post(url));
    const reader = await read(events, ids[200]);
    await until('all to come', () => reader.ids().includes(ids[249] as string));
    ids.push(await post(url));
    await until('the next one', () => reader.ids().includes(ids[250] as string));
    expect(reader.ids()).toEqual(ids);
  });

  test('is of one sink', async () => {
    const one = await addSink();
    const other = await addSink();
    const reader = await read(one.events);
    await post(other.url);
    const runId = await post(one.url);
    await until('the request', () => reader.ids().length > 0);
    expect(reader.ids()).toEqual([runId]);
  });

  test('needs the admin token, a sink, and an id of its own', async () => {
    const { events } = await addSink({ auth_token: 'token-of-the-sink' });
    const statusOf = async (url: string, headers: Record<string, string>): Promise<number> => (await fetch(url, { headers })).status;
    expect(await statusOf(events, {})).toBe(401);
    expect(await statusOf(events, { authorization: 'Bearer token-of-the-sink' })).toBe(401);
    expect(await statusOf(events, { ...admin, 'last-event-id': '17' })).toBe(400);
    expect(await statusOf(events.replace(/snk_\w+/, 'snk_0000'), admin)).toBe(404);
    expect(await statusOf(events.replace('/shop/', '/other/'), admin)).toBe(404);
  });

  test('waits for a reader that does not read, which then gets every request once', { timeout: 60_000 }, async () => {
    const { url, events } = await addSink();
    const reader = await read(events);
    reader.response.pause();
    const sent: string[] = [];
    const large = { 'x-large': 'x'.repeat(12_000) };
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let count = 0; count < 150; count += 1) sent.push(await post(url, '', large));
      }),
    );
    reader.response.resume();
    await until('all to come', () => reader.ids().length >= sent.length, 20_000);
    expect(reader.ids().toSorted()).toEqual(sent.toSorted());
  });

  test('ends between two events when the server stops', async () => {
    const { events } = await addSink();
    const reader = await read(events);
    let text = '';
    reader.response.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await app().close();
    await until('the end', () => reader.response.complete);
    expect(text).toBe(': the server is stopping; resume with Last-Event-ID\n\n');
  });
});
