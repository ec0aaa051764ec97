// The HTTP Sink document, sentence by sentence: each title quotes what it proves, each command runs as printed.

import { describe, expect, test } from 'vitest';
import { machineClocks } from '../../src/clock.ts';
import { loadConfig } from '../../src/config/config.ts';
import { allFrames } from '../support/event-stream.ts';
import { shareApp } from '../support/shared-app.ts';
import { runShell } from '../support/shell.ts';
import type { TestApp } from '../support/start-app.ts';

const LOCAL_CURL = `curl -X POST "http://localhost:9657/app_abc123/webhook" \\
-H "Content-Type: application/json" \\
-d '{"event": "test", "data": {"key": "value"}}'`;

const DEPLOYED_CURL = `curl -X POST "https://your-domain.com/sink/trigger/http/app_abc123/webhook" \\
-H "Content-Type: application/json" \\
-H "Authorization: Bearer your-auth-token" \\
-d '{"event": "test", "data": {"key": "value"}}'`;

const TOKEN_CURL = `curl -X POST "https://your-domain.com/sink/trigger/http/app_abc123/webhook" \\
-H "Authorization: Bearer your-secret-token" \\
-d '{"data": "payload"}'`;

const FORMS = [
  ['short', ''],
  ['long', '/sink/trigger/http'],
  ['long, under /api/v1,', '/api/v1/sink/trigger/http'],
] as const;

/** The printed command with the server's own address, in one of the forms of the route. */
function addressed(command: string, url: string, prefix: string): string {
  return command.replace(/"https?:\/\/[^"]*?(\/app_abc123[^"]*)"/, (_all, path: string) => `"${url}${prefix}${path}"`);
}

function dataLines(stream: string): string[] {
  return stream.split('\n').filter((line) => line.startsWith('data: '));
}

function lastEvent(stream: string): any {
  return JSON.parse((dataLines(stream).at(-1) as string).slice('data: '.length));
}

async function echoWorkflow(app: TestApp, appId: string): Promise<void> {
  const definition = {
    inputs: [
      { type: 'WorkflowParameter', name: 'event', default_value: null },
      { type: 'WorkflowParameter', name: 'data' },
    ],
    steps: [{ type: 'sluice/set@v1', name: 'seen', values: { event: '$inputs.event', data: '$inputs.data' } }],
    outputs: [
      { type: 'JsonField', name: 'event', selector: '$steps.seen.event' },
      { type: 'JsonField', name: 'data', selector: '$steps.seen.data' },
    ],
  };
  await app.workflow('echo', definition, appId);
}

const app = shareApp({}, async (shared) => {
  await echoWorkflow(shared, 'app_abc123');
  await shared.sink({ path: '/webhook', method: 'POST', workflow_id: 'echo' }, 'app_abc123');
});

let isClockBroken = false;

/** As on a public server: an address of its own, a proxy before it, a rate limit, and a token on its sink. */
const deployed = {
  settings: { base_url: 'https://your-domain.com/', trust_proxy: '127.0.0.1', rate_limit: '20' },
  clocks: {
    ...machineClocks,
    wall: () => {
      if (isClockBroken) throw new Error('no time at all: internal particulars');
      return Date.now();
    },
  },
};

const guarded = shareApp(deployed, async (shared) => {
  // What a request is told the time by is broken, and not what watches the clocks beside it.
  deployed.clocks.wall = Date.now;
  await echoWorkflow(shared, 'app_abc123');
  const auth = { type: 'bearer', tokens: ['your-auth-token', 'your-secret-token'] };
  await shared.sink({ path: '/webhook', method: 'POST', workflow_id: 'echo', auth }, 'app_abc123');
});

const FOUR_STEPS = {
  steps: [1, 2, 3, 4].map((number) => ({
    type: 'sluice/set@v1',
    name: `s${number}`,
    values: { done: number === 1 ? true : `$steps.s${number - 1}.done` },
  })),
  outputs: [{ type: 'JsonField', name: 'done', selector: '$steps.s4.done' }],
};

describe('overview', () => {
  test('"The HTTP sink allows you to trigger workflow executions via standard HTTP requests."', async () => {
    const response = await fetch(`${app().url}/app_abc123/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"data":1}',
    });
    const frames = await allFrames(response);
    const { body } = await app().admin('GET', `/runs/${response.headers.get('x-run-id')}`);
    expect(frames.at(-1)?.data.output).toEqual({ event: null, data: 1 });
    expect(body).toMatchObject({ workflow_id: 'echo', status: 'completed' });
  });

  test('"This is the most flexible sink type, supporting any HTTP method and custom paths."', async () => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      await app().sink({ path: `/any/custom-path.v1/${method}`, method }, 'app_abc123');
      const response = await fetch(`${app().url}/app_abc123/any/custom-path.v1/${method}`, { method });
      expect(response.status, method).toBe(200);
      expect((await allFrames(response)).at(-1)?.data.type, method).toBe('complete');
    }
  });

  test('"POST/GET/PATCH/DELETE /sink/trigger/http/{app_id}/{path}"', async () => {
    for (const method of ['POST', 'GET', 'PATCH', 'DELETE']) {
      await app().sink({ path: '/verbs', method }, 'app_abc123');
      const response = await fetch(`${app().url}/sink/trigger/http/app_abc123/verbs`, { method });
      expect(response.status, method).toBe(200);
      expect((await allFrames(response)).at(-1)?.data.output, method).toEqual({ received: true });
    }
  });

  test('"app_id: Your application’s unique identifier"', async () => {
    await app().sink({ path: '/same-path', method: 'POST' }, 'first_app');
    await app().sink({ path: '/same-path', method: 'POST' }, 'second_app');
    const response = await fetch(`${app().url}/second_app/same-path`, { method: 'POST' });
    await allFrames(response);
    const { body } = await app().admin('GET', `/runs/${response.headers.get('x-run-id')}`);
    expect(body.app_id).toBe('second_app');
    expect((await fetch(`${app().url}/third_app/same-path`, { method: 'POST' })).status).toBe(404);
  });

  test('"path: Custom path you configure (must start with /)"', async () => {
    const refused = await app().admin('POST', '/apps/app_abc123/sinks', { path: 'webhook2', method: 'POST' });
    expect(refused.status).toBe(400);
    expect(refused.body.error.message).toContain('path: must start with "/"');
  });
});

describe('configuration', () => {
  test('"path | string | URL path for the endpoint (e.g., /webhook) | Yes"', async () => {
    const refused = await app().admin('POST', '/apps/app_abc123/sinks', { method: 'POST' });
    expect(refused.status).toBe(400);
    expect(refused.body.error.message).toContain('field "path" is missing');
    const wrong = await app().admin('POST', '/apps/app_abc123/sinks', { path: 7, method: 'POST' });
    expect(wrong.body.error.message).toContain('path: must be string');
  });

  test('"method | string | HTTP method (POST, GET, etc.) | Yes"', async () => {
    const refused = await app().admin('POST', '/apps/app_abc123/sinks', { path: '/no-method' });
    expect(refused.status).toBe(400);
    expect(refused.body.error.message).toContain('field "method" is missing');
    const wrong = await app().admin('POST', '/apps/app_abc123/sinks', { path: '/no-method', method: 'FETCH' });
    expect(wrong.body.error.message).toContain('method: must be one of "GET", "POST", "PUT", "PATCH", "DELETE", "ANY"');
  });

  test('"auth_token | string | Optional Bearer token for authentication | No"', async () => {
    expect(await app().sink({ path: '/without-token', method: 'POST' }, 'app_abc123')).toMatchObject({ auth: 'none', public: true });
    const created = await app().sink({ path: '/with-token', method: 'POST', auth_token: 'tok-1' }, 'app_abc123');
    expect(created).toMatchObject({ auth: 'bearer', public: false });
    expect(JSON.stringify(created)).not.toContain('tok-1');
  });
});

describe('local development', () => {
  test('"When running locally, the desktop app exposes an HTTP server on port 9657: http://localhost:9657/{app_id}{path}"', () => {
    const { host, port } = loadConfig({ flags: {}, environment: {}, file: {} });
    expect({ host, port }).toEqual({ host: '127.0.0.1', port: 9657 });
  });

  for (const [form, prefix] of FORMS) {
    test(`the printed command streams the run on the ${form} form: ${LOCAL_CURL}`, async () => {
      const { code, stdout } = await runShell(addressed(LOCAL_CURL, app().url, prefix));
      expect(code).toBe(0);
      expect(lastEvent(stdout)).toMatchObject({ type: 'complete', output: { event: 'test', data: { key: 'value' } } });
    });
  }
});

describe('production', () => {
  test('"When deployed to a server, the endpoint is publicly accessible: https://your-domain.com/sink/trigger/http/{app_id}{path}"', async () => {
    const sink = await guarded().sink({ path: '/public', method: 'POST' }, 'app_abc123');
    expect(sink.url).toBe('https://your-domain.com/sink/trigger/http/app_abc123/public');
    const { pathname } = new URL(sink.url);
    expect((await fetch(guarded().url + pathname, { method: 'POST' })).status).toBe(200);
  });

  for (const [form, prefix] of FORMS) {
    test(`the printed command streams the run on the ${form} form: ${DEPLOYED_CURL}`, async () => {
      const { code, stdout } = await runShell(addressed(DEPLOYED_CURL, guarded().url, prefix));
      expect(code).toBe(0);
      expect(lastEvent(stdout)).toMatchObject({ type: 'complete', output: { event: 'test', data: { key: 'value' } } });
    });
  }
});

describe('authentication', () => {
  for (const [form, prefix] of FORMS) {
    test(`the printed command streams the run on the ${form} form: ${TOKEN_CURL}`, async () => {
      const { code, stdout } = await runShell(addressed(TOKEN_CURL, guarded().url, prefix));
      expect(code).toBe(0);
      expect(lastEvent(stdout)).toMatchObject({ type: 'complete', output: { data: 'payload' } });
    });
  }

  test('"If you configure an auth_token, all requests must include it in the Authorization header"', async () => {
    const { stdout } = await runShell(
      addressed(TOKEN_CURL, guarded().url, '')
        .replace(/-H "Authorization[^\n]*\n/, '')
        .replace('curl', 'curl -i'),
    );
    expect(stdout).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
  });

  test('"Requests without the correct token will receive a 401 Unauthorized response."', async () => {
    const before = (await guarded().admin('GET', '/runs?limit=500')).body.runs.length;
    for (const [, prefix] of FORMS) {
      const command = addressed(TOKEN_CURL, guarded().url, prefix).replace('your-secret-token', 'another-token').replace('curl', 'curl -i');
      const { stdout } = await runShell(command);
      expect(stdout).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
      expect(stdout).toMatch(/\r\nwww-authenticate: Bearer /);
      expect(stdout).toContain('"triggered":false,"run_id":null,"message":');
    }
    expect((await guarded().admin('GET', '/runs?limit=500')).body.runs.length).toBe(before);
  });

  test('"If no auth_token is set, the endpoint is publicly accessible."', async () => {
    await app().sink({ path: '/open', method: 'POST', auth_token: null }, 'app_abc123');
    expect((await fetch(`${app().url}/app_abc123/open`, { method: 'POST' })).status).toBe(200);
  });

  test('"Use this for: Webhooks from third-party services that can’t add custom headers"', async () => {
    const response = await fetch(`${app().url}/app_abc123/webhook?source=provider`, {
      method: 'POST',
      body: new URLSearchParams({ data: 'x' }),
    });
    expect((await allFrames(response)).at(-1)?.data).toMatchObject({ type: 'complete', output: { data: 'x' } });
  });

  test('"Use this for: Development/testing environments"', async () => {
    const response = await fetch(`${app().url}/app_abc123/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer left-over-from-production' },
      body: '{"data":"x"}',
    });
    expect((await allFrames(response)).at(-1)?.data.type).toBe('complete');
  });
});

describe('response', () => {
  test('"The HTTP sink returns a streaming response with execution progress"', async () => {
    await app().workflow('four', FOUR_STEPS, 'app_abc123');
    await app().sink({ path: '/four', method: 'POST', workflow_id: 'four' }, 'app_abc123');
    const response = await fetch(`${app().url}/app_abc123/four`, { method: 'POST' });
    expect(`${response.status} ${response.statusText}`).toBe('200 OK');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const run = response.headers.get('x-run-id');
    expect(run).toMatch(/^run_/);
    const lines = dataLines(await response.text());
    expect(lines).toEqual([
      `data: {"type":"progress","run_id":"${run}","progress":0}`,
      `data: {"type":"progress","run_id":"${run}","progress":25,"step":"s1"}`,
      `data: {"type":"progress","run_id":"${run}","progress":50,"step":"s2"}`,
      `data: {"type":"progress","run_id":"${run}","progress":75,"step":"s3"}`,
      `data: {"type":"progress","run_id":"${run}","progress":100}`,
      `data: {"type":"complete","run_id":"${run}","output":{"done":true}}`,
    ]);
  });

  test('the whole stream is frames of an id line, a data line and a blank line, and nothing else', async () => {
    const response = await fetch(`${app().url}/app_abc123/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"data":[1.0,12345678901234567890]}',
    });
    const run = response.headers.get('x-run-id');
    expect(await response.text()).toBe(
      `id: 1\ndata: {"type":"progress","run_id":"${run}","progress":0}\n\n` +
        `id: 2\ndata: {"type":"progress","run_id":"${run}","progress":100}\n\n` +
        `id: 3\ndata: {"type":"complete","run_id":"${run}","output":{"event":null,"data":[1.0,12345678901234567890]}}\n\n`,
    );
  });

  test('"For non-streaming clients, the final result is included in the last event."', async () => {
    const response = await fetch(`${app().url}/app_abc123/webhook`, { method: 'POST', body: new URLSearchParams({ data: 'last' }) });
    expect(lastEvent(await response.text())).toEqual({
      type: 'complete',
      run_id: response.headers.get('x-run-id'),
      output: { event: null, data: 'last' },
    });
  });
});

describe('examples', () => {
  async function create(json: string): Promise<any> {
    const { status, body } = await app().admin('POST', '/apps/examples/sinks', json);
    expect(status).toBe(201);
    return body;
  }

  test('"Receive webhooks from external services like GitHub, Stripe, or Slack"', async () => {
    const sink = await create(`{
"path": "/github-webhook",
"method": "POST",
"auth_token": null
}`);
    expect(sink).toMatchObject({ app_id: 'examples', path: '/github-webhook', method: 'POST', auth: 'none', workflow_id: null });
    const response = await fetch(`${app().url}/examples/github-webhook`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      },
      body: '{"ref":"refs/heads/main","after":"6113728f27ae82c7b1a177c8d03f9e96e0adf246"}',
    });
    expect((await allFrames(response)).at(-1)?.data.output).toEqual({ received: true });
    const { body } = await app().admin('GET', `/runs/${response.headers.get('x-run-id')}`);
    expect(body.request.headers['x-github-event']).toBe('push');
    expect(JSON.parse(body.request.body)).toMatchObject({ ref: 'refs/heads/main' });
  });

  test('"Create a custom API endpoint for your application"', async () => {
    await create(`{
"path": "/api/v1/process",
"method": "POST",
"auth_token": "secret-api-key"
}`);
    const url = `${app().url}/examples/api/v1/process`;
    expect((await fetch(url, { method: 'POST' })).status).toBe(401);
    const response = await fetch(url, { method: 'POST', headers: { authorization: 'Bearer secret-api-key' } });
    expect((await allFrames(response)).at(-1)?.data.type).toBe('complete');
  });

  test('"Handle form submissions from a website"', async () => {
    await create(`{
"path": "/submit-form",
"method": "POST",
"auth_token": null
}`);
    const response = await fetch(`${app().url}/examples/submit-form`, {
      method: 'POST',
      headers: { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' },
      body: new URLSearchParams([
        ['name', 'Ada'],
        ['topic', 'a'],
        ['topic', 'b'],
      ]),
    });
    expect(response.status).toBe(200);
    await response.text();
    const { body } = await app().admin('GET', `/runs/${response.headers.get('x-run-id')}`);
    expect(body.request).toMatchObject({ content_type: 'application/x-www-form-urlencoded', body: 'name=Ada&topic=a&topic=b' });
  });
});

describe('status codes', () => {
  test('"200 OK | Request accepted, execution started"', async () => {
    const response = await fetch(`${app().url}/app_abc123/webhook`, { method: 'POST', body: new URLSearchParams({ data: 'x' }) });
    expect(response.status).toBe(200);
    const run = response.headers.get('x-run-id');
    await response.body?.cancel();
    expect((await app().admin('GET', `/runs/${run}`)).status).toBe(200);
  });

  test('"401 Unauthorized | Invalid or missing auth token"', async () => {
    const url = `${guarded().url}/app_abc123/webhook`;
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
      const response = await fetch(url, { method: 'POST', headers });
      expect(`${response.status} ${response.statusText}`).toBe('401 Unauthorized');
      expect(await response.json()).toMatchObject({ triggered: false, run_id: null, error: { code: 'unauthorized' } });
    }
  });

  test('"404 Not Found | No matching sink found for path"', async () => {
    for (const [, prefix] of FORMS) {
      const response = await fetch(`${app().url}${prefix}/app_abc123/no-such-path`, { method: 'POST' });
      expect(`${response.status} ${response.statusText}`).toBe('404 Not Found');
      expect(await response.json()).toMatchObject({
        triggered: false,
        run_id: null,
        message: 'no sink found for POST /app_abc123/no-such-path',
        error: { code: 'not_found' },
      });
    }
  });

  test('"500 Internal Server Error | Execution dispatch failed"', async () => {
    const before = (await guarded().admin('GET', '/runs?limit=500')).body.runs.length;
    await guarded().sink({ path: '/dispatch', method: 'POST' }, 'app_abc123');
    isClockBroken = true;
    const response = await fetch(`${guarded().url}/app_abc123/dispatch`, { method: 'POST' });
    isClockBroken = false;
    expect(`${response.status} ${response.statusText}`).toBe('500 Internal Server Error');
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ triggered: false, run_id: null, error: { code: 'dispatch_failed' } });
    expect(text).not.toContain('particulars');
    expect(guarded().logs.join('')).toContain('particulars');
    expect((await guarded().admin('GET', '/runs?limit=500')).body.runs.length).toBe(before);
  });
});

describe('best practices', () => {
  test('"Use descriptive paths: /webhook/github/issues is better than /hook1"', async () => {
    for (const path of ['/webhook/github/issues', '/hook1']) {
      await app().sink({ path, method: 'POST' }, 'app_abc123');
      expect((await fetch(`${app().url}/app_abc123${path}`, { method: 'POST' })).status).toBe(200);
    }
  });

  test('"Enable authentication for production endpoints"', async () => {
    const { id } = await app().sink({ path: '/to-protect', method: 'POST' }, 'app_abc123');
    const { body } = await app().admin('PUT', `/apps/app_abc123/sinks/${id}`, {
      path: '/to-protect',
      method: 'POST',
      auth_token: 'now-on',
    });
    expect(body).toMatchObject({ auth: 'bearer', public: false });
    expect((await fetch(`${app().url}/app_abc123/to-protect`, { method: 'POST' })).status).toBe(401);
    const { body: list } = await app().admin('GET', '/apps/app_abc123/sinks');
    expect(list.sinks.filter((sink: any) => sink.public).length).toBeGreaterThan(0);
  });

  test('"Use HTTPS in production for encrypted communication"', async () => {
    const sink = await guarded().sink({ path: '/behind-proxy', method: 'POST' }, 'app_abc123');
    expect(sink.url).toMatch(/^https:/);
    const response = await fetch(`${guarded().url}/app_abc123/behind-proxy`, {
      method: 'POST',
      headers: { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' },
    });
    await response.text();
    const { body } = await guarded().admin('GET', `/runs/${response.headers.get('x-run-id')}`);
    expect(body.request.client_ip).toBe('203.0.113.9');
  });

  test('"Monitor execution logs to track incoming requests"', async () => {
    const response = await fetch(`${app().url}/app_abc123/webhook`, { method: 'POST', body: new URLSearchParams({ data: 'x' }) });
    const run = response.headers.get('x-run-id');
    await response.text();
    const lines = app().logs.filter((line) => line.includes(run as string));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] as string)).toMatchObject({ level: 'info', run_id: run, app_id: 'app_abc123', status: 'completed' });
  });

  test('"Set up rate limiting at the infrastructure level if needed"', async () => {
    expect(loadConfig({ flags: {}, environment: {}, file: {} }).rateLimit).toBe(0);
    await guarded().sink({ path: '/limited', method: 'POST' }, 'app_abc123');
    const answers = await Promise.all(
      Array.from({ length: 100 }, () =>
        fetch(`${guarded().url}/app_abc123/limited`, { method: 'POST', headers: { prefer: 'respond-async' } }),
      ),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(20);
    for (const { headers } of refused) expect(headers.get('retry-after')).toBe('1');
  });
});
