// Requests as only a hand-made client sends them: broken framing, broken heads, other protocols.

import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { captureServer } from '../support/capture-server.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { provoke } from '../support/provoke.ts';
import { type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp } from '../support/start-app.ts';

const app = shareApp({}, async (shared) => {
  await shared.sink({ path: '/hook', method: 'ANY' });
});

async function runCount(): Promise<number> {
  return (await app().admin('GET', '/runs?limit=500')).body.runs.length;
}

/** Sends the bytes, and counts the runs that came of it. */
async function send(bytes: string, options?: { thenEnd: boolean }): Promise<{ answer: RawAnswer; runs: number }> {
  const before = await runCount();
  const answer = await provoke(app().url, () => sendRaw(app().url, bytes, options));
  return { answer, runs: (await runCount()) - before };
}

/** A POST with these header lines and this body. */
function post(headers: string[], body = '', { version = 'HTTP/1.1', host = 'Host: x' } = {}): string {
  const lines = [`POST /shop/hook ${version}`, ...(host === '' ? [] : [host]), 'Connection: close', ...headers];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

describe('framing that is refused', () => {
  const refused: [string, string][] = [
    ['a Content-Length of letters', post(['Content-Length: abc'], 'abc')],
    ['a negative Content-Length', post(['Content-Length: -5'], 'abcde')],
    ['a Content-Length with a sign', post(['Content-Length: +5'], 'abcde')],
    ['a hexadecimal Content-Length', post(['Content-Length: 0x5'], 'abcde')],
    ['a fractional Content-Length', post(['Content-Length: 5.0'], 'abcde')],
    ['a list as Content-Length', post(['Content-Length: 5, 5'], 'abcde')],
    ['an empty Content-Length', post(['Content-Length:'], '')],
    ['a Content-Length beyond 64 bits', post(['Content-Length: 99999999999999999999999'], 'abcde')],
    ['two Content-Lengths that differ', post(['Content-Length: 5', 'Content-Length: 6'], 'abcdef')],
    ['two Content-Lengths that agree', post(['Content-Length: 5', 'Content-Length: 5'], 'abcde')],
    ['Content-Length beside Transfer-Encoding', post(['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n')],
    ['Transfer-Encoding beside Content-Length', post(['Transfer-Encoding: chunked', 'Content-Length: 5'], '0\r\n\r\n')],
    ['a Transfer-Encoding that does not end in chunked', post(['Transfer-Encoding: chunked, identity'], '0\r\n\r\n')],
    ['an unknown Transfer-Encoding', post(['Transfer-Encoding: xchunked'], '0\r\n\r\n')],
    ['a chunk size of letters', post(['Transfer-Encoding: chunked'], 'xyz\r\nabc\r\n0\r\n\r\n')],
    ['a negative chunk size', post(['Transfer-Encoding: chunked'], '-3\r\nabc\r\n0\r\n\r\n')],
    ['a chunk size with a prefix', post(['Transfer-Encoding: chunked'], '0x3\r\nabc\r\n0\r\n\r\n')],
    ['a chunk size beyond 64 bits', post(['Transfer-Encoding: chunked'], 'FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n')],
    ['a chunk longer than its size', post(['Transfer-Encoding: chunked'], '3\r\nabcdef\r\n0\r\n\r\n')],
    ['a chunk without its line end', post(['Transfer-Encoding: chunked'], '3\r\nabc0\r\n\r\n')],
    ['a body that ends amid a chunk', post(['Transfer-Encoding: chunked'], 'FF\r\nabc')],
    ['a body that ends before the last chunk', post(['Transfer-Encoding: chunked'], '3\r\nabc\r\n')],
    ['a body shorter than its length', post(['Content-Length: 100'], 'abc')],
    ['chunk extensions without end', post(['Transfer-Encoding: chunked'], `3;${'e'.repeat(40_000)}\r\nabc\r\n0\r\n\r\n`)],
    ['line ends without a carriage return', post([]).replaceAll('\r\n', '\n')],
    ['line ends of a carriage return alone', post([]).replaceAll('\r\n', '\r')],
    ['a header without a colon', post(['Content-Length'])],
    ['a header without a name', post([': 5'])],
    ['a space before the colon', post(['Content-Length : 0'])],
    ['a space in a header name', post(['X Y: 1'])],
    ['a NUL in a header', post(['X-Y: a\0b'])],
    ['a control character in a header name', post(['X\x01Y: a'])],
    ['a header that a line feed splits', post(['X-Y: a\nContent-Length: 5'])],
    ['no Host', post(['Content-Length: 0'], '', { host: '' })],
    ['another protocol', post([], '', { version: 'FTP/1.1' })],
    ['a version that is none', post([], '', { version: 'HTTP/x.y' })],
    ['a version of HTTP to come', post([], '', { version: 'HTTP/3.0' })],
    ['a version in lower case', post([], '', { version: 'http/1.1' })],
    ['more behind the version', post([], '', { version: 'HTTP/1.1 x' })],
    ['no method', '/shop/hook HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['no path', 'POST HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an empty path', 'POST  HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a space in the path', 'POST /shop/hook /x HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a line feed in the path', 'POST /shop/ho\nok HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['an SSH banner', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['a SOCKS greeting', '\x05\x01\x00'],
    ['bytes at random', '\x00\xff\xfe\x80\x81GET / HTTP/1.1\r\n\r\n'],
    ['a header of 20 KB', post([`X-Long: ${'a'.repeat(20_000)}`])],
    ['three thousand headers', post(Array.from({ length: 3000 }, (_, index) => `X-${index}: 1`))],
    ['a path of 20 KB', `POST /shop/${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['an expectation that is unknown', post(['Expect: miracles', 'Content-Length: 0'])],
  ];
  for (const [what, bytes] of refused) {
    test(`${what} starts nothing`, async () => {
      const { answer, runs } = await send(bytes, { thenEnd: true });
      expect(runs).toBe(0);
      expect([0, 400, 413, 417, 431]).toContain(answer.status);
      if (answer.body.startsWith('{')) expect(JSON.parse(answer.body)).toMatchObject({ error: { message: expect.stringMatching(/./) } });
    });
  }
});

describe('framing that is taken', () => {
  const taken: [string, string][] = [
    ['chunks', post(['Transfer-Encoding: chunked'], '3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\n\r\n')],
    ['chunks in upper case with a trailer', post(['TRANSFER-ENCODING: Chunked'], 'A\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n')],
    ['no body and no length', post([])],
    ['a length of zero', post(['Content-Length: 0'])],
    ['a length with zeros before it', post(['Content-Length: 0003'], 'abc')],
    ['empty lines before the request', `\r\n\r\n${post(['Content-Length: 0'])}`],
    ['HTTP/1.0 without Host', post(['Content-Length: 3'], 'abc', { version: 'HTTP/1.0', host: '' })],
    ['a Host that is not ours', post(['Content-Length: 0'], '', { host: 'Host: evil.example' })],
    ['a wish for WebSocket', post(['Upgrade: websocket', 'Content-Length: 0'])],
    ['a wish for HTTP/2 in the clear', post(['Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__', 'Content-Length: 0'])],
    ['a body with GET', post(['Content-Length: 3'], 'abc').replace('POST', 'GET')],
    ['100-continue', post(['Expect: 100-continue', 'Content-Length: 3'], 'abc')],
  ];
  for (const [what, bytes] of taken) {
    test(`${what}: one run, completed`, async () => {
      const { answer, runs } = await send(bytes);
      expect(runs).toBe(1);
      expect(answer.text).toContain('"type":"complete"');
    });
  }

  test('an address in absolute form is that of its path', async () => {
    const { answer } = await send(
      'POST http://other.example:1/sink/trigger/http/shop/hook?a=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    const run = answer.headers['x-run-id'];
    expect((await app().admin('GET', `/runs/${run}`)).body.request).toMatchObject({ path: '/hook', query: { a: '1' } });
  });

  test('a version of HTTP that is older or newer does not make the server fail', async () => {
    for (const bytes of ['GET /shop/hook\r\n\r\n', post([], '', { version: 'HTTP/2.0' }), post([], '', { version: 'HTTP/0.9' })]) {
      const { answer } = await send(bytes);
      expect([200, 400]).toContain(answer.status);
    }
  });

  test('two requests in one packet are two runs and two answers', async () => {
    const keepAlive = post(['Content-Length: 3', 'Accept: application/json'], 'abc').replace('Connection: close\r\n', '');
    const { text } = await exchange(keepAlive + post(['Content-Length: 0']));
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(new Set(text.match(/run_[a-z0-9]{31}/g)).size).toBe(2);
  });

  test('bytes behind a body are not taken for a part of it, nor is their refusal taken for its answer', async () => {
    const { text } = await exchange(post(['Content-Length: 3'], 'abcDEF').replace('Connection: close\r\n', ''));
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toContain('"type":"complete"');
    expect(text.match(/^HTTP\/1\.1 \d+/gm)).toHaveLength(1);
  });

  test('bytes sent into a stream that is under way do not show up in it', async () => {
    await app().workflow('pause', { steps: [{ type: 'sluice/delay@v1', name: 'pause', seconds: 0.2 }] });
    await app().sink({ path: '/pause', workflow_id: 'pause' });
    const { text } = await exchange('POST /shop/pause HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', 'GARBAGE\r\n\r\n');
    expect(text).toContain('"type":"complete"');
    expect(text.match(/^HTTP\/1\.1 \d+/gm)).toHaveLength(1);
  });

  test('nothing behind a broken request is read as a request', async () => {
    const { answer, runs } = await send(`${post(['Content-Length: abc'])}${post(['Content-Length: 0'])}`);
    expect(runs).toBe(0);
    expect(answer.text.match(/^HTTP\/1\.1 \d+/gm)).toHaveLength(1);
  });
});

/** Sends the first bytes, the others when an answer has begun, and resolves to all that came until the connection closed. */
function exchange(first: string, then?: string): Promise<{ text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(app().url).port), '127.0.0.1', () => socket.write(first));
    let text = '';
    socket.once('data', () => then !== undefined && socket.write(then));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.once('close', () => resolve({ text }));
    socket.once('error', reject);
  });
}

describe('slow clients', () => {
  test('have ten seconds for the head and two minutes for the whole, then 408 and the connection is closed', async () => {
    const { started, server } = await captureServer(startTestApp, { connectionsCheckingInterval: 20 });
    await started.sink({ path: '/hook' });
    expect({ head: server.headersTimeout, whole: server.requestTimeout }).toEqual({ head: 10_000, whole: 120_000 });
    expect(server.maxConnections).toBe(16_000);
    // The bounds themselves are Node's; only the waiting is cut short here.
    server.headersTimeout = 50;
    server.requestTimeout = 100;
    const halves = [
      'POST /shop/hook HTTP/1.1\r\nHo',
      'POST /shop/hook HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nabc',
    ];
    const answers = await Promise.all(halves.map((half) => sendRaw(started.url, half)));
    for (const answer of answers) {
      expect(answer.status).toBe(408);
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'request_timeout' } });
    }
    expect((await started.admin('GET', '/runs')).body.runs).toEqual([]);
  });

  test('do not keep others waiting, a hundred of them neither', async () => {
    const halves = await Promise.all(
      Array.from({ length: 100 }, () => {
        const half = new AbortController();
        const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('half of it')) });
        const sent = fetch(`${app().url}/shop/hook`, { method: 'POST', body, duplex: 'half', signal: half.signal } as RequestInit);
        return { half, sent: sent.catch(() => undefined) };
      }),
    );
    onTestEnd(async () => {
      for (const { half } of halves) half.abort();
      await Promise.all(halves.map(({ sent }) => sent));
    });
    const response = await provoke(app().url, () => fetch(`${app().url}/shop/hook`, { method: 'POST' }));
    expect(await response.text()).toContain('"type":"complete"');
  });
});
