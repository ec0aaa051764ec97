// The bytes of a run: its body, its outputs and its files, whole and in ranges.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sendingSteps } from '../support/sending-steps.ts';
import { shareApp } from '../support/shared-app.ts';
import { ADMIN_TOKEN } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const SECRET = 'hunter2-and-more';
const PNG = Buffer.from('\x89PNG\r\n\x1a\n and the rest of it', 'latin1');
const output = (name: string, selector: string): object => ({ type: 'JsonField', name, selector });
const set = (name: string, values: object): object => ({ type: 'sluice/set@v1', name, values });

const dataDir = tempDir(afterAll);
const settings = { secrets_allow: 'API_KEY' };
const app = shareApp({ dataDir, stepTypes: sendingSteps, environment: { API_KEY: SECRET }, settings }, async (shared) => {
  await shared.workflow('copies', { steps: [set('one', { all: '$request.body' })], outputs: [output('all', '$steps.one.all')] });
  await shared.workflow('secretive', {
    steps: [
      { type: 'test/secret@v1', name: 'secret', variable: 'API_KEY' },
      set('s', { before: '$request.body', it: '$steps.secret.value', again: '$steps.secret.value' }),
    ],
    outputs: [output('all', '$steps.s.*')],
  });
  for (const id of ['copies', 'secretive']) await shared.sink({ path: `/${id}`, workflow_id: id, response: 'wait' });
});

async function run(path: string, request: RequestInit): Promise<string> {
  const response = await fetch(`${app().url}/shop${path}`, { method: 'POST', ...request });
  expect(response.status, await response.text()).toBe(200);
  return response.headers.get('x-run-id') as string;
}

const json = (body: string): RequestInit => ({ headers: { 'content-type': 'application/json' }, body });

function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
  return fetch(`${app().url}/api/v1${path}`, { method, headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...headers } });
}

async function bytesOf(path: string, range?: string): Promise<Buffer> {
  const response = await get(path, range === undefined ? {} : { range });
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(response.status, bytes.toString('utf8', 0, 500)).toBe(range === undefined ? 200 : 206);
  expect(response.headers.get('content-length')).toBe(String(bytes.length));
  return bytes;
}

/** Ranges of a size, joined. */
async function inRanges(path: string, size: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let from = 0; ; from += size) {
    const response = await get(path, { range: `bytes=${from}-${from + size - 1}` });
    if (response.status === 416) return Buffer.concat(pieces);
    expect(response.status).toBe(206);
    pieces.push(Buffer.from(await response.arrayBuffer()));
    expect(response.headers.get('content-range')).toMatch(new RegExp(`^bytes ${from}-${from + (pieces.at(-1)?.length ?? 0) - 1}/\\d+$`));
  }
}

describe('the outputs of a step and of the run', () => {
  const BODY = '{"text":"ü€😀","price":1.0}';
  const paths = (runId: string): string[] => [`/runs/${runId}/steps/one/1/outputs`, `/runs/${runId}/output`];

  test('are the JSON text of the document, whole and in ranges', async () => {
    for (const path of paths(await run('/copies', json(BODY)))) {
      const whole = await bytesOf(path);
      expect(whole.toString()).toBe(`{"all":${BODY}}`);
      for (const size of [1, 7, 100]) expect((await inRanges(path, size)).equals(whole)).toBe(true);
      expect((await bytesOf(path, 'bytes=-5')).equals(whole.subarray(-5))).toBe(true);
    }
  });

  test('may be of many megabytes', async () => {
    const body = JSON.stringify({ text: 'ü'.repeat(2_500_000), end: 1 });
    for (const path of [...paths(await run('/copies', json(body)))]) {
      expect((await bytesOf(path)).toString()).toBe(`{"all":${body}}`);
      expect((await bytesOf(path, 'bytes=4999000-5000020')).toString('latin1')).toBe(
        Buffer.from(`{"all":${body}}`).subarray(4_999_000, 5_000_021).toString('latin1'),
      );
    }
  });

  test('are nothing that a browser shows or a cache keeps', async () => {
    for (const path of paths(await run('/copies', json(BODY)))) {
      const { headers } = await get(path);
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-type': 'application/octet-stream',
        'content-disposition': 'attachment',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'accept-ranges': 'bytes',
      });
    }
  });

  test('answer HEAD with their size alone, and a range beyond the end with 416 and the size', async () => {
    for (const path of paths(await run('/copies', json(BODY)))) {
      const head = await get(path, { range: 'bytes=0-1' }, 'HEAD');
      const size = Buffer.byteLength(BODY) + 8;
      expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, String(size), '']);
      const beyond = await get(path, { range: `bytes=${size}-` });
      expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${size}`]);
      expect(await beyond.json()).toMatchObject({
        error: { code: 'range_not_satisfiable', message: expect.stringContaining(String(size)) },
      });
    }
  });

  test('are 404 for a step, a visit or a run that there is not, and 400 for what is no visit', async () => {
    const runId = await run('/copies', json(BODY));
    const stranger = `${runId.slice(0, -1)}${runId.endsWith('0') ? '1' : '0'}`;
    const captured = await run('/copies', json(BODY));
    for (const path of [
      `/runs/${stranger}/output`,
      `/runs/${stranger}/steps/one/1/outputs`,
      `/runs/__proto__/steps/one/1/outputs`,
      `/runs/${captured}/steps/one/2/outputs`,
      `/runs/${captured}/steps/one/9007199254740991/outputs`,
      ...['two', '__proto__', 'constructor', '..%2Fone', 'a%2Fb%2Fc', "o'ne", '%00', 'each%5B%5D.s', 'x'.repeat(4000)].map(
        (name) => `/runs/${captured}/steps/${name}/1/outputs`,
      ),
    ])
      expect((await get(path)).status, path).toBe(404);
    for (const visit of ['0', '-1', '1.5', 'x', '9007199254740993'])
      expect((await get(`/runs/${captured}/steps/one/${visit}/outputs`)).status, visit).toBe(400);
    expect((await fetch(`${app().url}/api/v1/runs/${runId}/output`)).status).toBe(401);
  });
});

describe('a secret in an output', () => {
  const FILLER = 'é'.repeat(40_000);
  let runId = '';
  beforeAll(async () => {
    runId = await run('/secretive', json(JSON.stringify({ filler: FILLER })));
  });

  test.each(['steps/s/1/outputs', 'output', 'steps/secret/1/outputs'])(
    '%s is masked as in the document, and no range shows a part of it',
    async (part) => {
      const path = `/runs/${runId}/${part}`;
      const { body } = await app().admin('GET', `/runs/${runId}`);
      const shown = part === 'output' ? body.output : body.steps.find(({ step }: any) => part.includes(`/${step}/`)).outputs;
      const whole = await bytesOf(path);
      expect(JSON.parse(whole.toString())).toEqual(shown);
      expect(whole.toString()).toContain('********');
      const from = Math.max(0, whole.indexOf('*') - 60);
      for (let at = from; at < Math.min(whole.length, from + 140); at += 1) {
        const window = await bytesOf(path, `bytes=${at}-${at + 9}`);
        expect(window.equals(whole.subarray(at, at + 10))).toBe(true);
        expect(window.toString('latin1')).not.toMatch(/sluice|hunter|secret\./);
      }
      expect((await inRanges(path, 20_000)).equals(whole)).toBe(true);
    },
  );
});

test('a reader that goes away leaves no memory reserved', async () => {
  // What looks like a placeholder is looked for in the whole.
  const body = JSON.stringify({ filler: `sluice-secret.X.${'é'.repeat(4_000_000)}` });
  const used = async (): Promise<number> => ((await (await fetch(`${app().url}/readyz`)).json()) as any).memory.answers.used;
  const runId = await run('/copies', json(body));
  for (const path of [`/runs/${runId}/output`, `/runs/${runId}/body`]) {
    const abort = new AbortController();
    const { url } = app();
    const { body: stream } = await fetch(`${url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      signal: abort.signal,
    });
    await stream?.getReader().read();
    expect(await used()).toBeGreaterThan(1_000_000);
    abort.abort();
    await until('the memory to be free', async () => (await used()) === 0);
  }
});

describe('a body', () => {
  test('comes in ranges', async () => {
    const body = JSON.stringify({ text: 'ü'.repeat(1_500_000) });
    const path = `/runs/${await run('/copies', json(body))}/body`;
    const whole = Buffer.from(body);
    expect((await bytesOf(path)).equals(whole)).toBe(true);
    expect((await bytesOf(path, 'bytes=1048570-1048590')).equals(whole.subarray(1_048_570, 1_048_591))).toBe(true);
    expect((await bytesOf(path, 'bytes=-65536')).equals(whole.subarray(-65_536))).toBe(true);
  });

  test('that is empty, or a form, has no ranges', async () => {
    const empty = `/runs/${await run('/copies', {})}/body`;
    expect((await bytesOf(empty)).length).toBe(0);
    expect((await get(empty, { range: 'bytes=0-' })).status).toBe(416);
    const form = new FormData();
    form.append('a', '1');
    const response = await get(`/runs/${await run('/copies', { body: form })}/body`, { range: 'bytes=0-3' });
    expect(response.status).toBe(200);
    expect((await response.formData()).get('a')).toBe('1');
  });
});

describe('a received file', () => {
  const NAME = 'a "quoted"\u202e;é%00<script>\u0085.png';

  async function runWith(...files: [bytes: Uint8Array, name: string, type?: string][]): Promise<string> {
    const form = new FormData();
    for (const [bytes, name, type = ''] of files) form.append('f', new Blob([bytes as never], { type }), name);
    return await run('/copies', { body: form });
  }

  test('is shown in place if it is a picture, whatever it is called, and saved if it is anything else', async () => {
    const bytes = (start: string): Buffer => Buffer.from(`${start} and the rest of it`, 'latin1');
    const files: [Buffer, string, string][] = [
      [PNG, 'image/png', 'inline'],
      [bytes('\xff\xd8\xff\xe0'), 'image/jpeg', 'inline'],
      [bytes('GIF89a'), 'image/gif', 'inline'],
      [bytes('RIFF\x10\0\0\0WEBP'), 'image/webp', 'inline'],
      [bytes('\0\0\0\x1cftypavif'), 'image/avif', 'inline'],
      [bytes('<svg xmlns="http://www.w3.org/2000/svg"><script>'), 'application/octet-stream', 'attachment'],
      [bytes('<!doctype html><script>alert(1)</script>'), 'application/octet-stream', 'attachment'],
      [bytes('%PDF-1.7'), 'application/octet-stream', 'attachment'],
      [bytes('RIFF\x10\0\0\0WAVE'), 'application/octet-stream', 'attachment'],
      [Buffer.from('\x89PN', 'latin1'), 'application/octet-stream', 'attachment'],
      [Buffer.alloc(0), 'application/octet-stream', 'attachment'],
    ];
    const runId = await runWith(...files.map(([content]): [Uint8Array, string, string] => [content, 'x.png', 'image/png']));
    for (const [index, [content, type, disposition]] of files.entries()) {
      const response = await get(`/runs/${runId}/files/${index}`);
      expect(response.headers.get('content-type')).toBe(type);
      expect(response.headers.get('content-disposition')).toBe(`${disposition}; filename*=UTF-8''x.png`);
      expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
    }
  });

  test('can run no script and can be embedded by nobody else', async () => {
    const { headers } = await get(`/runs/${await runWith([PNG, NAME])}/files/0`);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    const encoded = headers.get('content-disposition') as string;
    expect(encoded).toMatch(/^inline; filename\*=UTF-8''[\w.%-]+$/);
    expect(decodeURIComponent(encoded.split("''")[1] as string)).toContain('\u202e;é');
  });

  test('comes in ranges, and a body that is a file too', async () => {
    const large = Buffer.alloc(300_000, 'abcdefg');
    const runId = await runWith([PNG, 'a.png'], [large, 'b.bin']);
    const asBody = await run('/copies', { headers: { 'content-type': 'image/png' }, body: new Uint8Array(PNG) });
    for (const [path, whole] of [
      [`/runs/${runId}/files/1`, large],
      [`/runs/${asBody}/files/0`, PNG],
      [`/runs/${asBody}/body`, PNG],
    ] as const) {
      expect((await bytesOf(path)).equals(whole)).toBe(true);
      expect((await bytesOf(path, 'bytes=3-')).equals(whole.subarray(3))).toBe(true);
      expect((await bytesOf(path, 'bytes=5-9')).equals(whole.subarray(5, 10))).toBe(true);
      expect((await get(path, { range: 'bytes=300000-' })).status).toBe(416);
    }
  });

  test('that there is not is 404, and one that is gone or altered on the disk is 410', async () => {
    const runId = await runWith([Buffer.from('gone'), 'a'], [Buffer.from('altered'), 'b'], [Buffer.from('changed'), 'c']);
    const { body } = await app().admin('GET', `/runs/${runId}/files`);
    const [gone, altered, changed] = body.files.map(({ sha256 }: any) => join(dataDir, 'blobs', sha256.slice(0, 2), sha256)) as [
      string,
      string,
      string,
    ];
    rmSync(gone);
    writeFileSync(altered, 'altered, and longer');
    writeFileSync(changed, 'another');
    for (const [index, reason] of ['no longer', 'not what was received', 'not what was received'].entries()) {
      const response = await get(`/runs/${runId}/files/${index}`);
      expect([response.status, await response.json()]).toMatchObject([
        410,
        { error: { code: 'gone', message: expect.stringContaining(reason) } },
      ]);
    }
    for (const [path, status] of [
      [`/runs/${runId}/files/3`, 404],
      [`/runs/${runId}/files/9007199254740991`, 404],
      [`/runs/${runId}/files/-1`, 400],
      [`/runs/${runId}/files/x`, 400],
      [`/runs/${runId}/files/__proto__`, 400],
      [`/runs/run_00000000000rehearsal00000000000/files/0`, 404],
    ] as const)
      expect((await get(path)).status, path).toBe(status);
  });
});

test('no answer of the admin API is kept or taken for something else, whether it succeeds or not', async () => {
  for (const [path, headers] of [
    ['/runs', {}],
    ['/apps', {}],
    ['/apps/nobody', {}],
    ['/runs?limit=0', {}],
    ['/runs', { authorization: 'Bearer wrong' }],
  ] as const) {
    const response = await get(path, headers);
    expect([response.headers.get('cache-control'), response.headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff']);
  }
});
