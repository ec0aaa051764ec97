// V7's three bodies: every type of annotation, annotations that are switched off, and masks whose numbers stay where
// they are.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Payload, Prediction } from '../../src/payloads/payload.ts';
import { makeSample } from '../../src/payloads/samples/index.ts';
import { faultOf, payloadOf, readPayload, takeApart, takeBody } from './intake.ts';

function read(document: unknown): Payload {
  return payloadOf('v7', takeBody(JSON.stringify(document)));
}

function fault(document: unknown): string {
  return faultOf('v7', takeBody(JSON.stringify(document)));
}

function readAnnotation(annotation: object): Prediction {
  return read({ item: {}, annotations: [{ name: 'crate', ...annotation }] }).predictions[0] as Prediction;
}

const NOTHING = {
  id: null,
  class: 'crate',
  confidence: null,
  type: 'unknown',
  bounding_box: null,
  polygon: null,
  mask: null,
  text: null,
  attributes: [],
  properties: [],
  annotators: [],
};
const SIDES = { h: 4, w: 3, x: 1, y: 2 };
const BOX = { x: 1, y: 2, width: 3, height: 4 };

describe('the typed form', () => {
  test('of a stage', () => {
    const taken = takeApart(makeSample('v7.stage', { objects: 1, width: 320, height: 200 }));
    const document = JSON.parse(Buffer.from(taken.bytes.values().next().value as Uint8Array).toString());
    const { annotations, ...metadata } = document;
    const { id, name, bounding_box } = annotations[0];
    expect(payloadOf('v7', taken)).toEqual({
      kind: 'v7.stage',
      source: 'v7',
      item: {
        id: document.item.source_info.item_id,
        name: 'shelf-0001.jpg',
        path: '/aisle-3',
        dataset: 'night-shift',
        team: 'shelf-watch',
        width: 320,
        height: 200,
        url: 'https://files.example.org/shelf-0001.jpg',
      },
      image: null,
      predictions: [
        {
          ...NOTHING,
          id,
          class: name,
          type: 'bounding_box',
          bounding_box: { x: bounding_box.x, y: bounding_box.y, width: bounding_box.w, height: bounding_box.h },
          attributes: ['occluded'],
          properties: [{ name: 'Condition', value: 'good' }],
          annotators: [{ email: 'ada@example.org', full_name: 'Ada Park' }],
        },
      ],
      masks: [],
      document: taken.received.files[0],
      metadata,
      has_annotations: true,
      omits_outlines: false,
    });
  });

  test('of the stage of 2022, which has a list of annotations for each file', () => {
    const files = [{ filename: 'a.jpg', url: 'https://files.example.org/a.jpg' }, { filename: 'b.jpg' }];
    const head = { dataset_info: { slug: 'night-shift' }, team_info: { slug: 'shelf-watch' }, files };
    const annotations = [[{ name: 'crate', bounding_box: SIDES }], [{ name: 'leaf', keypoint: { x: 1, y: 1 } }]];
    const { kind, item, predictions, metadata } = read({ ...head, annotations });
    expect(kind).toBe('v7.legacy_stage');
    expect(item).toEqual({
      id: null,
      name: 'a.jpg',
      path: null,
      dataset: 'night-shift',
      team: 'shelf-watch',
      width: null,
      height: null,
      url: 'https://files.example.org/a.jpg',
    });
    expect(predictions).toEqual([
      { ...NOTHING, type: 'bounding_box', bounding_box: BOX },
      { ...NOTHING, class: 'leaf', type: 'keypoint' },
    ]);
    expect(metadata).toEqual(head);
  });

  test('of the event of a dataset', () => {
    const payload = { dataset_id: 17, filename: 'letter.png' };
    const annotations = [{ class_name: 'crate', data: { bounding_box: SIDES, text: { text: 'No. 5' } } }];
    const { kind, item, predictions, metadata } = read({ event_type: 'workflow_complete', payload: { ...payload, annotations } });
    expect(kind).toBe('v7.workflow_complete');
    expect(item).toMatchObject({ name: 'letter.png', dataset: '17', team: null });
    expect(predictions).toEqual([{ ...NOTHING, type: 'bounding_box', bounding_box: BOX, text: 'No. 5' }]);
    expect(metadata).toEqual({ event_type: 'workflow_complete', payload });
  });
});

describe('an annotation', () => {
  const ring = [
    { x: 0, y: 0 },
    { x: 4, y: 0 },
    { x: 4, y: 4 },
  ];
  test.each<[string, object, Partial<Prediction>]>([
    ['bounding_box', { bounding_box: SIDES }, { bounding_box: BOX }],
    ['tag', { tag: {} }, {}],
    ['polygon', { polygon: { paths: [ring, ring.slice(1)] }, bounding_box: SIDES }, { polygon: [ring, ring.slice(1)], bounding_box: BOX }],
    ['polygon', { polygon: { path: ring, additional_paths: [ring] } }, { polygon: [ring, ring] }],
    ['complex_polygon', { complex_polygon: { path: [ring, ring] } }, { polygon: [ring, ring] }],
    ['ellipse', { bounding_box: SIDES, ellipse: { center: { x: 1, y: 1 }, radius: { x: 1, y: 1 }, angle: 0 } }, { bounding_box: BOX }],
    ['keypoint', { keypoint: { x: 1, y: 1 } }, {}],
    ['skeleton', { skeleton: { nodes: [{ name: 'top', x: 1, y: 1 }] } }, {}],
    ['line', { line: { path: ring } }, {}],
    ['text', { text: { text: 'Best before' } }, { text: 'Best before' }],
    ['hexagon', { hexagon: { radius: 5 }, inference: { confidence: 0.25, model: {} } }, { confidence: 0.25 }],
    ['unknown', { slot_names: ['0'], frames: {} }, {}],
    ['keypoint', { text: { text: 'Gate 2' }, frames: { 0: { keypoint: { x: 1, y: 1 } } } }, { text: 'Gate 2' }],
    ['bounding_box', { frames: { 10: {}, 2: { bounding_box: SIDES, keyframe: true } }, ranges: [[2, 11]] }, { bounding_box: BOX }],
  ])('of type %s is read', (type, annotation, expected) => {
    expect(readAnnotation(annotation)).toEqual({ ...NOTHING, type, ...expected });
  });

  test('keeps what is noted on it, and leaves out what is not of its form', () => {
    const noted = readAnnotation({
      attributes: ['dented', null, { name: 'wet' }],
      properties: [{ name: 'State', type: 'multi_select', value: ['old', 'open'], frame_index: 0 }, { value: 1 }, 'x'],
      annotators: [{ email: 'ada@example.org' }, null, 'kim'],
    });
    expect(noted).toMatchObject({
      attributes: ['dented', 'wet'],
      properties: [{ name: 'State', value: ['old', 'open'] }],
      annotators: [{ email: 'ada@example.org', full_name: null }],
    });
    expect(readAnnotation({ inference: { confidence: 92 } })).toEqual(NOTHING);
    expect(readAnnotation({ attributes: null, properties: {}, annotators: 'kim' })).toEqual(NOTHING);
  });
});

describe('annotations that are', () => {
  const item = { name: 'a.jpg' };
  test.each<[string, object, boolean]>([
    ['absent', {}, false],
    ['null', { annotations: null }, false],
    ['empty', { annotations: [] }, true],
  ])('%s are none, and no fault', (_title, annotations, expected) => {
    for (const document of [
      { item, ...annotations },
      { files: [], ...annotations },
      { event_type: 'workflow_complete', payload: annotations },
    ]) {
      expect(read(document)).toMatchObject({ predictions: [], has_annotations: expected });
    }
  });

  test('in a raster layer are tied to it, and its numbers stay in the document', () => {
    const layer = { dense_rle: [0, 9_000_001, 1, 5], mask_annotation_ids_mapping: { a: 1, b: 2 }, total_pixels: 6 };
    const payload = read({
      item,
      annotations: [
        { id: 'a', name: 'leaf', mask: {} },
        { id: 'l', name: '__raster_layer__', raster_layer: layer },
        { id: 'b', name: 'leaf', mask: {} },
        { id: 'c', name: 'stone', mask: {} },
      ],
    });
    expect(payload.predictions.map(({ type, mask }) => [type, mask])).toEqual([
      ['mask', 0],
      ['raster_layer', 0],
      ['mask', 0],
      ['mask', 1],
    ]);
    expect(payload.masks).toEqual([
      { name: null, file: null, class: 'leaf', predictions: [1, 0, 2] },
      { name: null, file: null, class: 'stone', predictions: [3] },
    ]);
    expect(JSON.stringify(payload)).not.toContain('9000001');
  });

  test('fifty thousand are read, and more are refused with their number', () => {
    const annotations = Array.from({ length: 50_000 }, (_, id) => ({ id, name: 'crate', bounding_box: SIDES }));
    expect(read({ item, annotations }).predictions.at(-1)).toMatchObject({ id: '49999', bounding_box: BOX });
    const more = { item, annotations: [...annotations, { name: 'crate', tag: {} }] };
    expect(fault(more)).toBe('body.annotations must hold at most 50000 of them, and has 50001');
  });

  test('of more than 200,000 points in all leave their outlines in the document', () => {
    const ring = Array.from({ length: 1000 }, (_, place) => ({ x: place, y: place }));
    const outlined = (count: number): Payload =>
      read({ item, annotations: Array.from({ length: count }, () => ({ name: 'leaf', polygon: { paths: [ring] }, bounding_box: SIDES })) });
    expect(outlined(200)).toMatchObject({ omits_outlines: false });
    expect(outlined(200).predictions[0]?.polygon).toHaveLength(1);
    const omitted = outlined(201);
    expect(omitted.omits_outlines).toBe(true);
    expect(omitted.predictions).toHaveLength(201);
    expect(omitted.predictions[0]).toMatchObject({ type: 'polygon', polygon: null, bounding_box: BOX });
  });
});

test('what is said of an item in another way than expected is not known, and no fault', () => {
  const { item } = read({ item: { name: 5, path: null, source_info: [], slots: [{ width: '640', height: -1, source_files: {} }] } });
  expect(item).toEqual({ id: null, name: '5', path: null, dataset: null, team: null, width: null, height: null, url: null });
});

describe('refused is', () => {
  test.each<[unknown, string]>([
    [
      { hello: 1 },
      'body is no payload of V7: it must be an object with "item" (Darwin JSON 2.0), "files" (before it) or "event_type"; got an object',
    ],
    [
      [],
      'body is no payload of V7: it must be an object with "item" (Darwin JSON 2.0), "files" (before it) or "event_type"; got an empty list',
    ],
    [
      { event_type: 'comment_created' },
      'body.event_type must be "workflow_complete", the one event of V7 that is known; got "comment_created"',
    ],
    [{ event_type: 'workflow_complete' }, 'body.payload must be an object; got nothing'],
    [{ item: {}, annotations: {} }, 'body.annotations must be a list; got an object'],
    [{ item: {}, annotations: [5] }, 'body.annotations[0] must be an annotation, an object; got 5'],
    [{ item: {}, annotations: [{ tag: {} }] }, 'body.annotations[0].name must be the name of a class; got nothing'],
    [{ files: [], annotations: [[{}, 5]] }, 'body.annotations[0][0].name must be the name of a class; got nothing'],
    [
      { item: {}, annotations: [{ name: 'a', bounding_box: { x: 1, y: 1, w: -5, h: 1 } }] },
      'body.annotations[0].bounding_box.w must not be negative; got -5',
    ],
    [{ item: {}, annotations: [{ name: 'a', polygon: { paths: 'M0' } }] }, 'body.annotations[0].polygon.paths must be a list; got "M0"'],
    [
      { item: {}, annotations: [{ name: 'a', polygon: { paths: [[{ x: 1, y: 'b' }]] } }] },
      'body.annotations[0].polygon.paths[0][0].y must be a number from -1000000000 to 1000000000; got "b"',
    ],
    [
      { item: {}, annotations: [{ name: 'a', frames: { 3: { bounding_box: { x: null } } } }] },
      'body.annotations[0].frames.3.bounding_box.x must be a number from -1000000000 to 1000000000; got null',
    ],
  ])('%j', (document, expected) => {
    expect(fault(document)).toBe(expected);
  });

  test('what is no JSON body', () => {
    const form = { content_type: 'multipart/form-data', files: [], fields: {} };
    expect(faultOf('v7', { received: form, bytes: new Map() })).toBe(
      'body must be a JSON document sent as application/json, as V7 does; got "multipart/form-data"',
    );
  });
});

test('no document makes it throw, whatever is changed in it', () => {
  const sample = makeSample('v7.stage', { objects: 7, rle: 10 });
  const good =
    sample.contentType === 'multipart/form-data' ? expect.fail('no JSON sample') : JSON.parse(Buffer.from(sample.body).toString());
  fc.assert(
    fc.property(fc.nat(8), fc.jsonValue(), fc.constantFrom(...ANNOTATION_KEYS), (index, value, key) => {
      const annotations = good.annotations.with(index, { ...good.annotations[index], [key]: value });
      readPayload('v7', takeBody(JSON.stringify({ ...good, annotations })));
      readPayload('v7', takeBody(JSON.stringify({ ...good, [key]: value, annotations: value })));
    }),
    { numRuns: 1_000 },
  );
});

const ANNOTATION_KEYS = [
  'id',
  'name',
  'bounding_box',
  'polygon',
  'frames',
  'raster_layer',
  'mask',
  'inference',
  'properties',
  'data',
  'item',
  'files',
];
