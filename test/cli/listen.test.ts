// `sluice listen`: what it prints of what arrives, how it fails when told to, and how it ends.

import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { beginSignature, finishSignature, readSigningSecret } from '../../src/delivery/http/signature.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { startListener } from '../support/listener.ts';
import { sendRaw } from '../support/raw-http.ts';
import { sluice } from '../support/run-cli.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** Digests and times differ from run to run. */
function steady(text: string): string {
  return text
    .replaceAll(/sha256 [0-9a-f]{12}/g, 'sha256 …')
    .replaceAll(/after \d+ ms/g, 'after … ms')
    .replaceAll(/^ {4}(?:host|connection|accept|accept-language|sec-fetch-mode|user-agent|accept-encoding|content-length): .*\n/gim, '');
}

async function shownFor(request: RequestInit & { path?: string }, args: string[] = [], environment = {}): Promise<string> {
  const { url, ended } = await startListener(['--count', '1', ...args], { environment });
  await fetch(url + (request.path ?? '/'), { method: 'POST', ...request }).catch(() => undefined);
  return steady((await ended).stdout);
}

describe('what arrives', () => {
  test('is shown with its query, headers, body and answer; credentials are masked', async () => {
    const headers = {
      authorization: 'Bearer very-secret',
      cookie: 'session=hidden; lang=de',
      'content-type': 'application/json',
    };
    const shown = await shownFor({ path: '/hooks/a?b=1&c=%C3%A9', headers, body: '{"id":12345678901234567890,"none":[ ],"list":[1.0]}' });
    expect(shown).toBe(
      [
        '#1 POST /hooks/a from 127.0.0.1',
        '    query        b = 1',
        '    query        c = é',
        '    authorization: Bearer ***',
        '    cookie: session=***; lang=***',
        '    content-type: application/json',
        '    signature    none',
        '    body         JSON, 51 bytes, sha256 …',
        '      {',
        '        "id": 12345678901234567890,',
        '        "none": [],',
        '        "list": [',
        '          1.0',
        '        ]',
        '      }',
        '    answered     200 after … ms',
        '',
        '',
      ].join('\n'),
    );
  });

  test('as a form is shown field by field', async () => {
    expect(await shownFor({ body: new URLSearchParams({ event: 'paid', note: 'a & b' }) })).toContain(
      'body         form, 23 bytes, sha256 …\n      event = paid\n      note = a & b\n',
    );
  });

  test('as a multipart form is shown part by part, images with their size in pixels', async () => {
    const png = await sharp({ create: { width: 64, height: 48, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const form = new FormData();
    form.append('event', 'taken');
    form.append('image', new Blob([png], { type: 'image/png' }), 'photo.png');
    const shown = await shownFor({ body: form });
    expect(shown).toContain('\n      event text/plain, 5 bytes, sha256 …\n        taken\n');
    expect(shown).toContain(`\n      image "photo.png" image/png, image of 64 x 48, ${png.length} bytes, sha256 …\n`);
  });

  test('as anything else is shown by its size', async () => {
    const body = Buffer.from([1, 2, 3]);
    expect(await shownFor({ body, headers: { 'content-type': 'application/octet-stream' } })).toContain('body         3 bytes, sha256 …\n');
    expect(await shownFor({ method: 'DELETE' })).toContain('#1 DELETE / from 127.0.0.1\n    signature    none\n    body         none\n');
  });

  test('that is not what it says is shown as what it is, with the reason', async () => {
    const json = { 'content-type': 'application/json' };
    expect(await shownFor({ body: '{"a":', headers: json })).toMatch(
      /body +text, 5 bytes.*\n +no JSON, though .*\n {6}\{"a":\n {4}answered/,
    );
    expect(await shownFor({ body: Buffer.from([0xff, 0xfe]), headers: json })).toMatch(/no UTF-8 text/);
    const form = { 'content-type': 'multipart/form-data; boundary=x' };
    const cut = '--x\r\nContent-Disposition: form-data; name="a"; filename="b.bin"\r\n\r\n123';
    const shown = await shownFor({ body: cut, headers: form });
    expect(shown).toContain('part 1 is cut off\n      a "b.bin" text/plain, 3 bytes, sha256 …\n    answered     200');
    expect(await shownFor({ body: cut, headers: { 'content-type': 'multipart/form-data' } })).toMatch(
      /the multipart form is broken:.*oundary/,
    );
  });

  test('cannot write to the terminal what is no text', async () => {
    const { url, ended } = await startListener(['--count', '2']);
    const evil = '\x1b[2J\x9b31m';
    await sendRaw(url, 'GET /%1b?%1b[2J=%c2%9b31m HTTP/1.1\r\nHost: x\r\nX-Evil: \x9b31m\r\nConnection: close\r\n\r\n');
    const form = new FormData();
    form.append(evil, new Blob([evil], { type: 'text/plain' }), `${evil}\u202e.png`);
    form.append('text', evil);
    await fetch(url, { method: 'POST', body: form });
    const { stdout } = await ended;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
    expect(stdout).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    expect(stdout).toContain('query        \\u001b[2J = \\u009b31m\n');
    expect(stdout).toContain('X-Evil: \\u009b31m\n');
    expect(stdout).toContain('\n        \\u001b[2J\\u009b31m\n');
  });

  test('is bounded on the screen: long lines are cut, and so are many', async () => {
    const text = { 'content-type': 'text/plain' };
    const many = await shownFor({ body: 'line\n'.repeat(5000), headers: text });
    expect(many.match(/^ {6}line$/gm)).toHaveLength(200);
    expect(many).toContain('\n      … (and more)\n');
    expect(await shownFor({ body: 'x'.repeat(5000), headers: text })).toContain(`${'x'.repeat(1000)}… (4000 more characters)\n`);
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    expect((await shownFor({ body: deep, headers: { 'content-type': 'application/json' } })).length).toBeLessThan(100_000);
  });

  test('is coloured on a terminal alone, and not where NO_COLOR is set', async () => {
    const outputs = [];
    for (const options of [{ isTerminal: true }, { isTerminal: false }, { isTerminal: true, environment: { NO_COLOR: '1' } }]) {
      const { url, ended } = await startListener(['--count', '1'], options);
      await fetch(url);
      outputs.push((await ended).stdout);
    }
    expect(outputs.map((output) => output.includes('\x1b[32m200\x1b[0m'))).toEqual([true, false, false]);
    expect(outputs.slice(1).join('')).not.toContain('\x1b');
  });
});

describe('--json', () => {
  test('prints a line for each request, as -o json does', async () => {
    for (const flags of [['--json'], ['-o', 'json']]) {
      const { url, ended } = await startListener(['--count', '2', ...flags]);
      await fetch(`${url}/a?b=1&b=2`, {
        method: 'POST',
        body: '{"n":1.0}',
        headers: { 'content-type': 'application/json', cookie: 'a=b' },
      });
      await fetch(url, { method: 'POST', body: new URLSearchParams({ a: '1' }), headers: { 'idempotency-key': 'k' } });
      const lines = (await ended).stdout.trimEnd().split('\n');
      expect(lines[0]).toContain('"value":{"n":1.0}');
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([
        { number: 1, method: 'POST', path: '/a', query: { b: ['1', '2'] }, headers: { cookie: 'a=***' }, body: { kind: 'json', size: 9 } },
        {
          number: 2,
          body: { kind: 'form', fields: { a: '1' } },
          idempotency: { key: 'k', seen: 1 },
          answer: { kind: 'status', status: 200 },
        },
      ]);
    }
  });

  test('takes JSON that is nested too deep to be written again as text', async () => {
    const { url, ended } = await startListener(['--count', '1', '--json']);
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    await fetch(url, { method: 'POST', body: deep, headers: { 'content-type': 'application/json' } });
    expect(JSON.parse((await ended).stdout)).toMatchObject({ body: { kind: 'json', text: deep } });
  });
});

describe('a signature', () => {
  const now = String(Math.floor(Date.now() / 1000));
  function sign(body: string, timestamp = now): Record<string, string> {
    const signature = beginSignature(readSigningSecret(SECRET) as Uint8Array, 'msg_1', timestamp).update(body);
    return { 'webhook-id': 'msg_1', 'webhook-timestamp': timestamp, 'webhook-signature': finishSignature(signature) };
  }
  const verdict = async (headers: Record<string, string>, args = ['--secret', SECRET], environment = {}): Promise<string | undefined> =>
    /signature +(.*)/.exec(await shownFor({ body: 'x', headers }, args, environment))?.[1];

  test('is checked with the secret of the flag or the environment, over the bytes of the body', async () => {
    expect(await verdict(sign('x'))).toBe('valid');
    expect(await verdict(sign('x'), [], { SLUICE_WEBHOOK_SECRET: SECRET })).toBe('valid');
    expect(await verdict(sign('y'))).toBe('invalid: the signature is not of this body, id, timestamp and secret');
    expect(await verdict(sign('x'), [])).toBe('not checked: no secret was given to check it with');
  });

  test('that is too old is named so, however right it is', async () => {
    const old = String(Number(now) - 1000);
    expect(await verdict(sign('x', old))).toMatch(/^invalid: webhook-timestamp is 10\d\d s old, and 300 s are allowed$/);
  });
});

describe('failing', () => {
  async function answers(args: string[], count: number): Promise<(number | string)[]> {
    const { url, stop } = await startListener(args);
    const given: (number | string)[] = [];
    for (let index = 0; index < count; index += 1) {
      given.push(
        await fetch(url).then(
          ({ status }) => status,
          () => 'reset',
        ),
      );
    }
    await stop();
    return given;
  }

  test('goes on for all requests, or for the first ones', async () => {
    expect(await answers(['--status', '503'], 3)).toEqual([503, 503, 503]);
    expect(await answers(['--fail', '2'], 4)).toEqual([500, 500, 200, 200]);
    expect(await answers(['--fail', '1', '--status', '429'], 2)).toEqual([429, 200]);
    expect(await answers(['--fail-rate', '1'], 2)).toEqual([500, 500]);
    expect(await answers(['--fail-rate', '0.0000001'], 3)).toEqual([200, 200, 200]);
    expect(await answers(['--status', '204'], 1)).toEqual([204]);
  });

  test('may be a connection that is reset, or an answer that never comes', async () => {
    expect(await answers(['--reset', '--fail', '1'], 2)).toEqual(['reset', 200]);
    const { url, shown, stop } = await startListener(['--hang']);
    const answer = fetch(url).catch(() => 'closed');
    await until('the request to be shown', () => shown().includes('never: left waiting'));
    expect(await stop()).toMatchObject({ code: 0, stderr: expect.stringMatching(/\n1 request: 1 × not answered\n$/) });
    expect(await answer).toBe('closed');
  });

  test('may be slow, and says so when the sender did not wait', async () => {
    const { url, shown, stop } = await startListener(['--delay', '300']);
    const start = performance.now();
    await fetch(url);
    expect(performance.now() - start).toBeGreaterThan(290);
    await fetch(url, { signal: AbortSignal.timeout(50) }).catch(() => undefined);
    await until('the second request to be shown', () => shown().includes('never: the connection was closed before'));
    await stop();
  });
});

describe('a key', () => {
  test('that came before is told to be there again, and counted in the summary', async () => {
    const { url, shown, stop } = await startListener([]);
    for (const key of ['a', 'b', 'a', 'a']) await fetch(url, { headers: { 'idempotency-key': key } });
    await until('all to be shown', () => shown().includes('#4 '));
    expect(shown().match(/idempotency .*/g)).toEqual([
      'idempotency  a',
      'idempotency  b',
      'idempotency  a (again, 2nd time)',
      'idempotency  a (again, 3rd time)',
    ]);
    expect((await stop()).stderr).toMatch(/\n4 requests: 4 × 200; 1 Idempotency-Key came again\n$/);
  });
});

describe('--save', () => {
  test('writes each body and each part to files of safe names, and shows where', async () => {
    const folder = join(tempDir(), 'new/folder');
    const { url, ended } = await startListener(['--count', '1', '--save', folder]);
    const form = new FormData();
    form.append('image', new Blob(['the pixels']), '../../../etc/pass wd');
    await fetch(url, { method: 'POST', body: form });
    const { stdout } = await ended;
    const [body = '', part = ''] = readdirSync(folder).sort();
    expect([body, part]).toEqual([expect.stringMatching(/-1-body$/), expect.stringMatching(/-1-part-1-.._.._.._etc_pass_wd$/)]);
    expect(readFileSync(join(folder, part), 'utf8')).toBe('the pixels');
    expect(readFileSync(join(folder, body), 'utf8')).toContain('the pixels');
    for (const name of [body, part]) expect(stdout).toContain(`saved as ${join(folder, name)}`);
  });

  test('keeps a body whole that is too large to be shown', async () => {
    const folder = tempDir();
    const large = Buffer.alloc(3_000_000, 'a');
    const shown = await shownFor({ body: large, headers: { 'content-type': 'text/plain' } }, ['--save', folder]);
    expect(shown).toContain('larger than the 1048576 bytes that are shown');
    expect(readFileSync(join(folder, readdirSync(folder)[0] as string)).equals(large)).toBe(true);
  });

  test('needs a folder that can be made', async () => {
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    expect(await sluice(['listen', '--port', '0', '--save', file])).toEqual({
      code: 1,
      stdout: '',
      stderr: `sluice: --save: ${file} cannot be created (EEXIST)\n`,
    });
  });
});

describe('the end', () => {
  test('comes after as many requests as were asked for, or with Ctrl-C, with a summary and exit code 0', async () => {
    const counted = await startListener(['--count', '2']);
    await Promise.all([fetch(counted.url), fetch(counted.url)]);
    expect(await counted.ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/^listening on .*\n2 requests: 2 × 200\n$/) });
    const stopped = await startListener([]);
    expect(await stopped.stop()).toMatchObject({ code: 0, stdout: '', stderr: expect.stringMatching(/\n0 requests\n$/) });
  });

  test('comes at once, with one clear line, where the port is in use', async () => {
    const { url } = await startListener([]);
    const { port } = new URL(url);
    expect(await sluice(['listen', '--port', port])).toEqual({
      code: 1,
      stdout: '',
      stderr: `sluice: cannot listen on 127.0.0.1:${port}: another process uses the port; stop it, or choose another --port\n`,
    });
  });
});

test('what is no HTTP is told of, and ends nothing', async () => {
  const { url, shown, stop } = await startListener([]);
  expect((await sendRaw(url, 'not \x1b[31m http\r\n\r\n')).status).toBe(400);
  await sendRaw(url, 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n', { thenEnd: true });
  await until('the broken body to be shown', () => shown().includes('the connection closed before the whole body arrived'));
  expect((await fetch(url)).status).toBe(200);
  const { stderr } = await stop();
  expect(stderr).toMatch(/the request from 127\.0\.0\.1 is not HTTP: /);
  expect(stderr).not.toContain('\x1b');
});

test('a client that never closes its side does not hold it up', async () => {
  const { url, stop } = await startListener([]);
  const socket = connect({ port: Number(new URL(url).port), allowHalfOpen: true });
  onTestEnd(() => void socket.destroy());
  socket.on('error', () => undefined).write('nonsense\r\n\r\n');
  await once(socket, 'data');
  expect(await stop()).toMatchObject({ code: 0 });
});

test('nothing that is odd, cut off or too much ends it', async () => {
  const { url, stop } = await startListener(['--json']);
  const heads = [
    'CONNECT a:1 HTTP/1.1\r\nHost: x',
    'HEAD / HTTP/1.1\r\nHost: x',
    'OPTIONS * HTTP/1.1\r\nHost: x',
    'GET http://elsewhere/path HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade',
    'POST / HTTP/1.1\r\nHost: x\r\nExpect: the-unexpected\r\nContent-Length: 2',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nContent-Type: multipart/form-data; boundary=b',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Type: multipart/form-data; boundary="',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Type: application/json; charset=klingon\r\nAuthorization:\r\nCookie: ;=;',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\nIdempotency-Key: __proto__',
    'POST /?__proto__=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nwebhook-id:\r\nwebhook-signature: v1,\r\nwebhook-timestamp: -1',
    `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}`,
  ];
  for (const head of heads) await sendRaw(url, `${head}\r\n\r\n--`, { thenEnd: true }).catch(() => undefined);
  expect((await fetch(url)).status).toBe(200);
  const { code, stdout } = await stop();
  expect(code).toBe(0);
  for (const line of stdout.trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({ method: expect.stringMatching(/^[A-Z]+$/) });
});

describe('flags that cannot be meant are refused with what would be right', () => {
  const cases: [args: string[], stderr: string][] = [
    [['--port', '70000'], '--port "70000": must be a whole number from 0 to 65,535'],
    [['--status', '99'], '--status "99": must be a whole number from 200 to 599'],
    [['--fail', '0'], '--fail "0": must be a whole number from 1 to 1,000,000'],
    [['--fail-rate', '1.5'], '--fail-rate "1.5": must be a number above 0, up to 1'],
    [['--delay', 'soon'], '--delay "soon": must be a whole number from 0 to 3,600,000'],
    [['--count', '1000001'], '--count "1000001": must be a whole number from 1 to 1,000,000'],
    [['--fail', '1', '--status', '204'], '--status 204 is not a failure: with --fail or --fail-rate, give a status from 300 to 599'],
    [['--secret', 'whsec_???'], 'the secret is not a Standard Webhooks secret: write whsec_ followed by base64'],
  ];
  for (const [args, message] of cases) {
    test(args.join(' '), async () => {
      expect(await sluice(['listen', ...args])).toEqual({ code: 2, stdout: '', stderr: `sluice: ${message}\n` });
    });
  }

  test.each([
    ['--hang', '--reset'],
    ['--hang', '--status', '503'],
    ['--fail', '1', '--fail-rate', '0.5'],
  ])('%s %s together', async (...args) => {
    expect(await sluice(['listen', ...args])).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be used with') });
  });
});
