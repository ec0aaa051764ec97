// Roboflow's Webhook Sink: predictions are found by their shape, and bodies without any are valid.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Payload } from '../../src/payloads/payload.ts';
import { type SamplePart, textBytes } from '../../src/payloads/samples/sample.ts';
import { faultOf, payloadOf, readPayload, type Taken, takeApart, takeBody, takeParts } from './intake.ts';

const CAR = { x: 100, y: 80, width: 40, height: 61, confidence: 0.9, class: 'car', class_id: 2, detection_id: 'd-1' };
const RESPONSE = { image: { width: 640, height: 480 }, predictions: [CAR] };
const FOUND = {
  id: 'd-1',
  class: 'car',
  confidence: 0.9,
  type: 'bounding_box',
  bounding_box: { x: 80, y: 49.5, width: 40, height: 61 },
  polygon: null,
  keypoint: null,
  skeleton: null,
  ellipse: null,
  line: null,
  cuboid: null,
  mask: null,
  frame: null,
  frame_count: null,
  ranges: [],
  text: null,
  instance_id: null,
  directional_vector: null,
  attributes: [],
  properties: [],
  annotators: [],
};

function read(body: unknown): Payload {
  return payloadOf('roboflow', takeBody(JSON.stringify(body)));
}

describe('predictions', () => {
  test('a body that is a response gives its predictions', () => {
    const taken = takeBody(JSON.stringify(RESPONSE));
    expect(payloadOf('roboflow', taken)).toEqual({
      kind: 'roboflow.json',
      source: 'roboflow',
      item: { id: null, name: null, path: null, dataset: null, team: null, width: 640, height: 480, frame_count: null, url: null },
      image: null,
      predictions: [FOUND],
      masks: [],
      document: taken.received.files[0],
      metadata: null,
      has_annotations: true,
      omits_outlines: false,
    });
  });

  test.each(['predictions', 'cars', 'a b', '0'])('a response under the key %j gives its predictions', (key) => {
    const { predictions, item } = read({ camera: 'x', [key]: RESPONSE });
    expect(predictions).toEqual([FOUND]);
    expect(item).toMatchObject({ width: 640, height: 480 });
  });

  test('several responses in one body give the predictions of all', () => {
    const { predictions } = read({ cars: RESPONSE, people: { ...RESPONSE, predictions: [{ ...CAR, class: 'person' }] } });
    expect(predictions.map((prediction) => prediction.class)).toEqual(['car', 'person']);
  });

  test('predictions with points, masks or keypoints have their own types', () => {
    const points = [
      { x: 1, y: 1 },
      { x: 5, y: 1 },
      { x: 5, y: 5 },
    ];
    const others = [{ points }, { rle_mask: { size: [4, 4], counts: 'abc' } }, { keypoints: [{ x: 1, y: 1 }] }].map((own) => ({
      ...CAR,
      ...own,
    }));
    const { predictions, masks } = read({ predictions: others });
    expect(predictions.map(({ type, polygon, mask }) => [type, polygon, mask])).toEqual([
      ['polygon', [points], null],
      ['mask', null, 0],
      ['keypoint', null, null],
    ]);
    expect(masks).toEqual([{ name: null, file: null, class: 'car', predictions: [1] }]);
  });

  test('the predictions of a classification are labels', () => {
    const list = {
      top: 'cat',
      confidence: 0.6,
      predictions: [
        { class: 'cat', class_id: 0, confidence: 0.6 },
        { class: 'dog', class_id: 1, confidence: 0.4 },
      ],
    };
    const map = {
      predictions: { cat: { confidence: 0.6, class_id: 0 }, dog: { confidence: 0.4, class_id: 1 } },
      predicted_classes: ['cat'],
    };
    for (const body of [list, map, { result: list }, { result: map }]) {
      expect(read(body).predictions).toMatchObject([
        { class: 'cat', confidence: 0.6, type: 'label', bounding_box: null },
        { class: 'dog', confidence: 0.4, type: 'label', bounding_box: null },
      ]);
    }
  });

  test.each<[string, unknown]>([
    ['nothing', {}],
    ['a count', { detections_number: 2 }],
    ['a list that is not a response', { predictions: [1, 2] }],
    ['a box without a class', { predictions: [{ x: 1, y: 1, width: 1, height: 1, confidence: 1 }] }],
    ['a side of text', { predictions: [CAR, { ...CAR, width: '40' }] }],
    ['a response that is nested too deep', { a: { b: RESPONSE } }],
    ['texts', { predictions: 'none', image: 5 }],
  ])('a body with %s is valid and has no predictions', (_title, body) => {
    expect(read(body)).toMatchObject({ kind: 'roboflow.json', predictions: [], has_annotations: false });
  });

  test('a response without predictions counts as annotations', () => {
    expect(read({ found: { image: { width: null, height: null }, predictions: [] } })).toMatchObject({
      predictions: [],
      has_annotations: true,
      omits_outlines: false,
    });
  });
});

describe('forms', () => {
  const text = JSON.stringify(RESPONSE);
  const image = { name: 'image', filename: 'image', contentType: null, bytes: Uint8Array.of(0xff, 0xd8) };

  test('a form field with JSON gives predictions, and other fields are ignored', () => {
    const body = textBytes(new URLSearchParams({ result: text, note: '{no json', count: '2' }).toString());
    const payload = payloadOf('roboflow', takeApart({ contentType: 'application/x-www-form-urlencoded', body }));
    expect(payload).toMatchObject({ kind: 'roboflow.form', predictions: [FOUND], document: null, image: null });
  });

  test('a multipart form gives its document, and its image by type or by field', () => {
    const notes = { name: 'notes', filename: 'notes', contentType: null, bytes: textBytes('x') };
    const document = { name: 'predictions', filename: 'predictions', contentType: null, bytes: textBytes(text) };
    const payload = payloadOf('roboflow', takeParts([notes, document, image]));
    expect(payload).toMatchObject({
      kind: 'roboflow.multipart',
      predictions: [FOUND],
      image: { name: 'image' },
      document: { name: 'predictions' },
    });
    const typed = { ...image, name: 'crop', contentType: 'image/jpeg' };
    expect(payloadOf('roboflow', takeParts([image, typed])).image?.name).toBe('crop');
  });

  test('a form with an invalid document or without parts is valid', () => {
    const broken = { name: 'predictions', filename: 'predictions', contentType: null, bytes: textBytes('{') };
    expect(payloadOf('roboflow', takeParts([broken])).predictions).toEqual([]);
    expect(payloadOf('roboflow', takeParts([])).kind).toBe('roboflow.multipart');
    const received = { content_type: 'application/x-www-form-urlencoded; charset=utf-8', files: [], fields: {} };
    expect(payloadOf('roboflow', { received, bytes: new Map() }).kind).toBe('roboflow.form');
  });
});

describe('refusals', () => {
  test.each<[Taken, string]>([
    [takeBody('[]'), 'body must be a JSON object, as the Webhook Sink block sends it; got an empty list'],
    [takeBody('"hello"'), 'body must be a JSON object, as the Webhook Sink block sends it; got "hello"'],
    [
      { received: { content_type: null, files: [], fields: {} }, bytes: new Map() },
      'body must be a JSON document, a URL-encoded form or a multipart form; got null',
    ],
    [
      { received: { content_type: 'application/json', files: [], fields: {} }, bytes: new Map() },
      'body is empty; it must be a JSON document',
    ],
  ])('a body that the block never sends is refused, case %#', (taken, expected) => {
    expect(faultOf('roboflow', taken)).toBe(expected);
  });
});

interface Recorded {
  name: string;
  requests?: { headers: Record<string, string>; body?: string | { base64: string }; multipart?: RecordedPart[] }[];
}

interface RecordedPart {
  headers: Record<string, string>;
  body: string | { base64: string };
}

const vectors = JSON.parse(readFileSync(join(import.meta.dirname, '../vectors/webhook_vectors.json'), 'utf8')) as Recorded[];

test('every recorded request of the block is read', () => {
  const requests = vectors.flatMap(({ name, requests: sent = [] }) => sent.map((request) => ({ name, request })));
  const kinds = new Set<string>();
  for (const { name, request } of requests) {
    const type = request.headers['content-type'] ?? '';
    if (!/^(?:application\/json$|application\/x-www-form|multipart\/form-data; boundary)/.test(type)) continue;
    const taken = takeRecorded(type, request.body, request.multipart);
    const result = readPayload('roboflow', taken);
    expect(result, name).toMatchObject({ source: 'roboflow' });
    kinds.add((result as Payload).kind);
  }
  expect([...kinds].sort()).toEqual(['roboflow.form', 'roboflow.json', 'roboflow.multipart']);
});

function takeRecorded(type: string, body: string | { base64: string } | undefined, parts: RecordedPart[] | undefined): Taken {
  if (parts !== undefined) return takeParts(parts.map(recordedPart));
  const bytes = bytesOf(body ?? '');
  return takeApart(
    type === 'application/json' ? { contentType: type, body: bytes } : { contentType: 'application/x-www-form-urlencoded', body: bytes },
  );
}

function recordedPart({ headers, body }: RecordedPart): SamplePart {
  const disposition = headers['content-disposition'] ?? '';
  const [, name = ''] = /[; ]name="([^"]*)"/.exec(disposition) ?? [];
  const [, filename = null] = /filename="([^"]*)"/.exec(disposition) ?? [];
  return { name, filename, contentType: headers['content-type'] ?? null, bytes: bytesOf(body) };
}

function bytesOf(body: string | { base64: string }): Uint8Array {
  return typeof body === 'string' ? textBytes(body) : Buffer.from(body.base64, 'base64');
}

test('every JSON object is read, and none makes the format throw', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('predictions', 'image', 'top', 'a', 'points'), fc.jsonValue()), (body) => {
      // The key is refused at any depth.
      fc.pre(!JSON.stringify(body).includes('"__proto__"'));
      for (const value of [body, { a: body }, { predictions: [{ ...CAR, ...body }] }]) expect(read(value).kind).toBe('roboflow.json');
    }),
    { numRuns: 500 },
  );
});
