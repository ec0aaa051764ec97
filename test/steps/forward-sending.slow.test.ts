// sluice/forward@v1 from a real sender to a real receiver: the bytes arrive as they were sent, whatever they are.

import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { githubPayloads } from '../support/github-payloads.ts';
import { sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';
import { type Arrival, startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const SECRET = 'It’s a secret to everybody';
const SIGNING_KEY = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const app = shareApp({
  settings: { outbound_allow: '127.0.0.0/8', secrets_allow: 'SIGNING_KEY,TARGET' },
  environment: { SIGNING_KEY, TARGET: 'http://127.0.0.1:1' },
});
let flows = 0;

/** Creates a sink, named by its path, whose workflow forwards. Returns its URL. */
async function forwardingSink(steps: object[], fields: Record<string, unknown> = {}, outputs: object[] = []): Promise<string> {
  flows += 1;
  const id = `flow-${flows}`;
  await app().workflow(id, { steps, outputs });
  const sink = await app().sink({ path: `/${id}`, method: 'ANY', workflow_id: id, response: 'wait', ...fields });
  return sink.url.replace(/\/\*$/, '');
}

const forwardTo = (url: string, fields: object = {}): object => ({ type: 'sluice/forward@v1', name: 'forward', url, ...fields });
const atOnce = { fire_and_forget: false };
const arrived = (receiver: WebhookReceiver, count = 1): Promise<unknown> =>
  until(`${count} requests to arrive`, () => receiver.arrivals.length >= count);
const hexOf = (body: Uint8Array, secret = SECRET): string => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
const deliveriesOf = async (runId: string): Promise<any[]> => (await app().admin('GET', `/deliveries?run_id=${runId}`)).body.deliveries;

describe('273 webhooks in the shape of GitHub', () => {
  test('arrive byte for byte with signatures that verify, once each', { timeout: 120_000 }, async () => {
    const receiver = await startWebhookReceiver();
    const steps = [
      { type: 'sluice/set@v1', name: 'first', values: { event: '$request.headers.x-github-event' } },
      forwardTo(receiver.url),
      { type: 'sluice/set@v1', name: 'last', values: { delivery: '$steps.forward.delivery_id' } },
    ];
    const url = await forwardingSink(steps, { method: 'POST', auth: { type: 'github', secrets: [SECRET] }, response: undefined });
    const payloads = githubPayloads();
    expect(payloads).toHaveLength(273);
    const sent = new Map<string, { bytes: Buffer; headers: Record<string, string>; runId: string }>();
    for (const { event, contentType, body } of payloads) {
      const id = randomUUID();
      const headers = {
        'content-type': contentType,
        'user-agent': 'GitHub-Hookshot/044aadd',
        'x-github-delivery': id,
        'x-github-event': event,
        'x-github-hook-id': '292430182',
        'x-hub-signature': `sha1=${createHmac('sha1', SECRET).update(body).digest('hex')}`,
        'x-hub-signature-256': hexOf(body),
      };
      const post = async (): Promise<Response> => await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
      const first = await post();
      expect(first.status, `${event}: ${await first.clone().text()}`).toBeLessThan(300);
      const runId = first.headers.get('x-run-id') as string;
      const again = await post();
      expect(again.headers.get('x-run-id')).toBe(runId);
      sent.set(id, { bytes: body, headers, runId });
    }
    await arrived(receiver, 273);
    for (const { headers, bytes, key } of receiver.arrivals) {
      const original = sent.get(headers['x-github-delivery'] as string);
      const { 'user-agent': _, ...passed } = original?.headers ?? {};
      expect(Buffer.from(bytes).equals(original?.bytes as Buffer)).toBe(true);
      expect(headers).toMatchObject(passed);
      expect(headers['x-hub-signature-256']).toBe(hexOf(bytes));
      expect(headers['user-agent']).toMatch(/^sluice\//);
      expect(key).toBe(`${original?.runId}:forward`);
    }
    const { body: listed } = await app().admin('GET', '/runs?limit=500');
    expect(listed.runs.filter(({ workflow_id }: any) => workflow_id === `flow-${flows}`)).toHaveLength(273);
    expect(receiver.arrivals).toHaveLength(273);
  });
});

describe('the body', () => {
  const kinds: [string, string | null, Uint8Array][] = [
    ['JSON with white space and large numbers', 'application/json', Buffer.from('{ "id" : 12345678901234567890 ,\r\n"n":1.0e0 }\n')],
    ['JSON lines', 'application/x-ndjson', Buffer.from('{"a":1}\n\n{"b":2.0}\r\n')],
    ['JSON with a byte order mark', 'application/json', Buffer.from('\ufeff[1]')],
    ['text in Latin-1', 'text/plain; charset=iso-8859-1', Buffer.from('gr\xf6\xdfe', 'latin1')],
    ['XML', 'application/xml', Buffer.from('<?xml version="1.0"?>\r\n<a  b = "c"/>')],
    ['bytes', 'application/octet-stream', randomBytes(10_000)],
    ['bytes without a type', null, Uint8Array.of(0, 255, 13, 10)],
    ['an image', 'image/png', randomBytes(1000)],
    ['a form', 'application/x-www-form-urlencoded', Buffer.from('b=%e4%f6&a=1+2&&a=%2B&_charset_=iso-8859-1')],
    ['a large JSON document', 'application/json', Buffer.from(`{"large":"${'ü'.repeat(600_000)}" }`)],
    ['a large text', 'text/plain', Buffer.alloc(3_000_000, 'line\n')],
  ];

  test.each(kinds)('of %s arrives byte for byte', async (_what, type, bytes) => {
    const receiver = await startWebhookReceiver();
    const url = await forwardingSink([forwardTo(receiver.url, atOnce)]);
    const response = await fetch(url, {
      method: 'POST',
      body: new Uint8Array(bytes),
      ...(type === null ? {} : { headers: { 'content-type': type } }),
    });
    expect(response.status, await response.text()).toBe(200);
    const [arrival] = receiver.arrivals as [Arrival];
    expect(Buffer.from(arrival.bytes).equals(Buffer.from(bytes))).toBe(true);
    expect(arrival.headers['content-type'] ?? null).toBe(type);
    expect(arrival.headers['content-length']).toBe(String(bytes.byteLength));
  });

  test('that came compressed arrives decoded, and without Content-Encoding', async () => {
    const receiver = await startWebhookReceiver();
    const url = await forwardingSink([forwardTo(receiver.url, atOnce)]);
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    await fetch(url, { method: 'POST', headers, body: gzipSync('{ "a": 1.0 }') });
    expect(receiver.arrivals).toMatchObject([{ body: '{ "a": 1.0 }' }]);
    expect(receiver.arrivals[0]?.headers).not.toHaveProperty('content-encoding');
  });

  const multipart =
    '--x\r\nContent-Disposition: form-data; name="f"; filename="u.bin"\r\n\r\n\x01\xff\r\n--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n';

  test('of a multipart form has the same fields and files, and the same bytes at a raw sink', async () => {
    const receiver = await startWebhookReceiver();
    const post = { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: Buffer.from(multipart, 'latin1') };
    const response = await fetch(await forwardingSink([forwardTo(receiver.url, atOnce)]), post);
    expect(response.status, await response.text()).toBe(200);
    await fetch(await forwardingSink([forwardTo(receiver.url, atOnce)], { body: 'raw' }), post);
    const [rebuilt, raw] = receiver.arrivals as [Arrival, Arrival];
    expect(receiver.arrivals).toHaveLength(2);
    const form = await new Response(new Uint8Array(rebuilt.bytes), {
      headers: { 'content-type': rebuilt.headers['content-type'] as string },
    }).formData();
    expect([...form.keys()]).toEqual(['a', 'f']);
    expect(form.get('a')).toBe('1');
    expect(new Uint8Array(await (form.get('f') as File).arrayBuffer())).toEqual(Uint8Array.of(1, 255));
    expect(Buffer.from(raw.bytes).toString('latin1')).toBe(multipart);
    expect(raw.headers['content-type']).toBe('multipart/form-data; boundary=x');
  });
});

describe('the request line', () => {
  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])('of a %s keeps its method', async (method) => {
    const receiver = await startWebhookReceiver();
    const url = await forwardingSink([forwardTo(receiver.url, atOnce)]);
    expect((await fetch(url, { method })).status).toBe(200);
    const { arrivals } = receiver;
    expect(arrivals).toMatchObject([{ body: '', target: '/hook' }]);
  });

  test('keeps the rest of the path, and each parameter of the query', async () => {
    const receiver = await startWebhookReceiver();
    const url = await forwardingSink([forwardTo(`http://127.0.0.1:${receiver.port}/base/?own=1`, { append_path: true, ...atOnce })], {
      path: `/rest-${flows}/*`,
    });
    const target = new URL(url).pathname;
    const statusOf = async (path: string): Promise<number> =>
      (await sendRaw(url, `POST ${target}/${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)).status;
    expect(await statusOf('a%20b/%C3%A9;v=1/c%252fd?x=%41+b&x=%2B&token=secret&flag&%5Bu%5D=%C3%BC')).toBe(200);
    expect(receiver.arrivals[0]?.target).toBe('/base/a%20b/%C3%A9;v=1/c%252fd?own=1&x=A%20b&x=%2B&flag=&%5Bu%5D=%C3%BC');
    for (const path of ['../secret', '%2e%2e/secret', 'a/..', '..%2fsecret', 'a%5c..']) expect(await statusOf(path), path).toBe(400);
    expect(receiver.arrivals).toHaveLength(1);
  });
});

test('a new signature verifies with the new secret, beside the one of the sender', async () => {
  const receiver = await startWebhookReceiver();
  const secrets = { type: 'roboflow_core/environment_secrets_store@v1', name: 'secrets', variables_storing_secrets: ['SIGNING_KEY'] };
  const set_headers = { 'X-Key': '$steps.secrets.signing_key' };
  const url = await forwardingSink([
    secrets,
    forwardTo(receiver.url, { ...atOnce, signing_secret: '$steps.secrets.signing_key', set_headers }),
  ]);
  const body = '{ "a": 1.0 }';
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': hexOf(Buffer.from(body)), 'webhook-id': 'of-the-sender' };
  await fetch(url, { method: 'POST', headers, body });
  const [arrival] = receiver.arrivals as [Arrival];
  expect(arrival.headers['x-hub-signature-256']).toBe(hexOf(arrival.bytes));
  expect(arrival.headers['x-key']).toBe(SIGNING_KEY);
  expect(arrival.headers['webhook-id']).toMatch(/^dlv_/);
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature } = arrival.headers;
  const key = Buffer.from(SIGNING_KEY.slice('whsec_'.length), 'base64');
  expect(signature).toBe(`v1,${createHmac('sha256', key).update(`${id}.${time}.${arrival.body}`).digest('base64')}`);
});

describe('a delivery', () => {
  test('that fails at first is retried with the same bytes and key, in the background', async () => {
    const receiver: WebhookReceiver = await startWebhookReceiver({ status: () => (receiver.arrivals.length < 3 ? 503 : 200) });
    const url = await forwardingSink([forwardTo(receiver.url, { retry: { max_retries: 5, base_seconds: 0.05 } })]);
    const body = '{"n": 1.00, "s": "\\u00fc"}';
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const runId = response.headers.get('x-run-id') as string;
    await arrived(receiver, 3);
    expect(receiver.arrivals.map((arrival) => arrival.body)).toEqual([body, body, body]);
    expect(new Set(receiver.arrivals.map(({ key }) => key)).size).toBe(1);
    await until('the delivery to be recorded', async () => (await deliveriesOf(runId))[0]?.status === 'delivered');
    const [{ delivery_id }] = await deliveriesOf(runId);
    const { body: shown } = await app().admin('GET', `/deliveries/${delivery_id}`);
    expect(shown.message.body).toEqual({ text: body, size: body.length, is_truncated: false });
  });

  test('to each of several URLs is retried by itself', async () => {
    const dead = await startWebhookReceiver({ status: () => 500 });
    const alive = await startWebhookReceiver();
    const step = {
      type: 'sluice/forward@v1',
      name: 'to',
      urls: [dead.url, alive.url],
      retry: { max_retries: 1, base_seconds: 0 },
      fire_and_forget: true,
    };
    const response = await fetch(await forwardingSink([step]), { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } });
    const runId = response.headers.get('x-run-id') as string;
    await until('both to be over', async () =>
      (await deliveriesOf(runId)).every(
        ({ next_attempt_at, status }) => next_attempt_at === null && status !== 'sending' && status !== 'queued',
      ),
    );
    expect((await deliveriesOf(runId)).map(({ step, status }) => [step, status]).sort()).toEqual([
      ['to__1', 'failed'],
      ['to__2', 'delivered'],
    ]);
    expect([dead, alive].map(({ arrivals }) => arrivals.map(({ body }) => body))).toEqual([['x', 'x'], ['x']]);
  });

  test('to several URLs gives their outputs as lists', async () => {
    const [first, second] = [await startWebhookReceiver({ status: () => 202 }), await startWebhookReceiver({ status: () => 201 })];
    const steps = [
      { type: 'sluice/set@v1', name: 'address', values: { url: first.url } },
      { type: 'sluice/forward@v1', name: 'to', urls: ['$steps.address.url', second.url], ...atOnce },
      { type: 'sluice/set@v1', name: 'after', values: { all: '$steps.to.status', last: '$steps.to.status.1' } },
    ];
    const outputs = [
      { type: 'JsonField', name: 'statuses', selector: '$steps.to.status' },
      { type: 'JsonField', name: 'all', selector: '$steps.after.all' },
      { type: 'JsonField', name: 'last', selector: '$steps.after.last' },
    ];
    const response = await fetch(await forwardingSink(steps, {}, outputs), { method: 'POST', body: 'x' });
    expect(await response.json()).toMatchObject({ output: { statuses: [202, 201], all: [202, 201], last: 201 } });
  });

  test('that the step waits for fails the run if it is not accepted', async () => {
    const receiver = await startWebhookReceiver({ status: () => 404 });
    const response = await fetch(await forwardingSink([forwardTo(receiver.url, atOnce)]), { method: 'POST' });
    expect(await response.json()).toMatchObject({
      status: 'failed',
      error: { code: 'delivery_failed', message: 'the receiver answered 404 Not Found' },
    });
  });

  test.each(['http://169.254.169.254/latest', 'http://[::1]:1/', 'http://10.0.0.1/', 'http://0/'])(
    'to %s is refused by the address guard',
    async (target) => {
      const response = await fetch(await forwardingSink([forwardTo(target, atOnce)]), { method: 'POST', body: 'x' });
      const { status, error } = (await response.json()) as { status: string; error: { code: string; message: string } };
      expect([status, error.code]).toEqual(['failed', 'delivery_failed']);
      expect(error.message).toMatch(/not allowed|outbound|private|address/i);
    },
  );
});
