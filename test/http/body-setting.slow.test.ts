// How a sink says that bodies are read: by their type, all as one kind, or by the field of a form that holds the document.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { incomingFiles } from '../support/incoming-files.ts';
import { provoke } from '../support/provoke.ts';
import { sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';

const FORM = 'application/x-www-form-urlencoded';
const push = { ref: 'refs/heads/main', repository: { full_name: 'a/b' } };

const app = shareApp({}, async (shared) => {
  await shared.workflow('seen', {
    steps: [
      { type: 'sluice/set@v1', name: 's', values: { body: '$request.body', type: '$request.content_type', files: '$request.files' } },
    ],
    outputs: [{ type: 'JsonField', name: 's', selector: '$steps.s.*' }],
  });
  await shared.workflow('byname', {
    inputs: [
      { type: 'WorkflowParameter', name: 'ref', kind: ['string'] },
      { type: 'WorkflowParameter', name: 'size', kind: ['integer'], default_value: 0 },
      { type: 'WorkflowParameter', name: 'repository', default_value: null },
    ],
    steps: [
      { type: 'sluice/set@v1', name: 's', values: { ref: '$inputs.ref', size: '$inputs.size', repo: '$inputs.repository.full_name' } },
    ],
    outputs: [{ type: 'JsonField', name: 's', selector: '$steps.s.*' }],
  });
  for (const body of ['auto', 'json', 'form', 'text', 'raw'])
    await shared.sink({ path: `/${body}`, workflow_id: 'seen', response: 'wait', body });
  await shared.sink({ path: '/field', workflow_id: 'seen', response: 'wait', body: { form_field: 'payload' } });
  await shared.sink({ path: '/push', workflow_id: 'byname', response: 'wait', body: { form_field: 'payload' } });
  await shared.sink({ path: '/byname', workflow_id: 'byname', response: 'wait' });
  await shared.sink({ path: '/small', workflow_id: 'seen', response: 'wait', limits: { body_bytes: 1000 } });
});

/** `type` null: no Content-Type at all, which fetch would add. */
function send(
  path: string,
  type: string | null,
  body: string | Uint8Array,
  headers: string[] = [],
): Promise<{ status: number; body: any; runId: string }> {
  const bytes = Buffer.from(body);
  const head = [
    `POST /shop${path} HTTP/1.1`,
    'Host: x',
    'Connection: close',
    ...(type === null ? [] : [`Content-Type: ${type}`]),
    ...headers,
    `Content-Length: ${bytes.length}`,
  ];
  return provoke(app().url, async () => {
    const answer = await sendRaw(app().url, Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]));
    return {
      status: answer.status,
      body: JSON.parse(Buffer.from(answer.body, 'latin1').toString()),
      runId: answer.headers['x-run-id'] ?? '',
    };
  });
}

/** What the workflow saw, and that a replay of the run sees the same. */
async function seen(path: string, type: string | null, body: string | Uint8Array, headers?: string[]): Promise<any> {
  const answer = await send(path, type, body, headers);
  expect(answer.body).toMatchObject({ status: 'completed' });
  const replay = await app().admin('POST', `/runs/${answer.runId}/replay`);
  expect((await app().admin('GET', `/runs/${replay.body.run_id}`)).body.output).toEqual(answer.body.output);
  return answer.body.output.s;
}

async function refusal(status: number, ...asked: Parameters<typeof send>): Promise<string> {
  const answer = await send(...asked);
  expect(answer).toMatchObject({ status, body: { triggered: false, run_id: null } });
  return answer.body.message;
}

describe('auto, which is the default', () => {
  for (const type of [
    'text/json',
    'application/csp-report',
    'application/x-amz-json-1.0',
    'application/x-amz-json-1.1',
    'application/x-json',
    'text/x-json; charset=x',
  ]) {
    test(`${type} is JSON by its name`, async () => {
      expect((await seen('/auto', type, '{"a":1}')).body).toEqual({ a: 1 });
      expect(await refusal(400, '/auto', type, '{"a":')).toContain('not valid JSON');
    });
  }

  for (const type of [null, '', 'application/octet-stream', 'Application/Octet-Stream; x=y']) {
    test(`under ${type === null ? 'no type' : JSON.stringify(type)} a JSON object or list is JSON`, async () => {
      for (const text of ['{"a":1.50}', '[1,{"b":[]}]', ' \r\n\t{"a":"\u00e9"}\n', '\ufeff{"a":1}', '{}'])
        expect((await seen('/auto', type, text)).body).toEqual(JSON.parse(text.replace('\ufeff', '')));
      expect(await seen('/auto', type, '')).toMatchObject({ body: null, files: [] });
    });

    const files: [string, string | Uint8Array][] = [
      ['a number', '5'],
      ['a text', '"a"'],
      ['a form', 'a=1&b=2'],
      ['broken JSON', '{"a":1'],
      ['two documents', '{}{}'],
      ['JSON that is not UTF-8', Buffer.from('{"a":"\u00e9"}', 'latin1')],
      ['JSON with a key that poisons', '{"__proto__":{"a":1}}'],
      ['JSON that is too deep', `${'['.repeat(200)}${']'.repeat(200)}`],
      ['white space', ' \n '],
      ['bytes that begin as a byte order mark does', Uint8Array.from([0xef, 0xbb, 0x00])],
      ['an image', Uint8Array.from([0x89, 0x50, 0x4e, 0x47])],
    ];
    for (const [what, bytes] of files) {
      test(`under ${type === null ? 'no type' : JSON.stringify(type)} ${what} is a file, byte for byte`, async () => {
        const { body, files: handles } = await seen('/auto', type, bytes);
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        expect(body).toEqual({
          name: 'body',
          filename: null,
          content_type: 'application/octet-stream',
          size: Buffer.byteLength(bytes),
          sha256,
        });
        expect(handles).toEqual([body]);
        expect(readFileSync(join(app().dataDir, 'blobs', sha256.slice(0, 2), sha256)).equals(Buffer.from(bytes))).toBe(true);
      });
    }
  }

  test('keeps to the type where one came: JSON as text, as an image or as NDJSON is no JSON', async () => {
    expect((await seen('/auto', 'text/plain', '{"a":1}')).body).toBe('{"a":1}');
    for (const type of ['image/png', 'application/x-ndjson', 'application/jsonx'])
      expect((await seen('/auto', type, '{"a":1}')).body).toMatchObject({ content_type: type });
  });

  test('binds the inputs of a workflow by name, also where no type came', async () => {
    expect((await send('/byname', null, JSON.stringify(push))).body.output.s).toEqual({ ref: push.ref, size: 0, repo: 'a/b' });
    expect((await send('/byname', 'text/json', JSON.stringify(push))).body.output.s).toEqual({ ref: push.ref, size: 0, repo: 'a/b' });
  });

  test('looks for JSON up to 256 KiB: what is larger and has no type is a file, and never whole in memory', async () => {
    const large = JSON.stringify({ a: 'x'.repeat(2 ** 18) });
    expect((await seen('/auto', null, large)).body).toMatchObject({ size: large.length });
    expect((await seen('/auto', 'application/json', large)).body).toEqual(JSON.parse(large));
    expect((await seen('/json', null, large)).body).toEqual(JSON.parse(large));
    expect(await refusal(400, '/json', null, `${large}}`)).toContain('not valid JSON');
    expect((await seen('/field', FORM, `payload=${large}`)).body).toEqual(JSON.parse(large));
    expect((await seen('/text', null, large)).body).toBe(large);
    expect((await seen('/json', 'application/x-ndjson', `${large}\n{}`)).body).toEqual([JSON.parse(large), {}]);
  });

  test('holds to the limit of the sink without a type too, in pieces of a byte as well', async () => {
    for (const text of [`{"a":"${'x'.repeat(1000)}"}`, 'x'.repeat(1001)])
      expect(await refusal(413, '/small', null, text)).toContain('1000 bytes');
    const chunks = [...'{"a":1}'].map((character) => `1\r\n${character}\r\n`).join('');
    const answer = await sendRaw(app().url, `POST /shop/auto HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`);
    expect(JSON.parse(answer.body).output.s.body).toEqual({ a: 1 });
    expect((await seen('/auto', null, gzipSync('{"a":1}'), ['Content-Encoding: gzip'])).body).toEqual({ a: 1 });
    expect((await seen('/auto', null, gzipSync('plain'), ['Content-Encoding: gzip'])).body).toMatchObject({ size: 5 });
    expect(await refusal(400, '/auto', null, 'no gzip', ['Content-Encoding: gzip'])).toContain('not gzip');
    expect(incomingFiles(app().dataDir)).toEqual([]);
  });
});

describe('json', () => {
  for (const type of [
    null,
    'text/plain; charset=UTF-8',
    'text/plain',
    FORM,
    'image/png',
    'application/octet-stream',
    'json',
    ';',
    'multipart/form-data; boundary=x',
    'text/plain; charset=klingon',
  ]) {
    test(`reads JSON under ${type === null ? 'no type' : JSON.stringify(type)}`, async () => {
      for (const text of ['{"Type":"SubscriptionConfirmation"}', '5', '"a"', '[1.50]'])
        expect((await seen('/json', type, text)).body).toEqual(JSON.parse(text));
      expect(await refusal(400, '/json', type, 'a=1')).toContain('not valid JSON');
      expect(await refusal(400, '/json', type, '{"__proto__":1}')).toContain('__proto__');
      expect(await refusal(400, '/json', type, Uint8Array.from([0x22, 0xff, 0x22]))).toContain('utf-8');
      expect((await seen('/json', type, '')).body).toBeNull();
    });
  }

  for (const type of ['application/x-ndjson', 'application/ndjson', 'application/jsonl; charset=utf-8', 'application/x-jsonlines']) {
    test(`${type} is the list of its lines`, async () => {
      expect((await seen('/json', type, '{"a":1}\n\r\n[2]\r\n"x"')).body).toEqual([{ a: 1 }, [2], 'x']);
      expect((await seen('/json', type, '{"a":1}')).body).toEqual([{ a: 1 }]);
      expect(await refusal(400, '/json', type, '{"a":1}\n\n{"b":')).toContain('line 3 of the body is not valid JSON');
      expect(await refusal(400, '/json', type, '{"a":1}\n{"__proto__":1}')).toContain('line 2');
      expect(await refusal(413, '/json', type, '1\n'.repeat(100_001))).toContain('100000 lines');
      expect(await refusal(413, '/json', type, '\n'.repeat(5_000_000))).toContain('100000 lines');
    });
  }

  test('takes lines only where the type says that they are', async () => {
    expect(await refusal(400, '/json', 'text/plain', '{"a":1}\n{"a":2}')).toContain('not valid JSON');
  });
});

describe('form', () => {
  for (const type of [null, 'text/plain', 'application/json', 'nonsense']) {
    test(`reads a form under ${type ?? 'no type'}, and JSON in it is a name`, async () => {
      expect((await seen('/form', type, 'a=1&b=%C3%A9&a=2')).body).toEqual({ a: ['1', '2'], b: '\u00e9' });
      expect((await seen('/form', type, '{"a":1}')).body).toEqual({ '{"a":1}': '' });
      expect(await refusal(400, '/form', type, 'a=%E9')).toContain('field "a" is not utf-8 text');
      expect(await refusal(413, '/form', type, 'a&'.repeat(601))).toContain('600 fields');
    });
  }

  test('reads it in the character set of whatever type came, and multipart as multipart', async () => {
    expect((await seen('/form', 'text/plain; charset=windows-1251', 'a=%CF')).body).toEqual({ a: '\u041f' });
    const parts = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n';
    expect((await seen('/form', 'multipart/form-data; boundary=x', parts)).body).toEqual({ a: '1' });
  });
});

describe('text', () => {
  for (const type of [null, 'application/json', FORM, 'image/png', 'nonsense']) {
    test(`reads text under ${type ?? 'no type'}`, async () => {
      expect((await seen('/text', type, '{"a":\u00e9')).body).toBe('{"a":\u00e9');
      expect(await refusal(400, '/text', type, Uint8Array.from([0xe9]))).toContain('not utf-8 text');
    });
  }

  test('reads it in the character set that the type names', async () => {
    expect((await seen('/text', 'application/json; charset=windows-1251', Uint8Array.from([0xcf]))).body).toBe('\u041f');
    expect(await refusal(415, '/text', 'application/json; charset=klingon', 'x')).toContain('klingon');
  });
});

describe('raw', () => {
  for (const type of [null, 'application/json', FORM, 'text/plain', 'multipart/form-data; boundary=x', 'nonsense']) {
    test(`keeps what came under ${type ?? 'no type'} as a file`, async () => {
      const { body, files } = await seen('/raw', type, '{"a":1}');
      const named = type === null || type === 'nonsense' ? 'application/octet-stream' : type.split(';')[0];
      expect(body).toMatchObject({ name: 'body', size: 7, content_type: named });
      expect(files).toEqual([body]);
    });
  }
});

describe('a field of a form', () => {
  const github = `payload=${encodeURIComponent(JSON.stringify(push))}`;

  test('is the body, as JSON; its bytes are kept as they came, for a signature covers them', async () => {
    expect((await seen('/field', FORM, `${github}&other=1`)).body).toEqual(push);
    const answer = await send('/push', FORM, github, ['X-GitHub-Event: push', 'X-Hub-Signature-256: sha256=00']);
    expect(answer.body.output.s).toEqual({ ref: push.ref, size: 0, repo: 'a/b' });
    expect((await app().admin('GET', `/runs/${answer.runId}`)).body.request.body).toBe(github);
  });

  test('is JSON, in which text is no number, and blank text is a value', async () => {
    const form = (value: object): string => `payload=${encodeURIComponent(JSON.stringify(value))}`;
    expect(await refusal(422, '/push', FORM, form({ ref: 'x', size: '5' }))).toContain('input "size" must be integer');
    expect(await refusal(422, '/push', FORM, form({ ref: 'x', size: '' }))).toContain('input "size" must be integer');
    expect((await send('/push', FORM, form({ ref: '', size: 5 }))).body.output.s).toEqual({ ref: '', size: 5, repo: null });
  });

  test('may be part of a multipart form, beside files', async () => {
    const part = (head: string, content: string): string => `--x\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`;
    const type = 'multipart/form-data; boundary=x';
    const form = `${part('name="payload"', JSON.stringify(push))}${part('name="thumb"; filename="t.jpg"\r\nContent-Type: image/jpeg', 'x')}--x--\r\n`;
    expect(await seen('/field', type, form)).toMatchObject({ body: push, files: [{ name: 'thumb' }] });
    const typed = `${part('name="payload"\r\nContent-Type: application/json', JSON.stringify(push))}--x--\r\n`;
    expect((await seen('/field', type, typed)).body).toEqual(push);
    expect(await refusal(400, '/field', type, `${part('name="other"', '1')}--x--\r\n`)).toContain('no field "payload"');
  });

  test('leaves bodies of other types as they are: the sender may be told to send JSON at any time', async () => {
    expect((await seen('/field', 'application/json', JSON.stringify(push))).body).toEqual(push);
    expect((await seen('/field', null, JSON.stringify(push))).body).toEqual(push);
    expect((await seen('/field', FORM, JSON.stringify(push))).body).toEqual(push);
    expect((await seen('/field', 'text/plain', 'x')).body).toBe('x');
    expect((await seen('/field', FORM, '')).body).toBeNull();
  });

  const refused: [string, string, string][] = [
    ['a form without it', 'other=1', 'the form has no field "payload", which this sink reads as the body'],
    ['a form that has it twice', 'payload=%7B%7D&payload=%7B%7D', 'field "payload" came 2 times'],
    ['a form where it is empty', 'payload=', 'field "payload" is empty, but its type is JSON'],
    ['a form where it is no JSON', 'payload=%7B%22a%22', 'field "payload" is not valid JSON'],
    ['a form where it is poisoned', 'payload=%7B%22__proto__%22%3A1%7D', 'field "payload" has a key "__proto__"'],
    ['a form that cannot be decoded', 'payload=%FF', 'field "payload" is not utf-8 text'],
  ];
  for (const [what, form, reason] of refused) {
    test(`${what} is 400 that names the field`, async () => {
      const answer = await send('/field', FORM, form);
      expect(answer).toMatchObject({ status: 400, body: { triggered: false, error: { part: 'payload' } } });
      expect(answer.body.message).toContain(reason);
    });
  }
});

test('the setting is shown, exported and put back as it was written', async () => {
  const { body } = await app().admin('GET', '/apps/shop/sinks');
  const settings = Object.fromEntries(body.sinks.map((sink: any) => [sink.path, sink.body]));
  expect(settings).toMatchObject({ '/json': 'json', '/raw': 'raw', '/field': { form_field: 'payload' } });
  expect(settings['/auto']).toBeUndefined();
  const exported = (await app().admin('GET', '/definitions')).body;
  expect(exported.sinks.find(({ path }: any) => path === '/field').body).toEqual({ form_field: 'payload' });
  const diff = await app().admin('POST', '/definitions/diff', exported);
  expect(diff.status).toBe(200);
});
