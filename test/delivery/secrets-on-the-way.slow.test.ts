// Secrets of the environment on their way through a whole server: the receiver gets them, and nobody else ever does, not
// even from what the receiver sends back; text that only looks like a secret's stand-in stays text.

import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { allFrames } from '../support/event-stream.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';

interface Received {
  target: string;
  headers: Record<string, string>;
  body: string;
}

interface EchoReceiver {
  url: string;
  received: Received[];
}

type Answer = (request: Received) => { status?: number; headers?: Record<string, string>; body: string };

/** As a debugging endpoint or an error page does: all that came, in the head and in the body, escaped in every way. */
const echo: Answer = ({ target, headers, body }) => {
  const all = `${target}\n${Object.values(headers).join('\n')}\n${body}`;
  const escaped = [all, JSON.stringify({ target, headers, body }), encodeURIComponent(all), decodeURIComponent(target), all.toUpperCase()];
  return { headers: { 'x-target': target, 'x-authorization': headers['authorization'] ?? 'none' }, body: escaped.join('\n') };
};

async function startEcho(answer: Answer = echo): Promise<EchoReceiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const seen = { target: request.url as string, headers: request.headers as Record<string, string>, body: String(await buffer(request)) };
    received.push(seen);
    const { status = 200, headers = {}, body } = await answer(seen);
    response.writeHead(status, headers).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

const SIGNING_KEY = Buffer.from('canary of the signing key');

const secretsFor = (url: string): Record<string, string> => ({
  SECRET_HEADER: 'Bearer header-canary "q" \\ & <b>',
  SECRET_QUERY: 'query canary/+&="\\',
  SECRET_JSON: 'json-canary "quoted" \\back/ größe €',
  SECRET_FORM: 'form canary+&=%41 ü',
  SECRET_PART: 'part-canary\r\nsecond line',
  SECRET_URL: `${url}/services/T0CANARY/B1CANARY?token=url-canary`,
  SECRET_CREDENTIALS: `http://user-canary:password-canary@${new URL(url).host}/basic`,
  SECRET_SIGNING: `whsec_${SIGNING_KEY.toString('base64')}`,
});

/** Parts of the secrets that are enough to know that one of them came through, however it was escaped. */
const CANARIES = ['canary', 'Canary', 'CANARY/', '/T0', 'B1CANARY', SIGNING_KEY.toString('base64'), SIGNING_KEY.toString('hex')];
CANARIES.push(Buffer.from('user-canary:password-canary').toString('base64'));

const store = (...names: string[]) => ({
  type: 'roboflow_core/environment_secrets_store@v1',
  name: 'secrets',
  variables_storing_secrets: names,
});

const webhook = (name: string, url: string, properties: object = {}) => ({
  type: 'roboflow_core/webhook_sink@v1',
  name,
  method: 'POST',
  url,
  fire_and_forget: false,
  cooldown_seconds: 0,
  ...properties,
});

const outputsOf = (steps: string[]) =>
  steps.flatMap((step) =>
    ['message', 'response_body', 'error_status'].map((output) => ({
      type: 'JsonField',
      name: `${step}_${output}`,
      selector: `$steps.${step}.${output}`,
    })),
  );

async function startWithSecrets(environment: Record<string, string>, allowed = 'SECRET_*'): Promise<TestApp> {
  return await startTestApp({ settings: { outbound_allow: '127.0.0.0/8', secrets_allow: allowed, log_level: 'trace' }, environment });
}

interface Seen {
  run: any;
  /** All that anybody but the receiver can read of it, by where. */
  places: Record<string, string>;
}

/** Runs the steps once, to the end, and gathers what can be read of the run. */
async function runSteps(app: TestApp, steps: object[], outputs: object[], body: unknown = {}): Promise<Seen> {
  const inputs = [{ type: 'WorkflowParameter', name: 'text', default_value: null }];
  await app.workflow('flow', { inputs, steps, outputs });
  await app.sink({ path: '/flow', workflow_id: 'flow' });
  const response = await fetch(`${app.url}/shop/flow`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const runId = response.headers.get('x-run-id') as string;
  const frames = await allFrames(response);
  const { body: run } = await app.admin('GET', `/runs/${runId}`);
  const { body: list } = await app.admin('GET', `/deliveries?run_id=${runId}`);
  const deliveries = await Promise.all(
    list.deliveries.map(({ delivery_id: id }: { delivery_id: string }) => app.admin('GET', `/deliveries/${id}`)),
  );
  for (const { body: delivery } of deliveries) expect(delivery.attempts).toHaveLength(1);
  const shown = await (await fetch(`${app.url}/runs/${runId}`)).text();
  const files = filesOf(app.dataDir);
  return {
    run,
    places: {
      'the stream': frames.map(({ text }) => text).join('\n'),
      'the run as its caller sees it': shown,
      'the run as the administrator sees it': JSON.stringify(run),
      deliveries: JSON.stringify([list, deliveries]),
      'the log': app.logs.join('\n'),
      ...files,
    },
  };
}

/** Every file of the data directory, as bytes in text. */
function filesOf(dataDir: string): Record<string, string> {
  const paths = (readdirSync(dataDir, { recursive: true }) as string[]).filter((path) => statSync(join(dataDir, path)).isFile());
  return Object.fromEntries(paths.map((path) => [`the file ${path}`, readFileSync(join(dataDir, path)).toString('latin1')]));
}

function expectHidden(places: Record<string, string>, canaries: readonly string[] = CANARIES): void {
  for (const [place, text] of Object.entries(places)) {
    for (const canary of canaries) {
      const at = text.indexOf(canary);
      expect(at === -1 ? null : text.slice(Math.max(0, at - 60), at + 60), `"${canary}" in ${place}`).toBeNull();
    }
  }
}

describe('a secret', () => {
  test('in header, query, JSON, form, file, address or signature reaches the receiver, and nobody else, though it is echoed', async () => {
    const { url, received } = await startEcho();
    const secrets = secretsFor(url);
    const app = await startWithSecrets(secrets);
    const steps = [
      store(...Object.keys(secrets)),
      webhook('plain', `${url}/plain`, {
        headers: { authorization: '$steps.secrets.secret_header' },
        query_parameters: { key: '$steps.secrets.secret_query' },
        json_payload: { auth: '$steps.secrets.secret_json' },
        signing_secret: '$steps.secrets.secret_signing',
      }),
      webhook('form', `${url}/form`, { form_data: { auth: '$steps.secrets.secret_form' } }),
      webhook('file', `${url}/file`, { multi_part_encoded_files: { auth: '$steps.secrets.secret_part' } }),
      webhook('address', '$steps.secrets.secret_url', { query_parameters: { more: 'yes' } }),
      webhook('basic', '$steps.secrets.secret_credentials'),
    ];
    const all = Object.keys(secrets).map((name) => ({ type: 'JsonField', name, selector: `$steps.secrets.${name.toLowerCase()}` }));
    const names = ['plain', 'form', 'file', 'address', 'basic'];
    const { run, places } = await runSteps(app, steps, [...outputsOf(names), ...all]);

    expect(run.status, app.logs.filter((line) => line.includes('"err"')).join('\n')).toBe('completed');
    for (const name of names) expect(run.output[`${name}_error_status`], name).toBe(false);
    const [plain, form, file, address, basic] = ['/plain', '/form', '/file', '/services', '/basic'].map((path) =>
      received.find(({ target }) => target.startsWith(path)),
    ) as [Received, Received, Received, Received, Received];
    expect(plain.headers['authorization']).toBe(secrets['SECRET_HEADER']);
    expect(new URL(plain.target, url).searchParams.get('key')).toBe(secrets['SECRET_QUERY']);
    expect(JSON.parse(plain.body)).toEqual({ auth: secrets['SECRET_JSON'] });
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = plain.headers;
    expect(signature).toBe(`v1,${createHmac('sha256', SIGNING_KEY).update(`${id}.${at}.${plain.body}`).digest('base64')}`);
    expect(new URLSearchParams(form.body).get('auth')).toBe(secrets['SECRET_FORM']);
    expect(file.body).toContain(`\r\n\r\n${secrets['SECRET_PART']}\r\n--`);
    expect(file.headers['content-length']).toBe(String(Buffer.byteLength(file.body)));
    expect(address.target).toBe('/services/T0CANARY/B1CANARY?token=url-canary&more=yes');
    expect(basic.headers['authorization']).toBe(`Basic ${Buffer.from('user-canary:password-canary').toString('base64')}`);

    expectHidden(places);
    expect(run.output['SECRET_HEADER']).toBe('********');
    expect(run.output['plain_response_body']).toContain('********');
    await app.close();
    expectHidden({ ...filesOf(app.dataDir), 'the log': app.logs.join('\n') });
  });

  test('that the receiver spreads over the end of what is read of its answer is hidden to its last piece', async () => {
    const secret = 'canary-0123456789-0123456789-0123456789';
    const { url } = await startEcho(({ headers }) => ({ body: `${'x'.repeat(16_384 - 20)}${headers['authorization']} and more` }));
    const app = await startWithSecrets({ SECRET_HEADER: secret });
    const hook = webhook('hook', url, { headers: { authorization: '$steps.secrets.secret_header' } });
    const { run, places } = await runSteps(app, [store('SECRET_HEADER'), hook], outputsOf(['hook']));
    expect(run.output.hook_response_body).toMatch(/^x{16364}\*{8}$/);
    expectHidden(places);
  });

  test.each([
    ['500', { status: 500 }],
    ['404', { status: 404 }],
  ])('does not show in the words of a failure: %s', async (status, answer) => {
    const { url } = await startEcho(({ target }) => ({ ...answer, body: `Cannot POST ${target}`, headers: { 'x-path': target } }));
    const secrets = secretsFor(url);
    const app = await startWithSecrets(secrets);
    const steps = [store('SECRET_URL', 'SECRET_QUERY'), webhook('hook', '$steps.secrets.secret_url')];
    const { run, places } = await runSteps(app, steps, outputsOf(['hook']));
    expect(run.output).toMatchObject({ hook_error_status: true, hook_message: expect.stringContaining(status) });
    expectHidden(places);
  });

  test('that is an address which cannot be reached, read or allowed is told of without it', async () => {
    const addresses = {
      SECRET_A: 'http://127.0.0.1:1/T0CANARY',
      SECRET_B: 'canary is no address',
      SECRET_C: 'http://10.0.0.1/T0CANARY',
      SECRET_D: 'ftp://127.0.0.1/T0CANARY',
    };
    const app = await startWithSecrets(addresses);
    const names = Object.keys(addresses);
    const hooks = names.map((name) => webhook(name, `$steps.secrets.${name.toLowerCase()}`));
    const { run, places } = await runSteps(app, [store(...names), ...hooks], outputsOf(names));
    expect(run.status).toBe('completed');
    expect(names.map((name) => run.output[`${name}_error_status`])).toEqual([true, true, true, true]);
    expectHidden(places);
  });

  test('that the operator does not allow is null, and what needs it is skipped', async () => {
    const { url, received } = await startEcho();
    const app = await startWithSecrets({ SECRET_HEADER: 'canary', OTHER: 'canary' }, 'OTHER');
    const hook = webhook('hook', url, { headers: { authorization: '$steps.secrets.secret_header' } });
    const { run, places } = await runSteps(app, [store('SECRET_HEADER'), hook], outputsOf(['hook']));
    expect(run).toMatchObject({ status: 'completed', output: { hook_message: null } });
    expect(received).toEqual([]);
    expectHidden(places);
  });
});

describe('what only stands for a secret', () => {
  const secret = 'canary-of-the-environment';
  const steps = (url: string) => [
    store('SECRET_HEADER'),
    webhook('first', `${url}/first`, {
      headers: { authorization: '$steps.secrets.secret_header' },
      query_parameters: { q: '$inputs.text' },
    }),
    webhook('second', `${url}/second`, {
      headers: { 'x-text': '$inputs.text' },
      json_payload: { given: '$inputs.text', answered: '$steps.first.response_body' },
      multi_part_encoded_files: {},
    }),
  ];

  /** As nobody but somebody with the database can read it. */
  function placeholderIn(app: TestApp): string {
    const found = Object.values(filesOf(app.dataDir)).flatMap((text) => text.match(/sluice-secret\.SECRET_HEADER\.[0-9a-f]{32}/g) ?? []);
    expect(found.length).toBeGreaterThan(0);
    return found.at(-1) as string;
  }

  test("in a caller's text is sent as the text that it is: made up, or of another run", async () => {
    const { url, received } = await startEcho(() => ({ body: 'thanks' }));
    const app = await startWithSecrets({ SECRET_HEADER: secret });
    const madeUp = `sluice-secret.SECRET_HEADER.${'0'.repeat(32)}`;
    await runSteps(app, steps(url), [], { text: madeUp });
    const ofAnother = placeholderIn(app);
    const again = await fetch(`${app.url}/shop/flow`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: ofAnother }),
    });
    expect((await allFrames(again)).at(-1)?.data.type).toBe('complete');
    const seen = received.map(({ target, headers, body }) => [target, headers['x-text'], body === '{}' ? '' : JSON.parse(body).given]);
    expect(seen).toEqual([
      [`/first?q=${madeUp}`, undefined, ''],
      ['/second', madeUp, madeUp],
      [`/first?q=${ofAnother}`, undefined, ''],
      ['/second', ofAnother, ofAnother],
    ]);
    expect(received.map(({ headers }) => headers['authorization'] ?? null)).toEqual([secret, null, secret, null]);
  });

  test('in the answer of a receiver that got to know it is not put into what the run sends next', async () => {
    const { url, received } = await startEcho(({ target }) => ({ body: target.startsWith('/first') ? placeholderIn(app) : 'thanks' }));
    const app = await startWithSecrets({ SECRET_HEADER: secret });
    const { run } = await runSteps(app, steps(url), outputsOf(['first']), { text: 'x' });
    expect(run.status).toBe('completed');
    expect(received.map(({ body }) => body)).toEqual(['{}', '{"given": "x", "answered": "********"}']);
  });

  test('as the address to send to is refused, in words', async () => {
    const app = await startWithSecrets({ SECRET_HEADER: secret });
    const text = `sluice-secret.SECRET_HEADER.${'0'.repeat(32)}`;
    const { run } = await runSteps(app, [webhook('hook', '$inputs.text')], outputsOf(['hook']), { text });
    expect(run.output).toMatchObject({ hook_error_status: true, hook_message: expect.stringContaining('the URL cannot be read') });
  });
});
