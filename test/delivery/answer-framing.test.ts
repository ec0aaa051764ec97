// How an answer is framed: what HTTP lets a client take is an answer, whatever its length says, and not a broken connection
// after which the message is sent again. What is ambiguous is refused.

import { describe, expect, test } from 'vitest';
import { selfSigned } from './certificate.ts';
import { attempt, openSender, post } from './http-sender.ts';
import { type Script, startScriptedReceiver } from './scripted-receiver.ts';

/** What one connection at a time brings of two messages, and over how many connections they went. */
async function sendTwice(script: Script, body: readonly Uint8Array[] = [Buffer.from('hello')]) {
  const receiver = await startScriptedReceiver(script);
  const sender = openSender({ connectionsPerOrigin: 1 });
  const results = [];
  for (let count = 0; count < 2; count++) results.push(await sender.send(post(receiver.url, { body }), attempt()));
  return { results, connections: receiver.requests.length };
}

const ok = (body: string, status = 200) => ({ kind: 'response', status, body: Buffer.from(body), isTruncated: false });
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

const bytes = (text: string): string[] => [...text];

describe.each([
  ['a body', [Buffer.from('hello')]],
  ['an empty chunked body', []],
])('with %s', (_name, body: Uint8Array[]) => {
  test.each<[string, string | string[], ReturnType<typeof ok>]>([
    ['204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', ok('', 204)],
    ['204 with a length and a body', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello', ok('', 204)],
    ['204 with a transfer coding', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n', ok('', 204)],
    ['304 with the length of what it stands for', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\n\r\n', ok('', 304)],
    ['205 with a length', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\n', ok('', 205)],
    ['205 without framing', 'HTTP/1.1 205 Reset Content\r\n\r\n', ok('', 205)],
    ['equal lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nok', ok('ok')],
    ['equal lengths in one field', 'HTTP/1.1 200 OK\r\nContent-Length: 5, 5,5\r\n\r\nhello', ok('hello')],
    [
      'a length beside a transfer coding',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      ok('ok'),
    ],
    ['equal lengths, byte by byte', bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok'), ok('ok')],
  ])('%s is an answer, and its connection is not used again', async (_what, answer, expected) => {
    const { results, connections } = await sendTwice({ answers: [answer, OK] }, body);
    expect(results).toMatchObject([expected, ok('ok')]);
    expect(connections).toBe(2);
  });

  test.each<[string, string | string[]]>([
    ['an unasked 100', CONTINUE + OK],
    ['an unasked 100 in a packet of its own', [CONTINUE, OK]],
    ['an unasked 100, byte by byte', bytes(CONTINUE + OK)],
    [
      'many interim answers',
      `${CONTINUE.repeat(300)}HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 199 What\r\nContent-Length: 3\r\n\r\n${OK}`,
    ],
  ])('%s before an answer is passed over', async (_what, answer) => {
    const { results } = await sendTwice({ answers: [answer] }, body);
    expect(results).toMatchObject([ok('ok'), ok('ok')]);
  });

  test.each<[string, string]>([
    ['unequal lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!'],
    ['unequal lengths in one field', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok!'],
    ['equal lengths that are none', 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\nContent-Length: +2\r\n\r\nok'],
    ['lengths that are written differently', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 02\r\n\r\nok'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok'],
    ['101, which nobody asked for', `HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n${OK}`],
    ['nothing but an interim answer', CONTINUE],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['line ends without a carriage return', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
  ])('%s is a broken answer', async (_what, answer) => {
    const { results } = await sendTwice({ answers: [answer, OK], closes: true }, body);
    expect(results).toMatchObject([{ kind: 'network' }, ok('ok')]);
  });
});

test('a proper answer keeps its connection, and one that was passed over too', async () => {
  for (const answer of [OK, CONTINUE + OK, 'HTTP/1.1 204 No Content\r\n\r\n', 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n']) {
    expect((await sendTwice({ answers: [answer] })).connections, answer).toBe(1);
  }
});

test('over TLS as well', async () => {
  const certificate = selfSigned(['127.0.0.1']);
  const sender = openSender({ ca: certificate.cert, connectionsPerOrigin: 1 });
  const equalLengths = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok';
  const receiver = await startScriptedReceiver({ answers: [CONTINUE + OK, equalLengths, OK], certificate });
  for (let count = 0; count < 3; count++) expect(await sender.send(post(receiver.url), attempt())).toMatchObject(ok('ok'));
  expect(receiver.requests).toEqual([2, 1]);
});

test('an answer that ends with its connection is one', async () => {
  for (const answer of ['HTTP/1.1 200 OK\r\n\r\nok', 'HTTP/1.0 200 OK\r\n\r\nok', OK]) {
    const { results } = await sendTwice({ answers: [answer], closes: true });
    expect(results, answer).toMatchObject([ok('ok'), ok('ok')]);
  }
});

test('what comes after a complete answer is nobody’s, and never the next answer', async () => {
  const strange = 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nstrange';
  for (const first of [`${OK}${strange}`, `HTTP/1.1 204 No Content\r\nContent-Length: 60\r\n\r\n${strange}`]) {
    const { results } = await sendTwice({ answers: [first, OK] });
    expect(results[1], first).toMatchObject(ok('ok'));
  }
});

test('interim answers without end are no sign of life', async () => {
  const receiver = await startScriptedReceiver({ answers: [Array.from({ length: 100_000 }, () => CONTINUE)] });
  const result = await openSender().send(post(receiver.url, { timeoutMs: 150 }), attempt());
  expect(result).toEqual({ kind: 'timeout', phase: 'headers' });
});

test('an answer that comes before the message is sent whole is the answer', async () => {
  const refusal = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig';
  for (const size of [50_000, 20_000_000]) {
    const receiver = await startScriptedReceiver({ answers: [refusal], isEarly: true });
    const result = await openSender().send(post(receiver.url, { body: [Buffer.alloc(size)], timeoutMs: 10_000 }), attempt());
    expect(result, `${size}`).toMatchObject(ok('big', 413));
  }
});
