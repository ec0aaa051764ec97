// Sinks that say which platform sends: what is recognised reaches the workflow in its typed form, what is not is refused
// with the part that is wrong, and nothing of it stays.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodeMultipart } from '../../src/core/form/multipart-writer.ts';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp } from '../support/start-app.ts';
import { until } from '../support/until.ts';

const SEEN = {
  steps: [{ type: 'sluice/set@v1', name: 's', values: { payload: '$request.payload', body: '$request.body', files: '$request.files' } }],
  outputs: [{ type: 'JsonField', name: 's', selector: '$steps.s.*' }],
};

/** Selects from a document as from any JSON body. */
const NAMED = {
  inputs: [{ type: 'WorkflowParameter', name: 'annotations', default_value: null }],
  steps: [
    {
      type: 'sluice/set@v1',
      name: 's',
      values: {
        item: '$request.body.item.name',
        camera: '$request.body.camera.id',
        input: '$inputs.annotations',
        file: '$request.files.0',
      },
    },
  ],
  outputs: ['item', 'camera', 'input', 'file'].map((name) => ({ type: 'JsonField', name, selector: `$steps.s.${name}` })),
};

/** A document that lies beside the vectors. */
const darwin = (name: string): string => readFileSync(join(import.meta.dirname, `../vectors/${name}.json`), 'utf8');

const app = shareApp({}, async (shared) => {
  await shared.workflow('seen', SEEN);
  for (const payload of ['robovision', 'v7', 'roboflow'])
    await shared.sink({ path: `/${payload}`, workflow_id: 'seen', response: 'wait', payload });
  await shared.workflow('named', NAMED);
  await shared.sink({ path: '/named', workflow_id: 'named', response: 'wait', payload: 'v7' });
  await shared.sink({ path: '/anybody', workflow_id: 'seen', response: 'wait' });
});

let jpeg: Buffer;
let png: Buffer;
beforeAll(async () => {
  jpeg = await sharp({ create: { width: 32, height: 24, channels: 3, background: '#3a6' } })
    .jpeg()
    .toBuffer();
  png = await sharp({ create: { width: 32, height: 24, channels: 3, background: '#fff' } })
    .png()
    .toBuffer();
});

interface File {
  field?: string;
  name: string;
  type: string;
  bytes: Uint8Array | string;
}

const predictionsFile = (document: unknown): File => ({
  field: 'predictions',
  name: 'predictions.json',
  type: 'application/json',
  bytes: typeof document === 'string' ? document : JSON.stringify(document),
});
const imageFile = (): File => ({ field: 'image', name: 'image.jpeg', type: 'image/jpeg', bytes: jpeg });
const maskFile = (name = 'mask_0000.png', bytes: Uint8Array = png): File =>
  ({ field: name.split('.').at(-2), name, type: 'image/png', bytes }) as File;

const SEGMENTED = {
  kind: 'InstanceSegmentation.v1',
  instances: [
    { classId: 'leaf', confidence: 0.91, mask: 'mask_0000.png' },
    { classId: 'stem', confidence: 0.5, mask: 'mask_0001.png' },
  ],
};
const OTHER_MASK = (): File => maskFile('mask_0001.png', png);

function form(files: File[]): FormData {
  const data = new FormData();
  for (const { field, name, type, bytes } of files)
    data.append(field ?? name.split('.')[0] ?? '', new Blob([bytes as never], { type }), name);
  return data;
}

async function send(path: string, body: FormData | string, headers: Record<string, string> = {}): Promise<{ status: number; body: any }> {
  const response = await fetch(`${app().url}/shop${path}`, { method: 'POST', body, headers });
  return { status: response.status, body: await response.json() };
}

async function seen(path: string, body: FormData | string, headers: Record<string, string> = {}): Promise<any> {
  const answer = await send(path, body, headers);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body.output.s;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const hashOf = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** Every file below the blob directory. */
function storedFiles(): string[] {
  return readdirSync(join(app().dataDir, 'blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .toSorted();
}

describe('a request that the platform sends', () => {
  test('reaches the workflow in its typed form, with its files', async () => {
    const document = JSON.stringify(SEGMENTED);
    const { payload, files } = await seen('/robovision', form([OTHER_MASK(), predictionsFile(document), imageFile(), maskFile()]));
    expect(payload).toMatchObject({
      kind: 'robovision.instance_segmentation',
      source: 'robovision',
      item: { width: 32, height: 24 },
      image: { filename: 'image.jpeg', sha256: hashOf(jpeg) },
      document: { filename: 'predictions.json', sha256: hashOf(document) },
      predictions: [
        { class: 'leaf', confidence: 0.91, type: 'mask' },
        { class: 'stem', confidence: 0.5, type: 'mask' },
      ],
    });
    const masks = payload.predictions.map(({ mask }: { mask: number }) => payload.masks[mask].name);
    expect(masks).toEqual(['mask_0000.png', 'mask_0001.png']);
    expect(files).toHaveLength(4);
    expect(storedFiles()).toEqual(expect.arrayContaining([hashOf(jpeg), hashOf(png), hashOf(document)]));
  });

  test('may come without its image, in any order, with parts that nobody knows', async () => {
    const unknown: File = { field: 'debug', name: 'trace.bin', type: 'application/octet-stream', bytes: 'whatever' };
    const { payload, files } = await seen(
      '/robovision',
      form([unknown, predictionsFile({ kind: 'ImageClassification.v1', classId: 'crocodile', confidence: 0.02 })]),
    );
    expect(payload).toMatchObject({ kind: 'robovision.image_classification', image: null, masks: [] });
    expect(payload.predictions).toMatchObject([{ class: 'crocodile', confidence: 0.02 }]);
    expect(files).toHaveLength(2);
  });

  test('may say no content types, as Python does, and have images that a camera padded', async () => {
    const padded = { jpeg: Buffer.concat([jpeg, Buffer.alloc(64)]), png: Buffer.concat([png, Buffer.from('camera 7')]) };
    const parts: [name: string, filename: string, content: Uint8Array][] = [
      ['image', 'image', padded.jpeg],
      ['a', 'mask_0000.png', padded.png],
      ['b', 'mask_0001.png', png],
      ['predictions', 'predictions.json', Buffer.from(JSON.stringify(SEGMENTED))],
    ];
    const body = encodeMultipart(
      parts.map(([name, filename, content]) => ({ name, filename, contentType: null, headers: {}, content })),
      'b',
    );
    const type = { 'content-type': 'multipart/form-data; boundary=b' };
    const { payload, files } = await seen('/robovision', Buffer.concat(body as Uint8Array[]) as never, type);
    expect(payload).toMatchObject({ item: { width: 32, height: 24 }, image: { sha256: hashOf(padded.jpeg), content_type: 'image/jpeg' } });
    expect(payload.masks.map(({ file }: any) => file.sha256)).toEqual([hashOf(padded.png), hashOf(png)]);
    expect(files.map((file: any) => file.content_type)).toEqual(['image/jpeg', 'image/png', 'image/png', 'application/json']);
  });

  test('names a file of Roboflow without its folders, in the typed form too', async () => {
    const { payload, files } = await seen('/roboflow', form([{ ...imageFile(), name: '../../camera/dock.jpeg' }]));
    expect(payload.image).toEqual(files[0]);
    expect(files[0].filename).toBe('dock.jpeg');
  });

  test('keeps a Darwin document byte for byte, as a file', async () => {
    const document = JSON.stringify({
      version: '2.0',
      item: { name: 'a.png', path: '/', source_info: { item_id: 'i-1', team: { slug: 'labs' }, dataset: { slug: 'cats' } }, slots: [] },
      annotations: [{ id: 'x', name: 'cat', bounding_box: { h: 4, w: 3, x: 2.5, y: 1 } }],
    }).replace('2.5', '2.50');
    const { payload, body, files } = await seen('/v7', document, JSON_TYPE);
    expect(payload).toMatchObject({
      kind: 'v7.stage',
      item: { id: 'i-1', name: 'a.png', team: 'labs', dataset: 'cats' },
      predictions: [{ class: 'cat', bounding_box: { x: 2.5, y: 1, width: 3, height: 4 } }],
      document: { sha256: hashOf(document), size: document.length },
      metadata: { version: '2.0', item: { name: 'a.png' } },
    });
    expect(payload.metadata).not.toHaveProperty('annotations');
    expect(files).toEqual([payload.document]);
    expect(body).toEqual(JSON.parse(document));
  });

  test.each<[string, number, boolean]>([
    ['of 256 KiB is read as JSON by selectors, beside being a file', 2 ** 18, true],
    ['of a byte more is a file alone', 2 ** 18 + 1, false],
  ])('of V7 %s', async (_what, size, isJson) => {
    const document = '{"version":"2.0","item":{"name":"clip.mp4"},"annotations":[],"camera":{"id":9007199254740993}}';
    for (const chunked of [false, true]) {
      const bytes = Buffer.from(document.padEnd(size));
      const body = chunked ? ReadableStream.from([bytes.subarray(0, 100), bytes.subarray(100)]) : bytes;
      const response = await fetch(`${app().url}/shop/named`, { method: 'POST', body, headers: JSON_TYPE, duplex: 'half' } as RequestInit);
      const text = await response.text();
      expect(response.status, text).toBe(200);
      const { run_id: runId, output } = JSON.parse(text);
      expect(output).toMatchObject({ item: isJson ? 'clip.mp4' : null, input: isJson ? [] : null, file: { size } });
      expect(text.includes('"camera":9007199254740993')).toBe(isJson);
      const replay = (await app().admin('POST', `/runs/${runId}/replay`)).body.run_id;
      const again = await until('the replay to end', async () => {
        const run = (await app().admin('GET', `/runs/${replay}`)).body;
        return run.status === 'completed' ? run : null;
      });
      expect(again.output).toEqual(output);
    }
  });

  test('of V7 with a key that is no key of data is refused, and nothing of it stays', async () => {
    const answer = await send('/v7', '{"item":{},"annotations":[],"x":{"constructor":{"prototype":1}}}', JSON_TYPE);
    expect(answer).toMatchObject({
      status: 422,
      body: { error: { part: 'body', message: expect.stringContaining('constructor.prototype') } },
    });
  });

  test('of V7 tells the shape of each annotation, and in a video that of its first frame', async () => {
    const { payload, body } = await seen('/v7', darwin('v7-shapes'), JSON_TYPE);
    expect(payload.predictions).toMatchObject([
      { type: 'keypoint', keypoint: { x: 11.5, y: 22.5 } },
      { type: 'ellipse', ellipse: { center: { x: 50, y: 60 }, radius: { x: 10, y: 20 }, angle: 0.5 } },
      {
        type: 'line',
        line: [
          { x: 1, y: 2 },
          { x: 3, y: 4 },
        ],
      },
      { type: 'skeleton', skeleton: [{ name: 'head', x: 7, y: 8, occluded: false }] },
      { type: 'bounding_box', bounding_box: { x: 1, y: 2 }, directional_vector: { angle: 1.2, length: 9 }, instance_id: 42 },
    ]);
    expect(body.annotations[3].skeleton.nodes[0].name).toBe('head');
    const video = await seen('/v7', darwin('v7-video'), JSON_TYPE);
    expect(video.payload.predictions).toMatchObject([
      { type: 'bounding_box', bounding_box: { x: 12, y: 30, width: 140, height: 88 }, frame: 0, frame_count: 2, ranges: [[0, 5]] },
    ]);
  });

  test.each([['as it is'], [' '.repeat(300_000)]])(
    'keeps the text of its numbers, in a small document and in a large one',
    async (space) => {
      const noted = '"properties":[{"name":"chip","value":9007199254740993}]';
      const document = `{"version":"2.0","item":{"name":"a.png","id":12345678901234567890,"scale":1.0},"note":"${space}","annotations":[{"name":"cat","tag":{},${noted}}]}`;
      const response = await fetch(`${app().url}/shop/v7`, { method: 'POST', body: document, headers: JSON_TYPE });
      const text = await response.text();
      expect(response.status, text).toBe(200);
      expect(text).toContain('"item":{"name":"a.png","id":12345678901234567890,"scale":1.0}');
      expect(text).toContain('"id":"12345678901234567890"');
      expect(text).toContain('"value":9007199254740993');
      const { run_id: runId } = JSON.parse(text);
      const headers = { authorization: 'Bearer admin-token-of-the-tests' };
      const shown = await (await fetch(`${app().url}/api/v1/runs/${runId}`, { headers })).text();
      expect(shown).toContain('"id":12345678901234567890,"scale":1.0');
    },
  );

  test('of Roboflow is read as any other body too', async () => {
    const sent = {
      event: 'seen',
      result: { image: { width: 100, height: 50 }, predictions: [{ x: 10, y: 10, width: 4, height: 2, class: 'dog', confidence: 0.5 }] },
    };
    const { payload, body } = await seen('/roboflow', JSON.stringify(sent), JSON_TYPE);
    expect(body).toEqual(sent);
    expect(payload).toMatchObject({
      kind: 'roboflow.json',
      predictions: [{ class: 'dog', bounding_box: { x: 8, y: 9, width: 4, height: 2 } }],
    });
    const asForm = await seen('/roboflow', new URLSearchParams({ event: 'seen' }).toString(), {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(asForm).toMatchObject({ body: { event: 'seen' }, payload: { kind: 'roboflow.form', predictions: [] } });
  });

  test.each([0, 2 ** 19])('of Roboflow has the predictions of its fields too, beside a document of %i bytes or more', async (size) => {
    const label = (name: string) => ({ predictions: [{ class: name, confidence: 1 }], exact: 1 });
    const data = form([{ ...predictionsFile({ padding: 'x'.repeat(size), ...label('document') }), field: 'result' }]);
    data.append('other', new Blob([JSON.stringify(label('field')).replace('"exact":1', '"exact":1.0')], { type: 'application/json' }), '');
    data.append('text', JSON.stringify(label('text')));
    const { payload } = await seen('/roboflow', data);
    expect(payload.predictions.map((prediction: { class: string }) => prediction.class).sort()).toEqual(['document', 'field', 'text']);
  });

  test('has no typed form at a sink that does not say who sends', async () => {
    expect((await seen('/anybody', form([predictionsFile(SEGMENTED)]))).payload).toBeNull();
  });

  test('is what a replay and a restart see as well', async () => {
    const server = await startTestApp();
    await server.workflow('late', {
      ...SEEN,
      steps: [
        { type: 'sluice/delay@v1', name: 'd', seconds: 0.2 },
        { ...SEEN.steps[0], values: { ...SEEN.steps[0]?.values, after: '$steps.d.seconds' } },
      ],
    });
    await server.sink({ path: '/late', workflow_id: 'late', response: 'accept', payload: 'v7' });
    const document = '{"version":"2.0","item":{"name":"a.png"},"annotations":[]}';
    const accepted = (await (await fetch(`${server.url}/shop/late`, { method: 'POST', body: document, headers: JSON_TYPE })).json()) as any;
    await server.close();
    const again = await startTestApp({ dataDir: server.dataDir });
    const outputOf = async (runId: string): Promise<any> => {
      await (await fetch(`${again.url}/runs/${runId}/events`)).text();
      return (await again.admin('GET', `/runs/${runId}`)).body.output.s.payload;
    };
    const payload = await outputOf(accepted.run_id);
    expect(payload).toMatchObject({ kind: 'v7.stage', document: { sha256: hashOf(document) } });
    const replayed = (await again.admin('POST', `/runs/${accepted.run_id}/replay`)).body;
    expect(await outputOf(replayed.run_id)).toEqual(payload);
  });
});

describe('a request that the platform would not send', () => {
  const whole = (): File[] => [imageFile(), maskFile(), OTHER_MASK(), predictionsFile(SEGMENTED)];
  const without = (name: string): File[] => whole().filter((file) => file.name !== name);
  const refused: [string, () => File[], string, RegExp][] = [
    ['no predictions', () => without('predictions.json'), 'predictions', /./],
    ['two predictions', () => [...whole(), predictionsFile(SEGMENTED)], 'predictions', /./],
    ['predictions that are no JSON', () => [predictionsFile('{"kind":')], 'predictions', /not valid JSON/],
    ['predictions that are empty', () => [predictionsFile('')], 'predictions', /empty/],
    ['a mask that is named and not sent', () => without('mask_0001.png'), 'mask_0001.png', /./],
    ['a mask that is sent and not named', () => [...whole(), maskFile('mask_0002.png')], 'mask_0002.png', /./],
    [
      'a mask with the type of something else',
      () => [...without('mask_0000.png'), { name: 'mask_0000.png', type: 'text/html', bytes: png }],
      'mask_0000.png',
      /text\/html/,
    ],
    [
      'a mask that is cut off',
      () => [...without('mask_0000.png'), maskFile('mask_0000.png', png.subarray(0, png.length - 20))],
      'mask_0000.png',
      /./,
    ],
    ['an image that is cut off', () => [...without('image.jpeg'), { ...imageFile(), bytes: jpeg.subarray(0, 200) }], 'image.jpeg', /./],
    ['a file name with a path', () => [...without('mask_0000.png'), maskFile('../mask_0000.png')], 'mask_0000', /\.\.\/mask_0000\.png/],
    [
      'an instance without a class',
      () => [
        predictionsFile({ kind: 'ObjectDetection.v1', objects: [{ confidence: 1, boundingBox: { x: 1, y: 1, width: 1, height: 1 } }] }),
      ],
      'predictions',
      /./,
    ],
  ];

  test.each(refused)('with %s is refused by its part, and nothing of it stays', async (_what, files, part, message) => {
    const before = storedFiles();
    const runs = (await app().admin('GET', '/runs')).body.runs.length;
    const answer = await send('/robovision', form(files()));
    expect(answer.status, JSON.stringify(answer.body)).toBe(422);
    expect(answer.body).toMatchObject({ triggered: false, run_id: null, error: { code: 'unprocessable' } });
    expect(answer.body.error.part).toContain(part);
    expect(answer.body.error.message).toMatch(message);
    expect(storedFiles()).toEqual(before);
    expect((await app().admin('GET', '/runs')).body.runs).toHaveLength(runs);
  });

  test.each([
    ['{"kind":', /^field "predictions" is not valid JSON/],
    ['[['.repeat(80), /^field "predictions" nests deeper than 100 levels/],
    ['{"__proto__":1}', /^field "predictions" has a key "__proto__"/],
    ['\u0000\u00ff', /^field "predictions" is not utf-8 text/],
  ])('with the JSON field %j is told of the field', async (text, message) => {
    const body = `--b\r\nContent-Disposition: form-data; name="predictions"\r\nContent-Type: application/json\r\n\r\n${text}\r\n--b--\r\n`;
    const answer = await send('/robovision', Buffer.from(body, 'latin1') as never, { 'content-type': 'multipart/form-data; boundary=b' });
    expect(answer.status).toBe(422);
    expect(answer.body.error).toMatchObject({ code: 'unprocessable', part: 'predictions', message: expect.stringMatching(message) });
  });

  test('that is no form, but says so, is malformed and not a wrong payload', async () => {
    const body = '--b\r\nContent-Disposition: form-data; name="predictions\r\n\r\n{}\r\n--b--\r\n';
    const answer = await send('/robovision', body, { 'content-type': 'multipart/form-data; boundary=b' });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid', part: 'part 1' } } });
  });

  test.each(['{', ' ', '{"__proto__":1}'])('to Roboflow with the body %j is told of the body', async (body) => {
    const answer = await send('/roboflow', body, JSON_TYPE);
    expect(answer.status).toBe(422);
    expect(answer.body.error).toMatchObject({ code: 'unprocessable', part: 'body' });
  });

  test('is on the list of rejections', async () => {
    const { message } = (await send('/robovision', form([imageFile()]))).body;
    const listed = await until('the rejection to be listed', async () =>
      (await app().admin('GET', '/rejections')).body.rejections.find((rejection: any) => rejection.message === message),
    );
    expect(listed).toMatchObject({ status: 422, code: 'unprocessable', path: '/shop/robovision' });
  });

  test.each([
    ['/robovision', JSON_TYPE, '{}', /this sink accepts requests of Robovision, as multipart\/form-data, not application\/json/],
    ['/v7', { 'content-type': 'text/plain' }, '{}', /this sink accepts requests of V7, as application\/json, not text\/plain/],
    ['/roboflow', { 'content-type': 'image/png' }, 'x', /this sink accepts requests of Roboflow, as application\/json/],
  ])('to %s in another form is told which form it has', async (path, headers, body, message) => {
    const answer = await send(path, body, headers);
    expect(answer.status).toBe(415);
    expect(answer.body.message).toMatch(message);
  });

  test.each(['/robovision', '/v7', '/roboflow'])('to %s without a body is told so', async (path) => {
    const answer = await send(path, '');
    expect(answer.status).toBe(422);
    expect(answer.body.error).toMatchObject({
      part: 'body',
      message: expect.stringMatching(/^body: is empty; this sink accepts requests of /),
    });
  });

  test.each([
    '',
    '[]',
    '"x"',
    'null',
    '{"annotations":5}',
    `${'['.repeat(5000)}`,
    '{"item":{},"annotations":[{"bounding_box":1}]}',
    '{"__proto__":{"a":1}}',
    '\ufeff{',
  ])('as a Darwin document %j is refused, and never fails', async (document) => {
    const before = storedFiles();
    const answer = await send('/v7', document, JSON_TYPE);
    expect(answer.status, JSON.stringify(answer.body)).toBe(422);
    expect(storedFiles()).toEqual(before);
  });

  test('that is larger than its sink takes is refused before it is read', async () => {
    await app().sink({ path: '/small', workflow_id: 'seen', payload: 'v7', limits: { body_bytes: 100 } });
    const answer = await send('/small', JSON.stringify({ item: { name: 'x'.repeat(200) } }), JSON_TYPE);
    expect(answer.status).toBe(413);
  });

  test('that is too large to be read at once is refused in the same words', async () => {
    const document = `{"version":"2.0","item":{"name":"a"},"annotations":[{"name":"${'x'.repeat(1_100_000)}"`;
    const answer = await send('/v7', document, JSON_TYPE);
    expect(answer.status).toBe(422);
    expect(answer.body.error.message).toMatch(/^body: is not valid JSON/);
  });
});

test('a sink of a platform that is not known is refused with those that are', async () => {
  const answer = await app().admin('POST', '/apps/shop/sinks', { path: '/x', method: 'POST', payload: 'v8' });
  expect(answer.status).toBe(400);
  expect(JSON.stringify(answer.body)).toContain('"robovision\\", \\"v7\\", \\"roboflow\\"');
});
