// `sluice listen --from SINK --forward TARGET`: the requests of a sink at a local server, live, and again when asked for.

import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { ExitError, INTERRUPTED } from '../../src/cli/exit-error.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { adminOf, type CliResult, sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const app = shareApp();
let sinks = 0;

/** Creates a public sink. Returns its app and path, and its URL without a wildcard. */
async function addSink(fields: object = {}, on: TestApp = app()): Promise<{ name: string; url: string; id: string }> {
  sinks += 1;
  const sink = await on.sink({ path: `/in-${sinks}/*`, method: 'ANY', response: 'accept', ...fields });
  return { name: `shop${sink.path}`, url: sink.url.replace(/\/\*$/, ''), id: sink.id };
}

interface Listening {
  stdout(): string;
  stderr(): string;
  type(text: string): void;
  ended: Promise<CliResult>;
  stop(): Promise<CliResult>;
}

/** Resolves once it is ready. */
async function listenFrom(from: string, target: string, args: string[] = [], on: TestApp = app()): Promise<Listening> {
  const controller = new AbortController();
  const stdin = new PassThrough();
  const shown = { stdout: '', stderr: '' };
  const ended = sluice(['listen', '--from', from, '--forward', target, ...args], {
    environment: adminOf(on),
    stdin,
    interruption: controller.signal,
    onStdout: (stdout) => void Object.assign(shown, { stdout }),
    onStderr: (stderr) => void Object.assign(shown, { stderr }),
  });
  const stop = (): Promise<CliResult> => {
    controller.abort(new ExitError('', INTERRUPTED));
    return ended;
  };
  onTestEnd(async () => void (await stop()));
  await until('it to be ready', async () => {
    const early = await Promise.race([ended, Promise.resolve(null)]);
    if (early !== null) throw new Error(early.stderr);
    return shown.stderr.includes('passing requests on');
  });
  return { stdout: () => shown.stdout, stderr: () => shown.stderr, type: (text) => void stdin.write(text), ended, stop };
}

const linesOf = (listening: Listening): string[] =>
  listening
    .stdout()
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');
const linesShown = (listening: Listening, count: number): Promise<unknown> =>
  until(`${count} lines`, () => linesOf(listening).length >= count);
const steady = (line: string): string => line.replace(/after \d+ ms/, 'after … ms').replace(/run_\w+/, 'run_…');
const bodiesOf = ({ arrivals }: WebhookReceiver): string[] => arrivals.map(({ body }) => body);

describe('a request', () => {
  test('comes with its method, rest of the path, query, headers and bytes, and each is a line', async () => {
    const receiver = await startWebhookReceiver({ status: ({ body }) => (body === 'bad' ? 500 : 201) });
    const { name, url } = await addSink();
    await fetch(`${url}/before`, { method: 'POST', body: 'before' });
    const listening = await listenFrom(name, String(receiver.port));
    const headers = { 'content-type': 'application/json', 'x-github-event': 'push', authorization: 'Bearer hidden' };
    await fetch(`${url}/a/b%20c?x=1&x=%2B`, { method: 'PUT', headers, body: '{ "n": 1.0 }' });
    await fetch(`${url}/x`, { method: 'GET' });
    await fetch(`${url}/x`, { method: 'POST', body: 'bad', headers: { 'content-type': 'text/plain' } });
    await linesShown(listening, 3);
    expect(receiver.arrivals.map(({ target, body }) => [target, body])).toEqual([
      ['/a/b%20c?x=1&x=%2B', '{ "n": 1.0 }'],
      ['/x', ''],
      ['/x', 'bad'],
    ]);
    expect(receiver.arrivals[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-github-event': 'push',
      'content-length': '12',
    });
    expect(receiver.arrivals[0]?.headers).not.toHaveProperty('authorization');
    expect(linesOf(listening).map(steady)).toEqual([
      '#1 PUT /a/b%20c?x=1&x=%2B answered 201 after … ms run_…',
      '#2 GET /x answered 201 after … ms run_…',
      '#3 POST /x answered 500 after … ms run_…',
    ]);
    expect((await listening.stop()).stderr).toMatch(/\n3 requests passed on to http:\/\/127\.0\.0\.1:\d+: 0 again, 0 failed\n$/);
    expect((await listening.ended).code).toBe(0);
  });

  test('may be large, a file, a form, or a multipart form', async () => {
    const receiver = await startWebhookReceiver();
    const { url, id } = await addSink();
    const listening = await listenFrom(id, `http://127.0.0.1:${receiver.port}/base?own=1`);
    const large = `{"large": "${'ü'.repeat(400_000)}"}`;
    await fetch(`${url}/x`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: large });
    await fetch(`${url}/x`, { method: 'POST', headers: { 'content-type': 'image/png' }, body: Uint8Array.of(137, 80, 0, 255) });
    await fetch(`${url}/x`, { method: 'POST', body: new URLSearchParams({ payload: '{"a":1}' }) });
    const form = new FormData();
    form.append('text', 'grün');
    form.append('file', new Blob([Uint8Array.of(0, 255)], { type: 'image/png' }), 'a.png');
    await fetch(`${url}/form`, { method: 'POST', body: form });
    await linesShown(listening, 4);
    const [json, image, urlencoded, multipart] = receiver.arrivals;
    expect(json?.body === large).toBe(true);
    expect(image?.bytes).toEqual(Buffer.of(137, 80, 0, 255));
    expect(urlencoded?.body).toBe('payload=%7B%22a%22%3A1%7D');
    expect(multipart?.target).toBe('/base/form?own=1');
    const type = multipart?.headers['content-type'] as string;
    const received = await new Response(new Uint8Array(multipart?.bytes as Uint8Array), { headers: { 'content-type': type } }).formData();
    expect(received.get('text')).toBe('grün');
    expect(received.get('file')).toMatchObject({ name: 'a.png', size: 2, type: 'image/png' });
  });

  test('is a line that says why when nothing listens, and the next one is passed on', async () => {
    const receiver = await startWebhookReceiver();
    const { name, url } = await addSink();
    await receiver.goAway();
    const listening = await listenFrom(name, String(receiver.port));
    await fetch(`${url}/x`, { method: 'POST', body: '1' });
    await linesShown(listening, 1);
    await receiver.comeBack();
    await fetch(`${url}/x`, { method: 'POST', body: '2' });
    await linesShown(listening, 2);
    expect(linesOf(listening).map(steady)).toEqual([
      `#1 POST /x failed: http://127.0.0.1:${receiver.port}: nothing listens there run_…`,
      '#2 POST /x answered 200 after … ms run_…',
    ]);
    expect(bodiesOf(receiver)).toEqual(['2']);
  });

  test('is a line of JSON with -o json, and ends the command with --count', async () => {
    const receiver = await startWebhookReceiver();
    const { name, url } = await addSink();
    const listening = await listenFrom(name, String(receiver.port), ['-o', 'json', '--count', '1']);
    const response = await fetch(`${url}/x`, { method: 'POST' });
    const { code, stdout } = await listening.ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      number: 1,
      run_id: response.headers.get('x-run-id'),
      is_replay: false,
      method: 'POST',
      path: '/x',
      status: 200,
      error: null,
      duration_ms: expect.any(Number),
    });
  });
});

describe('on the terminal', () => {
  test('r sends the last request again, r N the Nth last, and q quits', async () => {
    const receiver = await startWebhookReceiver();
    const { name, url } = await addSink();
    const listening = await listenFrom(name, String(receiver.port));
    listening.type('r\n');
    await until('a hint', () => listening.stderr().includes('there are only 0 requests to send again'));
    for (const body of ['one', 'two']) await fetch(`${url}/x`, { method: 'POST', body });
    await linesShown(listening, 2);
    listening.type('r');
    listening.type('\nr 2\r\n');
    await linesShown(listening, 4);
    listening.type('what\n');
    await until('a hint', () => listening.stderr().includes('"what" is no command: r, r N, or q'));
    expect(bodiesOf(receiver)).toEqual(['one', 'two', 'two', 'one']);
    expect(linesOf(listening).slice(2).map(steady)).toEqual([
      '#2 again POST /x answered 200 after … ms run_…',
      '#1 again POST /x answered 200 after … ms run_…',
    ]);
    listening.type('q\n');
    expect(await listening.ended).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/\n2 requests passed on to .*: 2 again, 0 failed\n$/),
    });
  });
});

test('a restart of the server loses no request, and none comes twice', { timeout: 30_000 }, async () => {
  const dataDir = tempDir();
  let server = await startTestApp({ dataDir });
  const { port } = new URL(server.url);
  const { name, url } = await addSink({}, server);
  const receiver = await startWebhookReceiver();
  const listening = await listenFrom(name, String(receiver.port), [], server);
  const sent: string[] = [];
  const send = async (): Promise<void> => {
    sent.push(String(sent.length));
    await fetch(`${url}/x`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: sent.at(-1) as string });
  };
  for (let restart = 0; restart < 3; restart += 1) {
    for (let count = 0; count < 5; count += 1) await send();
    await server.close();
    server = await startTestApp({ dataDir, settings: { port } });
    // Before the stream is open again: these come from storage.
    for (let count = 0; count < 5; count += 1) await send();
    await linesShown(listening, sent.length);
  }
  await send();
  await linesShown(listening, sent.length);
  expect(bodiesOf(receiver).toSorted((a, b) => Number(a) - Number(b))).toEqual(sent);
  expect(listening.stderr()).toContain('the stream is lost and is opened again');
});

describe('what cannot be followed', () => {
  test.each<[string[], string]>([
    [['--from', 'shop/x'], '--from needs --forward: the port, or the URL, to pass requests on to'],
    [['--forward', '3000'], '--forward needs --from: the sink whose requests are passed on'],
    [['--token', 'x'], '--token needs --from: the sink whose requests are passed on'],
    [['--from', 'shop/x', '--forward', '0'], '--forward: "0" is neither a port (1 to 65535) nor a URL, such as http://localhost:3000/hook'],
    [['--from', 'shop/x', '--forward', 'localhost:3000'], '--forward: "localhost:3000" is neither a port'],
    [['--from', 'shop x/y', '--forward', '3000'], '--from: "shop x/y" is not a sink; write its URL, or app/path'],
    [['--from', 'shop/x', '--forward', '3000', '--status', '500'], "option '--from <sink>' cannot be used with option '--status <status>'"],
    [['--from', 'shop/x', '--forward', '3000', '--count', '0'], '--count'],
  ])('%j is wrong usage', async (args, message) => {
    const { code, stderr } = await sluice(['listen', ...args], { environment: adminOf(app()) });
    expect([code, stderr.slice(0, `sluice: ${message}`.length)]).toEqual([2, `sluice: ${message}`]);
  });

  test('is a sink that is not there, that several match, or a wrong token', async () => {
    const listen = async (from: string, args: string[] = []): Promise<CliResult> =>
      await sluice(['listen', '--from', from, '--forward', '3000', ...args], { environment: adminOf(app()) });
    expect(await listen('shop/nowhere')).toMatchObject({
      code: 1,
      stderr: 'sluice: --from: no sink is at /shop/nowhere; "sluice sink list" shows all\n',
    });
    await app().sink({ path: '/twice', method: 'POST' });
    await app().sink({ path: '/twice', method: 'GET' });
    expect((await listen('shop/twice')).stderr).toMatch(
      /^sluice: --from: several sinks are at \/shop\/twice; give one of their ids: snk_\w+ \(\w+\), snk_\w+ \(\w+\)\n$/,
    );
    expect(await listen('shop/twice', ['--token', 'wrong'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('give it with --token'),
    });
    expect(await listen('shop/twice', ['--url', 'http://127.0.0.1:1'])).toMatchObject({ code: 1 });
  });

  test('but every way to name a sink is', async () => {
    const receiver = await startWebhookReceiver();
    const { name, url, id } = await addSink();
    const path = new URL(url).pathname.replace('/sink/trigger/http', '');
    for (const from of [id, name, path, `${url}/`, `${app().url}${path}`, `${app().url}/api/v1/sink/trigger/http${path}`]) {
      const listening = await listenFrom(from, String(receiver.port), ['--url', app().url]);
      await listening.stop();
    }
  });
});
