// Multipart forms: fields, files on the disk, limits, and forms that are broken, abusive or abandoned.

import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { incomingFiles } from '../support/incoming-files.ts';
import { provoke } from '../support/provoke.ts';
import { sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp } from '../support/start-app.ts';
import { until } from '../support/until.ts';

const LIMITS = { file_bytes: 2000, field_bytes: 500, form_bytes: 100_000, files: 3, fields: 4 };

const app = shareApp({}, async (shared) => {
  await shared.workflow('seen', {
    steps: [
      { type: 'sluice/set@v1', name: 's', values: { body: '$request.body', type: '$request.content_type', files: '$request.files' } },
    ],
    outputs: [{ type: 'JsonField', name: 's', selector: '$steps.s.*' }],
  });
  await shared.sink({ path: '/seen', method: 'ANY', workflow_id: 'seen', response: 'wait' });
  await shared.sink({ path: '/small', workflow_id: 'seen', response: 'wait', limits: LIMITS });
});

interface Part {
  name?: string;
  filename?: string;
  type?: string;
  content: string | Buffer;
  /** In place of the Content-Disposition that name and filename make. */
  head?: string;
}

const TYPE = 'multipart/form-data; boundary=bnd';

function form(parts: Part[], { close = '--bnd--\r\n' } = {}): Uint8Array<ArrayBuffer> {
  const pieces = parts.flatMap(({ name = 'x', filename, type, content, head }) => [
    `--bnd\r\n${head ?? `Content-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}`}\r\n`,
    type === undefined ? '\r\n' : `Content-Type: ${type}\r\n\r\n`,
    content,
    '\r\n',
  ]);
  return new Uint8Array(Buffer.concat([...pieces, close].map((piece) => Buffer.from(piece as string))));
}

function send(body: Uint8Array<ArrayBuffer> | FormData, { type = TYPE as string | null, path = '/seen' } = {}): Promise<Response> {
  return provoke(app().url, () =>
    fetch(`${app().url}/shop${path}`, { method: 'POST', headers: type === null ? {} : { 'content-type': type }, body }),
  );
}

async function outputOf(response: Response): Promise<string> {
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return text;
}

async function seen(body: Uint8Array<ArrayBuffer> | FormData, options = {}): Promise<any> {
  return JSON.parse(await outputOf(await send(body, options))).output.s;
}

async function refusal(response: Promise<Response>, status: number): Promise<string> {
  const refused = await response;
  const body = (await refused.json()) as any;
  expect(refused.status, body.message).toBe(status);
  expect(body).toMatchObject({ triggered: false, run_id: null, message: body.error.message });
  return body.error.message;
}

const incoming = (): string[] => incomingFiles(app().dataDir);
const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
const blobPath = (hash: string): string => join(app().dataDir, 'blobs', hash.slice(0, 2), hash);

describe('a well-formed form', () => {
  test('gives its fields as text and its files as handles, the bytes on the disk as they were sent', async () => {
    const picture = randomBytes(200_000);
    const data = new FormData();
    data.append('title', 'Caf\u00e9');
    data.append('tag', 'a');
    data.append('tag', 'b');
    data.append('picture', new Blob([picture], { type: 'image/png' }), 'my cat.png');
    const { body, files, type } = await seen(data, { type: null });
    expect(type).toBe('multipart/form-data');
    expect(body).toEqual({ title: 'Caf\u00e9', tag: ['a', 'b'] });
    expect(files).toEqual([{ name: 'picture', filename: 'my cat.png', content_type: 'image/png', size: 200_000, sha256: sha256(picture) }]);
    expect(readFileSync(blobPath(sha256(picture))).equals(picture)).toBe(true);
    expect(incoming()).toEqual([]);
  });

  test('keeps the numbers of a JSON part as they are written', async () => {
    const part = { name: 'data', type: 'application/json', content: '{"score":0.50,"id":12345678901234567890}' };
    expect(await outputOf(await send(form([part])))).toContain('"body":{"data":{"score":0.50,"id":12345678901234567890}}');
  });

  test('keeps two JSON parts of one name apart, lists too', async () => {
    const part = (content: string): Part => ({ name: 'list', type: 'application/json', content });
    expect((await seen(form([part('[1,2]'), part('[3]')]))).body).toEqual({ list: [[1, 2], [3]] });
    expect((await seen(form([part('[1,2]')]))).body).toEqual({ list: [1, 2] });
  });

  test('may hold hundreds of files, each stored once', async () => {
    const parts = Array.from({ length: 250 }, (_, index) => ({ name: 'mask', filename: `m${index}.png`, content: `mask ${index % 10}` }));
    const { files } = await seen(form(parts));
    expect(files).toHaveLength(250);
    expect(new Set(files.map((file: any) => file.sha256)).size).toBe(10);
    expect(files[7]).toMatchObject({ filename: 'm7.png', size: 6, sha256: sha256('mask 7') });
  });

  test('of 600 files costs one sync for each and one for each folder, and gives them in their order', async () => {
    const parts = Array.from({ length: 600 }, (_, index) => ({ name: 'mask', filename: `m${index}.png`, content: `unseen mask ${index}` }));
    const probe = await open(import.meta.filename);
    const prototype = Object.getPrototypeOf(probe) as FileHandle;
    await probe.close();
    const syncs = [vi.spyOn(prototype, 'datasync'), vi.spyOn(prototype, 'sync')];
    try {
      const { files } = await seen(form(parts));
      expect(files.map(({ filename }: any) => filename)).toEqual(parts.map(({ filename }) => filename));
      const folders = new Set(files.map((file: any) => file.sha256.slice(0, 2)));
      expect(syncs.map(({ mock }) => mock.calls.length)).toEqual([600, expect.toBeOneOf([folders.size, folders.size + 1])]);
      for (const { sha256: hash } of files) expect(sha256(readFileSync(blobPath(hash)))).toBe(hash);
    } finally {
      for (const spy of syncs) spy.mockRestore();
    }
  });

  test('may hold an empty file, an empty field and nothing at all', async () => {
    const { body, files } = await seen(
      form([
        { name: 'file', filename: 'empty.bin', type: 'application/octet-stream', content: '' },
        { name: 'empty', content: '' },
      ]),
    );
    expect(body).toEqual({ empty: '' });
    expect(files).toEqual([{ name: 'file', filename: 'empty.bin', content_type: 'application/octet-stream', size: 0, sha256: sha256('') }]);
    expect((await seen(form([]))).body).toEqual({});
  });

  test('holds no file where a browser sent an input for which none was chosen', async () => {
    const chosen: Part = { name: 'photo', filename: '', type: 'application/octet-stream', content: '' };
    expect(await seen(form([chosen, { name: 'a', content: '1' }, chosen]))).toMatchObject({ body: { a: '1' }, files: [] });
    await app().workflow('optional', {
      inputs: [{ type: 'WorkflowParameter', name: 'photo', default_value: 'none' }],
      steps: [{ type: 'sluice/set@v1', name: 's', values: { photo: '$inputs.photo' } }],
      outputs: [{ type: 'JsonField', name: 'photo', selector: '$steps.s.photo' }],
    });
    await app().sink({ path: '/optional', workflow_id: 'optional', response: 'wait' });
    expect(await outputOf(await send(form([chosen]), { path: '/optional' }))).toContain('"output":{"photo":"none"}');
    // Bytes without a file name are a file all the same.
    const [file] = (await seen(form([{ ...chosen, content: '\0' }]))).files;
    expect(file).toMatchObject({ name: 'photo', filename: '', size: 1 });
  });

  test('gives the JSON of a Blob as a field, and a large one as a file', async () => {
    const data = new FormData();
    data.append('repository', new Blob(['{"full_name":"a/b","id":1.0}'], { type: 'application/json' }));
    data.append('repository', new Blob(['[1]'], { type: 'application/json;charset=utf-8' }));
    data.append('named', new Blob(['{}'], { type: 'application/json' }), 'named.json');
    data.append('text', new Blob(['{}'], { type: 'text/plain' }));
    const text = await outputOf(await send(data, { type: null }));
    expect(text).toContain('"body":{"repository":[{"full_name":"a/b","id":1.0},[1]]}');
    expect(JSON.parse(text).output.s.files.map(({ name, filename }: any) => [name, filename])).toEqual([
      ['named', 'named.json'],
      ['text', 'blob'],
    ]);
    const large = { name: 'd', filename: 'blob', type: 'application/json', content: `"${'x'.repeat(600)}"` };
    expect(await seen(form([large]), { path: '/small' })).toMatchObject({
      body: {},
      files: [{ name: 'd', filename: 'blob', content_type: 'application/json', size: 602, sha256: sha256(large.content) }],
    });
    expect(await refusal(send(form([{ ...large, content: '{' }])), 400)).toContain('field "d" is not valid JSON');
  });

  test('keeps brackets in the names of its fields, as they are', async () => {
    const parts = ['a[b]', 'a[]', 'a[]', 'a.b'].map((name, index) => ({ name, content: `${index}` }));
    expect((await seen(form(parts))).body).toEqual({ 'a[b]': '0', 'a[]': ['1', '2'], 'a.b': '3' });
  });

  test('keeps parts whose disposition is another than form-data, or missing', async () => {
    const heads = [
      'Content-Disposition: attachment; name="image"; filename="a.txt"\r\nContent-Type: text/plain',
      'Content-Disposition: file; name="other"; filename="b.txt"\r\nContent-Type: text/plain',
      'Content-Disposition: inline; name="field"',
      'X-Nothing: 1',
      'Content-Type: image/png',
    ];
    const { body, files } = await seen(form(heads.map((head, index) => ({ head, content: `precious ${index}` }))));
    expect(body).toEqual({ field: 'precious 2', '': 'precious 3' });
    expect(files.map((file: any) => [file.name, file.filename, file.sha256])).toEqual([
      ['image', 'a.txt', sha256('precious 0')],
      ['other', 'b.txt', sha256('precious 1')],
      ['', null, sha256('precious 4')],
    ]);
  });

  test('keeps lines that begin as its boundary does', async () => {
    const content = 'a\r\n--bndx\r\n--bnd--x\r\n--bnd-\r\n--bn';
    const { body, files } = await seen(
      form([
        { name: 'a', content },
        { name: 'f', filename: 'f.bin', content },
      ]),
    );
    expect(body).toEqual({ a: content });
    expect(files[0]).toMatchObject({ sha256: sha256(content) });
  });

  test('gives a file without a content type the one that its name and bytes tell', async () => {
    const png = '\x89PNG\r\n\x1a\n';
    const files = [
      ['image', '\xff\xd8\xff\xe0'],
      ['mask.png', png],
      ['predictions.json', '{}'],
      ['lies.jpg', png],
      ['data', 'x'],
    ] as const;
    const parts = files.map(([filename, content]) => ({ name: 'f', filename, content: Buffer.from(content, 'latin1') }));
    expect((await seen(form(parts))).files.map((file: any) => file.content_type)).toEqual([
      'image/jpeg',
      'image/png',
      'application/json',
      'application/octet-stream',
      'application/octet-stream',
    ]);
  });

  test('keeps the character set of a file that is no UTF-8 beside its type', async () => {
    const types = ['text/csv; charset=Windows-1252', 'text/csv; charset=UTF-8', 'Text/CSV', 'text/csv; charset="a b"'];
    const { files } = await seen(form(types.map((type) => ({ name: 'f', filename: 'f.csv', type, content: 'x' }))));
    expect(files.map((file: any) => file.content_type)).toEqual(['text/csv; charset=windows-1252', 'text/csv', 'text/csv', 'text/csv']);
  });

  test('decodes parts that are base64 or quoted-printable, files too', async () => {
    const head = (name: string, encoding: string): string =>
      `Content-Disposition: form-data; ${name}\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: ${encoding}`;
    const { body, files } = await seen(
      form([
        { head: head('name="f"; filename="a.txt"', 'base64'), content: 'aGVs\r\nbG8=' },
        { head: head('name="q"', 'quoted-printable'), content: 'caf=C3=A9 =\r\n=3D' },
        { head: head('name="b"', '8bit'), content: 'aGVsbG8=' },
      ]),
    );
    expect(body).toEqual({ q: 'café =', b: 'aGVsbG8=' });
    expect(files).toMatchObject([{ size: 5, sha256: sha256('hello') }]);
    for (const [encoding, content] of [
      ['base64', 'no base64!'],
      ['quoted-printable', '='.repeat(3)],
      ['x-uuencode', 'x'],
    ] as const)
      expect(await refusal(send(form([{ head: head('name="f"; filename="a.txt"', encoding), content }])), 400)).toContain('part "f"');
    expect(incoming()).toEqual([]);
  });

  test('is recognised in any case and with a quoted boundary', async () => {
    for (const type of [
      'Multipart/Form-Data; boundary=bnd',
      'multipart/form-data;boundary="bnd"',
      'multipart/form-data; charset=utf-8; boundary=bnd',
    ])
      expect((await seen(form([{ name: 'a', content: '1' }]), { type })).body).toEqual({ a: '1' });
  });

  test('binds a workflow input to the file of its name', async () => {
    await app().workflow('upload', {
      inputs: [{ type: 'WorkflowParameter', name: 'picture' }],
      steps: [{ type: 'sluice/set@v1', name: 's', values: { size: '$inputs.picture.size' } }],
      outputs: [{ type: 'JsonField', name: 's', selector: '$steps.s.size' }],
    });
    await app().sink({ path: '/upload', workflow_id: 'upload', response: 'wait' });
    const sent = await send(form([{ name: 'picture', filename: 'a', content: '12345' }]), { path: '/upload' });
    expect(await outputOf(sent)).toContain('"output":{"s":5}');
    expect(await refusal(send(form([{ name: 'other', filename: 'a', content: '1' }]), { path: '/upload' }), 422)).toContain('"picture"');
  });
});

describe('names', () => {
  const filenames: [string, string][] = [
    ['../../../../pwn_dots', 'pwn_dots'],
    ['/etc/pwn_absolute', 'pwn_absolute'],
    ['..\\\\..\\\\pwn_backslash', 'pwn_backslash'],
    ['C:\\\\pwn_drive', 'pwn_drive'],
    ['pwn_nul\0.png', 'pwn_nul.png'],
    ['pwn_\u0007bell', 'pwn_bell'],
    ['..', ''],
    ['%22quoted%22.txt', '"quoted".txt'],
    [`${'x'.repeat(300)}`, 'x'.repeat(255)],
  ];
  for (const [sent, shown] of filenames) {
    test(`a file called ${JSON.stringify(sent).slice(0, 40)} is shown without folders and stored under its hash alone`, async () => {
      const response = await send(form([{ name: 'f', filename: sent, content: 'content of the file' }]));
      if (response.status === 400) return expect(await refusal(Promise.resolve(response), 400)).toContain('malformed');
      const { files } = JSON.parse(await outputOf(response)).output.s;
      expect(files[0]).toMatchObject({ filename: shown, sha256: sha256('content of the file') });
      const names = readdirSync(app().dataDir, { recursive: true }) as string[];
      expect(names.filter((name) => name.includes('pwn'))).toEqual([]);
    });
  }

  test('a file name is what filename* says where both came', async () => {
    const head = 'Content-Disposition: form-data; name="f"; filename="=?utf-8?B?w6kucGRm?="; filename*=utf-8\'\'%C3%A9.pdf';
    expect((await seen(form([{ head, content: 'x' }]))).files).toMatchObject([{ name: 'f', filename: 'é.pdf' }]);
  });

  test('a field may be called as what every object has', async () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty', 'prototype', '__proto__'])
      expect(await outputOf(await send(form([{ name, content: 'McLaren' }])))).toContain(`"body":{"${name}":"McLaren"}`);
  });

  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    test(`a field or a file called ${name} is refused or plain, and pollutes nothing`, async () => {
      for (const part of [
        { name, content: 'x' },
        { name, filename: 'f', content: 'x' },
        { name: `${name}[polluted]`, content: 'x' },
      ]) {
        const response = await send(form([part]));
        expect([200, 400]).toContain(response.status);
        await response.text();
        expect(({} as { polluted?: string }).polluted).toBeUndefined();
        expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
      }
    });
  }

  test('a JSON part is held to what holds for JSON', async () => {
    const part = (content: string): Part => ({ name: 'd', type: 'application/json', content });
    expect(await refusal(send(form([part('{"__proto__":{"polluted":1}}')])), 400)).toContain('__proto__');
    expect(await refusal(send(form([part('{broken')])), 400)).toContain('JSON');
    expect(await refusal(send(form([part(`${'['.repeat(200)}${']'.repeat(200)}`)])), 400)).toContain('deeper');
  });
});

test('a part without a name has an empty one', async () => {
  const head = 'Content-Disposition: form-data; filename="a.bin"\r\nContent-Type: application/octet-stream';
  const { files } = await seen(form([{ head, content: 'x' }]));
  expect(files).toMatchObject([{ name: '', filename: 'a.bin' }]);
  const { body } = await seen(form([{ head: 'Content-Disposition: form-data', content: 'x' }]));
  expect(body).toEqual({ '': 'x' });
});

describe('character sets', () => {
  const text = (name: string, content: Buffer, type?: string): Part => ({ name, content, ...(type === undefined ? {} : { type }) });
  const E9 = Buffer.from('caf\xe9', 'latin1');
  const UTF8 = Buffer.from('café');
  const WINDOWS = 'multipart/form-data; boundary=bnd; charset=windows-1252';

  test('of a part, of the form, of the field _charset_ and of the field charsets count, the nearest first', async () => {
    expect((await seen(form([text('a', E9, 'text/plain; charset=windows-1252'), text('b', UTF8)]))).body).toEqual({ a: 'café', b: 'café' });
    expect((await seen(form([text('a', E9), text('b', UTF8, 'text/plain; charset=utf-8')]), { type: WINDOWS })).body).toEqual({
      a: 'café',
      b: 'café',
    });
    const told = form([text('a', E9), { name: '_charset_', content: 'windows-1252' }, text('b', Buffer.from([0x80]))]);
    expect((await seen(told)).body).toEqual({ a: 'café', _charset_: 'windows-1252', b: '\u20ac' });
    const charsets = '{"to":"UTF-8","text":"iso-8859-1","html":"Shift_JIS","odd":7}';
    const mail = form([
      text('to', UTF8),
      text('text', E9),
      text('html', Buffer.from([0x82, 0xa0])),
      { name: 'charsets', content: charsets },
    ]);
    expect((await seen(mail)).body).toEqual({ to: 'café', text: 'café', html: '\u3042', charsets });
  });

  test('count for the names of fields and files that are not UTF-8', async () => {
    const head = (type: string): Buffer =>
      Buffer.from(`--bnd\r\nContent-Disposition: form-data; name="caf\xe9${type}\r\n\r\nx\r\n`, 'latin1');
    const body = new Uint8Array(Buffer.concat([head('"'), head('s"; filename="\xe9.txt"'), Buffer.from('--bnd--\r\n')]));
    expect(await seen(body, { type: WINDOWS })).toMatchObject({ body: { café: 'x' }, files: [{ name: 'cafés', filename: 'é.txt' }] });
    expect(await refusal(send(body), 400)).toContain('part 1 has a name that is not utf-8');
    expect(incoming()).toEqual([]);
  });

  test('in which a field is no text, or which are not known, are refused with the name of the part', async () => {
    const refused: [Part[], string, string][] = [
      [[text('a', E9)], TYPE, 'field "a" is not utf-8 text'],
      [[text('a', E9, 'text/plain; charset=utf-8')], WINDOWS, 'field "a" is not utf-8 text'],
      [[text('a', Buffer.from([0x81]))], `${TYPE}; charset=shift_jis`, 'field "a" is not shift_jis text'],
      [[text('a', UTF8, 'text/plain; charset=klingon')], TYPE, 'field "a" has the character set "klingon", which is not known'],
      [[text('a', UTF8)], `${TYPE}; charset=klingon`, 'field "a" has the character set "klingon", which is not known'],
      [[text('a', UTF8), { name: '_charset_', content: 'klingon' }], TYPE, 'field "_charset_" names the character set "klingon"'],
      [[text('a', E9), { name: 'charsets', content: '{"a":"klingon"}' }], TYPE, 'field "a" is not utf-8 text'],
    ];
    for (const [parts, type, expected] of refused) expect(await refusal(send(form(parts), { type }), 400)).toContain(expected);
  });

  test('say nothing of a JSON part, which is UTF-8', async () => {
    const part = (content: Buffer): Part => text('d', content, 'application/json; charset=iso-8859-1');
    expect((await seen(form([part(Buffer.from('"café"'))]), { type: WINDOWS })).body).toEqual({ d: 'café' });
    expect(await refusal(send(form([part(Buffer.from('"caf\xe9"', 'latin1'))])), 400)).toContain('field "d" is not utf-8 text');
  });

  test('are unchanged by a field charsets of another meaning', async () => {
    for (const content of ['utf-8', '["a"]', '{broken', 'null', '{"constructor":"x"}'])
      expect((await seen(form([{ name: 'charsets', content }, text('a', UTF8)]))).body).toEqual({ charsets: content, a: 'café' });
  });
});

describe('a broken form', () => {
  const file = { name: 'f', filename: 'f.bin', content: 'x'.repeat(5000) };
  const whole = form([{ name: 'a', content: '1' }, file]);
  const broken: [string, Uint8Array<ArrayBuffer>, string][] = [
    ['without a boundary in its type', whole, 'multipart/form-data'],
    ['with an empty boundary', whole, 'multipart/form-data; boundary='],
    ['with another boundary than its type says', whole, 'multipart/form-data; boundary=other'],
    ['that ends amid a file', whole.slice(0, 3000), TYPE],
    ['that ends amid the head of a part', whole.slice(0, 40), TYPE],
    ['that ends amid the first boundary', whole.slice(0, 3), TYPE],
    ['without its last boundary', form([file], { close: '' }), TYPE],
    ['that is no form at all', new Uint8Array(Buffer.from('{"a":1}')), TYPE],
    ['with a field that is not text', form([{ name: 'a', content: Buffer.from([0xff, 0xfe, 0x80]) }]), TYPE],
  ];
  for (const [what, body, type] of broken) {
    test(`${what} is 400 that says so, and leaves nothing behind`, async () => {
      expect(await refusal(send(body, { type }), 400)).toMatch(/multipart|field "a"/);
      expect(incoming()).toEqual([]);
    });
  }

  test('with a head that cannot be understood is refused with its part', async () => {
    for (const head of [
      'Content-Disposition',
      'Content-Disposition: form-data; name="a',
      'Content-Disposition: form-data; name="a"; name="b"',
      'Content-Disposition: form-data; name="a"\nContent-Type: text/plain',
      'Content-Disposition: form-data; name="a"\r\nContent-Type: nonsense',
    ]) {
      const response = await send(
        form([
          { name: 'first', filename: 'f', content: 'x' },
          { head, content: 'x' },
        ]),
      );
      const body = (await response.json()) as any;
      expect(response.status, head).toBe(400);
      expect(body.error).toMatchObject({ code: 'invalid', part: 'part 2', message: expect.stringContaining('part 2 has') });
      expect(incoming()).toEqual([]);
    }
  });

  test('with thousands of header lines in a part does not make the server fail', async () => {
    const head = `Content-Disposition: form-data; name="a"\r\n${Array.from({ length: 3000 }, (_, index) => `X-${index}: y`).join('\r\n')}`;
    expect(await refusal(send(form([{ head, content: 'x' }])), 400)).toContain('part 1');
  });
});

describe('limits', () => {
  const small = (parts: Part[]): Promise<Response> => send(form(parts), { path: '/small' });
  const field = (name: string, size = 1): Part => ({ name, content: 'x'.repeat(size) });
  const file = (name: string, size = 1): Part => ({ name, filename: `${name}.bin`, content: 'x'.repeat(size) });

  test('are taken to the last byte and the last part', async () => {
    const parts = [file('a', 2000), file('b'), file('c'), field('d', 500), field('e'), field('f'), field('g')];
    expect((await seen(form(parts), { path: '/small' })).files).toHaveLength(3);
  });

  const beyond: [string, Part[], string][] = [
    ['a file one byte too large', [file('a', 2001)], 'part "a" is larger than the 2000 bytes'],
    ['a file much too large', [file('a', 90_000)], 'part "a" is larger than the 2000 bytes'],
    ['a field one byte too large', [field('d', 501)], 'part "d" is larger than the 500 bytes'],
    ['a file too many', [file('a'), file('b'), file('c'), file('d')], 'more than the 3 files'],
    ['a field too many', [field('a'), field('b'), field('c'), field('d'), field('e')], 'more than the 4 fields'],
    [
      'a file input too many for which no file was chosen',
      Array.from({ length: 8 }, () => ({ name: 'n', filename: '', content: '' })),
      'more than 7 file inputs for which no file was chosen',
    ],
    ['a whole that is too large', [file('a', 101_000)], '100000 bytes'],
    ['a large file behind good ones', [field('d'), file('a'), file('b', 50_000)], 'part "b" is larger'],
  ];
  for (const [what, parts, reason] of beyond) {
    test(`${what} is 413 that names it, and leaves nothing behind`, async () => {
      expect(await refusal(small(parts), 413)).toContain(reason);
      expect(incoming()).toEqual([]);
    });
  }

  test('hold for twenty thousand parts', async () => {
    const parts = Array.from({ length: 20_000 }, (_, index) => field(`f${index}`));
    expect(await refusal(send(form(parts)), 413)).toContain('600 fields');
    expect(await refusal(small(parts.slice(0, 1500).map(({ name }) => file(name as string))), 413)).toMatch(/3 files|100000 bytes/);
    expect(incoming()).toEqual([]);
  });

  test('hold for a form in chunks whose size nobody announced', async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(form([file('a', 2000)], { close: '' }));
        for (let count = 0; count < 10; count += 1) controller.enqueue(form([file('b', 90_000)], { close: '' }));
        controller.close();
      },
    });
    const response = fetch(`${app().url}/shop/small`, {
      method: 'POST',
      headers: { 'content-type': TYPE },
      body,
      duplex: 'half',
    } as RequestInit);
    expect(await refusal(response, 413)).toContain('part "b"');
    expect(incoming()).toEqual([]);
  });

  test('leave the connection usable for the next request, or close it: it never hangs', async () => {
    for (const parts of [[file('a', 50_000)], [field('d', 50_000)], [file('a'), file('b'), file('c'), file('d', 50_000)]]) {
      const body = Buffer.from(form(parts)).toString('latin1');
      const head = `POST /shop/small HTTP/1.1\r\nHost: x\r\nContent-Type: ${TYPE}\r\nContent-Length: ${body.length}\r\n\r\n`;
      const next = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
      const { text } = await sendRaw(app().url, head + body + next, { untilClosed: true });
      expect(text).toMatch(/^HTTP\/1\.1 413 /);
      expect(text.includes('connection: close') || text.includes('{"status":"ok"}')).toBe(true);
    }
  });
});

describe('callers that go away amid an upload', () => {
  const head = (type: string): string => `POST /shop/seen HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 1000000\r\n\r\n`;
  const starts = [
    `${head(TYPE)}--bnd\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n${'x'.repeat(10_000)}`,
    `${head('image/png')}${'x'.repeat(10_000)}`,
    `${head('application/json')}${'['.repeat(10_000)}`,
  ];

  test('leave a refusal in the list, but no file, no run and no error in the log', async () => {
    // Among many refusals of one client they would be folded.
    const fresh = await startTestApp();
    await fresh.sink({ path: '/seen' });
    const coming = (): string[] => incomingFiles(fresh.dataDir);
    const sockets = await Promise.all(
      starts.map(async (start) => {
        const socket = connect(Number(new URL(fresh.url).port), '127.0.0.1');
        await new Promise((resolve) => socket.write(start, resolve));
        return socket;
      }),
    );
    await until('the uploads to begin', () => coming().length === 2);
    for (const socket of sockets) socket.destroy();
    await until('the uploads to be cleaned up', () => coming().length === 0);
    const recorded = await until('the refusals to be recorded', async () => {
      const { rejections } = (await fresh.admin('GET', '/rejections?limit=500')).body;
      const gone = rejections.filter(({ message }: any) => message === 'the connection closed before the whole body arrived');
      return gone.reduce((sum: number, { count }: any) => sum + count, 0) === starts.length && gone;
    });
    for (const rejection of recorded)
      expect(rejection).toMatchObject({ app_id: 'shop', path: '/shop/seen', code: 'invalid', client_ip: '127.0.0.1' });
    expect((await fresh.admin('GET', '/runs')).body.runs).toEqual([]);
    expect(fresh.logs.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});
