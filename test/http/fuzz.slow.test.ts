// Requests made up at random from good and bad parts: whatever comes, the server does not fail and does not hang.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';

const app = shareApp({}, async (shared) => {
  await shared.workflow('any', {
    inputs: [{ type: 'WorkflowParameter', name: 'n', kind: ['integer'], default_value: 1 }],
    steps: [
      { type: 'sluice/set@v1', name: 's', values: { n: '$inputs.n', body: '$request.body', q: '$request.query', h: '$request.headers' } },
    ],
    outputs: [{ type: 'JsonField', name: 's', selector: '$steps.s.*' }],
  });
  for (const [path, response] of [
    ['/hook', 'stream'],
    ['/files/*', 'wait'],
    ['/users/:id', { mode: 'custom', body: { s: '$output.s', id: '$request.params.id' } }],
  ] as const)
    await shared.sink({
      path,
      method: 'ANY',
      workflow_id: 'any',
      response,
      limits: { files: 2, fields: 3, body_bytes: 5000, field_bytes: 100 },
    });
});

const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND');
const segment = fc.oneof(
  fc.constantFrom(
    'hook',
    'files',
    'users',
    'a',
    '..',
    '.',
    '',
    '%2e',
    '%2F',
    '%00',
    '%',
    '%c3%a9',
    '%ff',
    ':id',
    '*',
    ';x',
    '\\',
    '#',
    'api',
    'v1',
    'runs',
    'sink',
  ),
  fc.string({ unit: 'grapheme-ascii', maxLength: 5 }).map((text) => text.replaceAll(/[\s?]/g, '')),
);
const path = fc.tuple(
  fc.constantFrom('/shop', '/shop/hook', '/shop/users', '/sink/trigger/http/shop', '/api/v1', '/runs', ''),
  fc.array(segment, { maxLength: 4 }),
);
const query = fc.constantFrom('', '?', '?n=5', '?n=x', '?n=1&n=2', '?__proto__=1', '?a=%zz&b[]=', '?after=-1');
const header = fc.constantFrom(
  'Accept: application/json',
  'Accept: ;;q=,',
  'Prefer: wait=0',
  'Prefer: respond-async, wait=x',
  'Authorization: Bearer',
  'Authorization: Basic x',
  'Idempotency-Key: k',
  'Idempotency-Key: two words',
  'Content-Encoding: gzip',
  'Last-Event-ID: 99999999999999999999',
  'X-Forwarded-For: "; drop',
  'Cookie: a=b',
  'Upgrade: websocket',
  'Transfer-Encoding: identity',
  '__proto__: x',
  'Constructor: y',
);
const type = fc.constantFrom(
  'application/json',
  'application/json; charset=latin1',
  'text/plain; charset=utf-16le',
  'text/plain; charset=x',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=b',
  'multipart/form-data',
  'image/png',
  'nonsense',
  '',
);
const body = fc.oneof(
  fc.constantFrom(
    '',
    '{}',
    '{"n":1.0}',
    '{"n":"x"}',
    '[',
    '{"__proto__":{}}',
    'n=5',
    'a&b&c&d&e',
    'n=5&n=6',
    '\xff\xfe',
    '--b\r\n',
    '--b--\r\n',
  ),
  fc.constantFrom(
    '--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n5\r\n--b--\r\n',
    '--b\r\nContent-Disposition: form-data; name="f"; filename="../x"\r\n\r\nx\r\n--b--\r\n',
    '--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\nx',
    '--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n',
  ),
  fc.json(),
  fc.string({ unit: 'binary-ascii', maxLength: 6000 }),
);

test('three hundred requests of any parts: each is answered or refused, none is the fault of the server', async () => {
  await fc.assert(
    fc.asyncProperty(
      method,
      path,
      query,
      fc.uniqueArray(header, { maxLength: 3 }),
      type,
      body,
      fc.boolean(),
      async (verb, [start, rest], search, headers, contentType, text, isChunked) => {
        const framing = isChunked && text !== '' ? 'Transfer-Encoding: chunked' : `Content-Length: ${text.length}`;
        const content = isChunked && text !== '' ? `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n` : text;
        const target = [start, ...rest].join('/') || '/';
        const head = [
          `${verb} ${target}${search} HTTP/1.1`,
          'Host: x',
          'Connection: close',
          ...headers,
          `Content-Type: ${contentType}`,
          framing,
        ];
        const answer = await sendRaw(app().url, `${head.join('\r\n')}\r\n\r\n${content}`);
        expect(answer.status).toBeLessThan(500);
        expect(answer.text === '' || answer.status >= 200).toBe(true);
        if (answer.status >= 400 && answer.body.startsWith('{')) expect(JSON.parse(answer.body).error.message).toMatch(/./);
      },
    ),
    { numRuns: 300 },
  );
  expect((await fetch(`${app().url}/healthz`)).status).toBe(200);
  expect(app().logs.filter((line) => /"level":"(?:error|fatal)"/.test(line))).toEqual([]);
  const { runs } = (await app().admin('GET', '/runs?limit=500')).body;
  expect(runs.length).toBeLessThanOrEqual(300);
  expect(runs.every(({ status }: any) => status === 'completed')).toBe(true);
});
