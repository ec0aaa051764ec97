// sluice/http_request@v1 against real receivers: the request on the wire, its answer as outputs, failures, retries, secrets.

import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { type HttpReceiver, startHttpReceiver } from '../support/http-receiver.ts';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const SECRET = 'key of the "receiver" / größe';
const app = shareApp({
  settings: { outbound_allow: '127.0.0.0/8', secrets_allow: 'RECEIVER_KEY' },
  environment: { RECEIVER_KEY: SECRET, OTHER_KEY: 'not allowed' },
});

const SECRETS = {
  type: 'roboflow_core/environment_secrets_store@v1',
  name: 'secrets',
  variables_storing_secrets: ['RECEIVER_KEY', 'OTHER_KEY'],
};
const OUTPUTS = ['status', 'headers', 'body', 'body_base64', 'is_truncated', 'delivery_id'];
let flows = 0;

interface Ran {
  runId: string;
  status: string;
  output: any;
  error: any;
}

/** Runs one request, after the other steps, in a workflow of its own. */
async function run(
  fields: object,
  { body = {} as unknown, steps = [] as object[], outputs = OUTPUTS.map((name) => [name, `call.${name}`]) } = {},
): Promise<Ran> {
  flows += 1;
  const id = `flow-${flows}`;
  await app().workflow(id, {
    inputs: [{ type: 'WorkflowParameter', name: 'value', default_value: null }],
    steps: [...steps, { type: 'sluice/http_request@v1', name: 'call', ...fields }],
    outputs: outputs.map(([name, selector]) => ({ type: 'JsonField', name, selector: `$steps.${selector}` })),
  });
  await app().sink({ path: `/${id}`, workflow_id: id, response: 'wait' });
  const request: RequestInit =
    body instanceof Uint8Array
      ? { body: new Uint8Array(body), headers: { 'content-type': 'image/png' } }
      : { body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(`${app().url}/shop/${id}`, { method: 'POST', ...request });
  const text = await response.text();
  const { run_id: runId, status, output, error } = JSON.parse(text) as { run_id: string } & Ran;
  return { runId, status, output, error };
}

const receiver = (): Promise<HttpReceiver> => startHttpReceiver(onTestEnd);
const deliveriesOf = async ({ runId }: Ran): Promise<any[]> => (await app().admin('GET', `/deliveries?run_id=${runId}`)).body.deliveries;

describe('the request', () => {
  test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    '%s is sent with an idempotency key and answered',
    async (method) => {
      const { url, received } = await receiver();
      const { runId, status, output } = await run({ url: `${url}/hook?a=1`, method });
      expect(status).toBe('completed');
      expect(output).toMatchObject({ status: 200, body: '', body_base64: null, is_truncated: false });
      expect(received).toMatchObject([{ method, url: '/hook?a=1', body: '' }]);
      expect(received[0]?.headers).toMatchObject({ 'idempotency-key': `${runId}:call`, 'webhook-id': output.delivery_id });
    },
  );

  test('the default is a GET', async () => {
    const { url, received } = await receiver();
    await run({ url });
    expect(received).toMatchObject([{ method: 'GET', url: '/' }]);
  });

  test.each<[string, object, string, string]>([
    ['json', { json: { a: '$inputs.value', b: [1, '$$x'] } }, '{"a":{"price":19.90},"b":[1,"$x"]}', 'application/json'],
    ['null as JSON', { json: null }, 'null', 'application/json'],
    ['a selected JSON value', { json: '$inputs.value' }, '{"price":19.90}', 'application/json'],
    [
      'a form',
      { form: { 'a b': '1&2', list: [1, true, null, 'ü'], none: null } },
      'a+b=1%262&list=1&list=true&list=%C3%BC',
      'application/x-www-form-urlencoded',
    ],
    ['text', { text: 'größe' }, 'größe', 'text/plain; charset=utf-8'],
    ['base64', { base64: 'aGVsbG8=' }, 'hello', 'application/octet-stream'],
    ['text of its own type', { text: '<a/>', headers: { 'content-type': 'application/xml' } }, '<a/>', 'application/xml'],
  ])('the body is %s', async (_what, fields, body, type) => {
    const { url, received } = await receiver();
    const ran = await run({ url, method: 'POST', ...fields }, { body: '{"value":{"price":19.90}}' });
    expect(ran.status).toBe('completed');
    expect(received).toMatchObject([{ body, headers: { 'content-type': type } }]);
  });

  test('the body is a received file, byte by byte, with its type', async () => {
    const { url, arrivals } = await startWebhookReceiver();
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
    const { status } = await run({ url, method: 'PUT', file: '$request.body' }, { body: bytes });
    expect(status).toBe('completed');
    expect(Buffer.from(arrivals[0]?.bytes ?? []).equals(bytes)).toBe(true);
    expect(arrivals[0]?.headers['content-type']).toBe('image/png');
  });

  test('query and headers take values, lists and selectors, and leave out null', async () => {
    const { url, received } = await receiver();
    const fields = {
      query: { q: '$inputs.value', list: [1, 2.5], none: null },
      headers: { 'X-Value': '$inputs.value', 'X-On': true, 'X-None': null },
    };
    await run({ url: `${url}/?a=1#part`, ...fields }, { body: { value: 'a b&' } });
    expect(received[0]?.url).toBe('/?a=1&q=a+b%26&list=1&list=2.5');
    expect(received[0]?.headers).toMatchObject({ 'x-value': 'a b&', 'x-on': 'true' });
    expect(received[0]?.headers).not.toHaveProperty('x-none');
  });

  test.each<[string, object, unknown, string]>([
    [
      'an address that is null',
      { url: '$inputs.value' },
      null,
      'url must be a URL, such as "https://example.org/hook?item=1", or a selector of one',
    ],
    ['an address of another scheme', { url: '$inputs.value' }, 'file:///etc/passwd', 'url must be a URL, such as'],
    ['a header with a line break', { headers: { 'X-A': '$inputs.value' } }, 'a\r\nX-B: c', 'headers.X-A must be one line of Latin-1 text'],
    ['a header that is an object', { headers: { 'X-A': '$inputs.value' } }, {}, 'headers.X-A must be text, a number, true or false'],
    ['a query of objects', { query: { a: '$inputs.value' } }, [{}], 'query.a must be text, a number, true or false'],
    ['a list as text', { method: 'POST', text: '$inputs.value' }, [], 'text must be text, but is []'],
    [
      'text that is not base64',
      { method: 'POST', base64: '$inputs.value' },
      'a!',
      'base64 holds "!" at index 1, which is not a character of base64',
    ],
    [
      'an imitated file',
      { method: 'POST', file: '$inputs.value' },
      { name: 'a', sha256: '0'.repeat(64), size: 1 },
      'file must be a file that came with the request',
    ],
  ])('%s fails the step before anything is sent', async (_what, fields, value, message) => {
    const { url, received } = await receiver();
    const ran = await run({ url, ...fields }, { body: { value } });
    expect(ran).toMatchObject({
      status: 'failed',
      error: { code: 'invalid_setting', message: expect.stringContaining(message), step: 'call' },
    });
    expect(received).toEqual([]);
    expect(await deliveriesOf(ran)).toEqual([]);
  });

  test('an address that is not public fails the step without a connection', async () => {
    const ran = await run({ url: 'http://169.254.169.254/latest/meta-data/' });
    expect(ran).toMatchObject({
      status: 'failed',
      error: { code: 'delivery_failed', message: expect.stringContaining('is not a public address') },
    });
  });
});

describe('the answer', () => {
  async function answered(headers: Record<string, string>, body: string | Uint8Array, fields: object = {}, status = 200): Promise<Ran> {
    const { url, answer } = await receiver();
    answer('/', { status, headers, body });
    return await run({ url, ...fields });
  }

  test.each<[string, string, string, unknown]>([
    ['JSON', 'application/json', '{"a":[1,{"b":null}]}', { a: [1, { b: null }] }],
    ['JSON of a problem', 'application/problem+json; charset=utf-8', '{"title":"é"}', { title: 'é' }],
    ['JSON in text', 'text/plain', '{"a":1}', '{"a":1}'],
    ['invalid JSON', 'application/json', '{"a":', '{"a":'],
    ['JSON nested too deep', 'application/json', '['.repeat(101) + ']'.repeat(101), '['.repeat(101) + ']'.repeat(101)],
    ['JSON with a key of prototypes', 'application/json', '{"__proto__":{"a":1}}', '{"__proto__":{"a":1}}'],
    ['no type', '', 'plain', 'plain'],
    ['a broken type', 'text/plain; charset=a; charset=b', 'plain', 'plain'],
  ])('%s is output by its type', async (_what, type, body, expected) => {
    const { output } = await answered(type === '' ? {} : { 'content-type': type }, body);
    expect(output).toMatchObject({ status: 200, body: expected, body_base64: null, is_truncated: false });
  });

  test('numbers of JSON keep their text up to the output of the run', async () => {
    const { url, answer } = await receiver();
    answer('/', { status: 200, headers: { 'content-type': 'application/json' }, body: '{"id":12345678901234567890,"price":1.50}' });
    const { runId } = await run({ url });
    expect(await (await fetch(`${app().url}/runs/${runId}`)).text()).toContain('{"id":12345678901234567890,"price":1.50}');
  });

  test('text is decoded by its character set, and bytes that are not text are base64', async () => {
    const latin = await answered({ 'content-type': 'text/plain; charset=ISO-8859-1' }, new Uint8Array([0x67, 0xf6]));
    expect(latin.output).toMatchObject({ body: 'gö', body_base64: null });
    for (const type of ['image/png', 'text/plain', 'text/plain; charset=nonsense']) {
      const image = await answered({ 'content-type': type }, new Uint8Array([0x89, 0x50, 0xff]));
      expect(image.output).toMatchObject({ body: null, body_base64: 'iVD/' });
    }
  });

  test('an answer beyond 16 KiB is cut, also within a character, and is text even if it is JSON', async () => {
    const long = await answered({ 'content-type': 'application/json' }, `"a${'ü'.repeat(10_000)}"`);
    expect(long.output).toMatchObject({ is_truncated: true, body: `"a${'ü'.repeat(8191)}` });
    const odd = await answered({ 'content-type': 'text/plain' }, `a${'ü'.repeat(10_000)}`);
    expect(odd.output).toMatchObject({ is_truncated: true, body: `a${'ü'.repeat(8191)}` });
    const whole = await answered({ 'content-type': 'text/plain' }, 'a'.repeat(16_384));
    expect(whole.output).toMatchObject({ is_truncated: false, body: 'a'.repeat(16_384) });
  });

  test('headers have lower-case names, and credentials are left out', async () => {
    const { output } = await answered({ 'X-Page': '2', 'Set-Cookie': 'session=1', 'X-Auth-Token': 'abc', ETag: '"x"' }, '');
    expect(output.headers).toMatchObject({ 'x-page': '2', etag: '"x"' });
    expect(Object.keys(output.headers).filter((name) => /cookie|token/.test(name))).toEqual([]);
  });

  test('later steps select from it at any depth', async () => {
    const { url, answer } = await receiver();
    answer('/', { status: 201, headers: { 'content-type': 'application/json', location: '/items/7' }, body: '{"items":[{"id":7}]}' });
    const { output } = await run(
      { url, method: 'POST' },
      {
        outputs: [
          ['id', 'call.body.items.0.id'],
          ['location', 'call.headers.location'],
          ['status', 'call.status'],
        ],
      },
    );
    expect(output).toEqual({ id: 7, location: '/items/7', status: 201 });
  });

  test.each([301, 304, 400, 404, 410, 500, 503])('%i fails the step, and completes it if it is accepted', async (status) => {
    const refused = await answered({ location: '/elsewhere' }, '', {}, status);
    expect(refused).toMatchObject({
      status: 'failed',
      error: { code: 'delivery_failed', message: expect.stringMatching(`^the receiver answered ${status} `) },
    });
    expect(await deliveriesOf(refused)).toMatchObject([{ status: 'failed' }]);
    const retry = { max_retries: 3, base_seconds: 0 };
    const accepted = await answered({}, '', { accept_statuses: [status], retry }, status);
    expect(accepted).toMatchObject({ status: 'completed', output: { status } });
    expect(await deliveriesOf(accepted)).toMatchObject([{ status: 'delivered', attempt_count: 1 }]);
  });

  test('a failed request continues at on_failure', async () => {
    const { url, answer } = await receiver();
    answer('/', { status: 404 });
    const after = { type: 'sluice/set@v1', name: 'after', values: { why: '$steps.call.error.message' } };
    const { output } = await run({ url, on_failure: ['$steps.after'] }, { steps: [after], outputs: [['why', 'after.why']] });
    expect(output).toEqual({ why: 'the receiver answered 404 Not Found' });
  });

  test('a broken connection and silence fail the step', async () => {
    const { url, goAway } = await startWebhookReceiver();
    await goAway();
    expect(await run({ url })).toMatchObject({
      status: 'failed',
      error: { code: 'delivery_failed', message: expect.stringContaining('ECONNREFUSED') },
    });
    const silent = await startWebhookReceiver({ wait: () => new Promise(() => undefined) });
    const ran = await run({ url: silent.url, timeout_seconds: 0.05 });
    expect(ran.error).toMatchObject({ code: 'delivery_failed', message: 'no answer in time (headers)' });
  });

  test('a failed attempt is repeated with the same key as retry says', async () => {
    const statuses = [503, 503, 200];
    const { url, arrivals } = await startWebhookReceiver({ status: () => statuses.shift() ?? 500, body: 'at last' });
    const ran = await run({ url, method: 'POST', json: 1, retry: { max_retries: 2, base_seconds: 0 } });
    expect(ran).toMatchObject({ status: 'completed', output: { body: 'at last' } });
    expect(new Set(arrivals.map(({ key, body }) => `${key} ${body}`))).toEqual(new Set([`${ran.runId}:call 1`]));
    expect(arrivals).toHaveLength(3);
  });
});

describe('secrets', () => {
  const mac = (algorithm: string, text: string, encoding: 'hex' | 'base64' | 'base64url'): string =>
    createHmac(algorithm, SECRET).update(text).digest(encoding);

  test.each(['sha1', 'sha256', 'sha512'] as const)('the body is signed with HMAC-%s when it is sent', async (algorithm) => {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      const { url, received } = await receiver();
      const hmac = { header: 'X-Signature', secret: '$steps.secrets.receiver_key', algorithm, encoding, prefix: `${algorithm}=` };
      const ran = await run({ url, method: 'POST', json: { a: 1 }, hmac }, { steps: [SECRETS] });
      expect(ran.status).toBe('completed');
      expect(received[0]?.headers['x-signature']).toBe(`${algorithm}=${mac(algorithm, '{"a":1}', encoding)}`);
    }
  });

  test('a received file, no body and a text of its own are signed too', async () => {
    const hmac = { header: 'X-Signature', secret: '$steps.secrets.receiver_key' };
    const { url, received } = await receiver();
    await run({ url, method: 'PUT', file: '$request.body', hmac }, { steps: [SECRETS], body: new Uint8Array(Buffer.from('a file')) });
    await run({ url, hmac }, { steps: [SECRETS] });
    await run({ url, hmac: { ...hmac, text: '$inputs.value' } }, { steps: [SECRETS], body: { value: 'v0:1:größe' } });
    const signatures = received.map(({ headers }) => headers['x-signature']);
    expect(signatures).toEqual(['a file', '', 'v0:1:größe'].map((text) => mac('sha256', text, 'hex')));
  });

  test('neither the secret nor its HMAC is stored, and an echo of the secret is hidden', async () => {
    const { url, received, answer } = await receiver();
    answer('/', { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ you_sent: SECRET }) });
    const hmac = { header: 'X-Signature', secret: '$steps.secrets.receiver_key' };
    const ran = await run({ url, method: 'POST', json: { key: '$steps.secrets.receiver_key' }, hmac }, { steps: [SECRETS] });
    expect(received[0]?.body).toBe(JSON.stringify({ key: SECRET }));
    const signature = mac('sha256', received[0]?.body as string, 'hex');
    expect(received[0]?.headers['x-signature']).toBe(signature);
    const [{ delivery_id: id }] = await deliveriesOf(ran);
    const delivery = (await app().admin('GET', `/deliveries/${id}`)).body;
    expect(delivery.message.is_signed).toBe(true);
    const shown = JSON.stringify([ran, delivery, (await app().admin('GET', `/runs/${ran.runId}`)).body, app().logs]);
    for (const hidden of ['key of the', signature, 'sluice-secret']) expect(shown).not.toContain(hidden);
    expect(ran.output.body).toEqual({ you_sent: '********' });
  });

  test.each(['application/json', 'application/vnd.api+json; charset=utf-8', 'Application/JSON'])(
    'a secret is escaped in a body of %s',
    async (type) => {
      const { url, received } = await receiver();
      const fields = { method: 'POST', headers: { 'Content-Type': type }, json: { key: '$steps.secrets.receiver_key' } };
      await run({ url, ...fields }, { steps: [SECRETS] });
      expect(JSON.parse(received[0]?.body as string)).toEqual({ key: SECRET });
    },
  );

  test('a failed request that is retried by hand is signed again, and still accepts its statuses', async () => {
    const { url, received, answer } = await receiver();
    answer('/', { status: 500 });
    const hmac = { header: 'X-Signature', secret: '$steps.secrets.receiver_key' };
    const ran = await run({ url, method: 'POST', json: 1, hmac, accept_statuses: [404] }, { steps: [SECRETS] });
    expect(ran.status).toBe('failed');
    const [{ delivery_id: id }] = await deliveriesOf(ran);
    answer('/', { status: 404 });
    await app().admin('POST', `/deliveries/${id}/retry`);
    await until('the retry', async () => (await deliveriesOf(ran))[0].status === 'delivered');
    expect(received.map(({ headers }) => headers['x-signature'])).toEqual([mac('sha256', '1', 'hex'), mac('sha256', '1', 'hex')]);
  });

  test.each<[string, object, string]>([
    ['is not allowed', { secret: '$steps.secrets.other_key' }, 'the secret is not set, or SLUICE_SECRETS_ALLOW does not name it'],
    ['is a value of the run', { secret: '$inputs.value' }, 'it selects another value'],
  ])('a key that %s signs nothing', async (_what, fields, reason) => {
    const { url, received } = await receiver();
    const hmac = { header: 'X-Signature', ...fields };
    const ran = await run({ url, hmac }, { steps: [SECRETS], body: { value: 'a known key' } });
    expect(ran.error).toMatchObject({
      code: 'invalid_setting',
      message: `hmac.secret must select an output of environment_secrets_store, but ${reason}`,
    });
    expect(received).toEqual([]);
  });

  test('text that only looks like a placeholder signs nothing', async () => {
    const { url, received } = await receiver();
    const value = `sluice-secret.RECEIVER_KEY.${'0'.repeat(32)}`;
    const ran = await run({ url, hmac: { header: 'X-Signature', secret: '$inputs.value' } }, { body: { value } });
    expect(ran.error).toMatchObject({ code: 'delivery_failed', message: 'the secret of the HMAC is empty or no longer set' });
    expect(received).toEqual([]);
  });
});
