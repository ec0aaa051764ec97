// sluice/read_file@v1: the contents of received files, and files that cannot be read.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FileHandle } from '../../src/core/run/request.ts';
import { readFile } from '../../src/steps/sluice/read-file.ts';
import { sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { planOfKind, stepContext } from './roboflow/step-context.ts';

const app = shareApp({}, async (shared) => {
  for (const [id, fields] of Object.entries({
    text: { file: '$request.body' },
    json: { file: '$request.body', as: 'json' },
    small: { file: '$request.body', max_bytes: 10 },
    cyrillic: { file: '$request.body', charset: '$request.query.charset' },
    part: { file: '$inputs.report' },
    survives: { file: '$request.body', on_failure: ['$steps.after'] },
  })) {
    await shared.workflow(id, {
      inputs: id === 'part' ? [{ type: 'WorkflowParameter', name: 'report' }] : [],
      steps: [
        { type: 'sluice/read_file@v1', name: 'r', ...fields },
        ...(id === 'survives' ? [{ type: 'sluice/set@v1', name: 'after', values: { code: '$steps.r.error.code' } }] : []),
      ],
      outputs: [
        { type: 'JsonField', name: 'content', selector: '$steps.r.content' },
        ...(id === 'survives' ? [{ type: 'JsonField', name: 'code', selector: '$steps.after.code' }] : []),
      ],
    });
    await shared.sink({ path: `/${id}`, workflow_id: id, response: 'wait', body: id === 'part' ? 'auto' : 'raw' });
  }
});

async function send(
  path: string,
  body: string | Uint8Array<ArrayBuffer> | FormData,
): Promise<{ status: number; body: any; runId: string }> {
  const headers = body instanceof FormData ? {} : { 'content-type': 'application/octet-stream' };
  const response = await fetch(`${app().url}/shop${path}`, { method: 'POST', headers, body });
  return { status: response.status, body: await response.json(), runId: response.headers.get('x-run-id') as string };
}

const latin1 = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'latin1'));

describe('reading a received file', () => {
  const texts: [string, Uint8Array<ArrayBuffer>, string][] = [
    ['text in UTF-8', new Uint8Array(Buffer.from('h\u00e9llo\n')), 'h\u00e9llo\n'],
    ['text with a byte order mark', new Uint8Array(Buffer.from('\ufeffa;b')), 'a;b'],
    ['text in UTF-16 with a mark', new Uint8Array(Buffer.from('\ufeffh\u00e9', 'utf16le')), 'h\u00e9'],
    ['XML', latin1('<?xml version="1.0"?><a/>'), '<?xml version="1.0"?><a/>'],
    [
      'XML with a declared encoding',
      latin1('<?xml version="1.0" encoding="ISO-8859-1"?><a>\u00e9</a>'),
      '<?xml version="1.0" encoding="ISO-8859-1"?><a>\u00e9</a>',
    ],
    [
      'XML in windows-1251',
      latin1("<?xml version='1.0' encoding='windows-1251'?><a>\u00cf</a>"),
      "<?xml version='1.0' encoding='windows-1251'?><a>\u041f</a>",
    ],
    ['JSON, as text', latin1('{"a":1.0}'), '{"a":1.0}'],
  ];
  for (const [what, bytes, content] of texts) {
    test(`a received file is read as text, also in a replay: ${what}`, async () => {
      const answer = await send('/text', bytes);
      expect(answer.body).toMatchObject({ status: 'completed', output: { content } });
      const replay = await app().admin('POST', `/runs/${answer.runId}/replay`);
      await fetch(`${app().url}/runs/${replay.body.run_id}/events`).then((response) => response.text());
      expect((await app().admin('GET', `/runs/${replay.body.run_id}`)).body.output).toEqual({ content });
    });
  }

  test('a received file is read as JSON, with the digits of its numbers', async () => {
    expect((await send('/json', '\ufeff{"a":[1,{"b":null}]}')).body.output.content).toEqual({ a: [1, { b: null }] });
    const response = await fetch(`${app().url}/shop/json`, { method: 'POST', body: '{"id":12345678901234567890,"price":1.50}' });
    expect(await response.text()).toContain('{"id":12345678901234567890,"price":1.50}');
  });

  test('a received file is read in the character set that the workflow names', async () => {
    expect((await send('/cyrillic?charset=windows-1251', latin1('\u00cf'))).body.output.content).toBe('\u041f');
    expect((await send('/cyrillic?charset=klingon', 'x')).body.error).toMatchObject({
      code: 'invalid_file',
      message: expect.stringContaining('"klingon" is not a known character set'),
    });
  });

  test('a file in a form can be read', async () => {
    const form = new FormData();
    form.set('report', new Blob(['<a>1</a>'], { type: 'application/xml' }), 'r.xml');
    expect((await send('/part', form)).body).toMatchObject({ output: { content: '<a>1</a>' } });
  });

  test('many runs can read one file at once', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => send('/text', `file ${index}`)));
    expect(answers.map(({ body }) => body.output.content)).toEqual(answers.map((_, index) => `file ${index}`));
  });
});

describe('files that cannot be read', () => {
  const failures: [string, string, string | Uint8Array<ArrayBuffer>, string, string][] = [
    ['bytes that are not text', '/text', Uint8Array.from([0xff, 0x00, 0xff]), 'invalid_file', 'file "body" is not utf-8 text; set charset'],
    [
      'XML that declares another encoding',
      '/text',
      latin1('<?xml version="1.0" encoding="utf-8"?><a>\u00e9</a>'),
      'invalid_file',
      'is not utf-8 text',
    ],
    ['broken JSON', '/json', '{"a":', 'invalid_file', 'file "body" is not valid JSON: '],
    ['endlessly nested JSON', '/json', '['.repeat(200_000), 'invalid_file', 'is not valid JSON'],
    ['a file beyond max_bytes', '/small', '12345678901', 'file_too_large', 'file "body" has 11 bytes, but max_bytes is 10'],
    ['an empty body', '/text', '', 'no_file', 'file must be a file that came with the request'],
  ];
  for (const [what, path, body, code, message] of failures) {
    test(`reading fails with a reason for ${what}`, async () => {
      expect(await send(path, body)).toMatchObject({
        status: 502,
        body: { error: { code, message: expect.stringContaining(message), step: 'r' } },
      });
    });
  }

  test('a run continues by on_failure after reading has failed', async () => {
    expect((await send('/survives', Uint8Array.from([0xff]))).body).toMatchObject({
      status: 'completed',
      output: { code: 'invalid_file' },
    });
  });

  test('reading fails for a file whose blob is missing', async () => {
    const first = await send('/text', 'soon gone');
    const { sha256 } = (await app().admin('GET', `/runs/${first.runId}`)).body.request.files[0];
    rmSync(join(app().dataDir, 'blobs', sha256.slice(0, 2), sha256));
    const replay = await app().admin('POST', `/runs/${first.runId}/replay`);
    await fetch(`${app().url}/runs/${replay.body.run_id}/events`).then((response) => response.text());
    expect((await app().admin('GET', `/runs/${replay.body.run_id}`)).body.error).toMatchObject({
      code: 'file_unreadable',
      message: 'file "body": it is no longer stored',
    });
  });
});

test('reading fails for a file that was altered on disk', async () => {
  const first = await send('/text', 'as it came');
  const { sha256 } = (await app().admin('GET', `/runs/${first.runId}`)).body.request.files[0];
  writeFileSync(join(app().dataDir, 'blobs', sha256.slice(0, 2), sha256), 'as it left');
  const replay = await app().admin('POST', `/runs/${first.runId}/replay`);
  await fetch(`${app().url}/runs/${replay.body.run_id}/events`).then((response) => response.text());
  const { error, output } = (await app().admin('GET', `/runs/${replay.body.run_id}`)).body;
  expect(output).toBeUndefined();
  expect(error).toEqual({ code: 'file_unreadable', message: expect.stringContaining('altered on the disk'), step: 'r' });
});

describe('values that are not received files', () => {
  const FILE: FileHandle = { name: 'f', filename: 'f.txt', content_type: 'text/plain', size: 3, sha256: 'a'.repeat(64) };
  const context = stepContext({ roots: { inputs: {}, steps: {}, request: { files: [FILE] } } });

  test('a value that only looks like a handle is never read', () => {
    expect(planOfKind(readFile.plan({ file: FILE }, context), 'read')).toEqual({ kind: 'read', sha256: FILE.sha256 });
    for (const file of [null, 'f.txt', '/etc/passwd', 5, [FILE], { ...FILE, sha256: 'b'.repeat(64) }, { path: '/etc/passwd' }, {}])
      expect(readFile.plan({ file }, context)).toMatchObject({ kind: 'failed', error: { code: 'no_file' } });
  });

  test('a handle in a JSON body is refused', async () => {
    const first = await send('/text', 'secret of another');
    const { files } = (await app().admin('GET', `/runs/${first.runId}`)).body.request;
    await app().sink({ path: '/imitated', workflow_id: 'text', response: 'wait' });
    const response = await fetch(`${app().url}/shop/imitated`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(files[0]),
    });
    expect(((await response.json()) as any).error).toMatchObject({ code: 'no_file' });
  });
});

test('a workflow test reads a given file', async () => {
  const directory = tempDir();
  const definition = {
    version: '1.0',
    inputs: [{ type: 'WorkflowParameter', name: 'report' }],
    steps: [{ type: 'sluice/read_file@v1', name: 'r', file: '$inputs.report', as: 'json' }],
    outputs: [{ type: 'JsonField', name: 'content', selector: '$steps.r.content' }],
  };
  writeFileSync(join(directory, 'w.json'), JSON.stringify(definition));
  writeFileSync(join(directory, 'r.json'), '{"a":1.0}');
  const { code, stdout } = await sluice(['workflow', 'test', join(directory, 'w.json'), '--file', `report=@${join(directory, 'r.json')}`]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '{"content":{"a":1.0}}\n' });
});
