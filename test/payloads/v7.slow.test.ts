// V7's three bodies: every type of annotation, bodies without annotations, and masks whose numbers stay in the document.

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
const SIDES = { h: 4, w: 3, x: 1, y: 2 };
const BOX = { x: 1, y: 2, width: 3, height: 4 };
const ELLIPSE = { center: { x: 1, y: 1 }, radius: { x: 1, y: 1 }, angle: 0.5 };

describe('the typed form', () => {
  test('the body of a stage gives a complete typed form', () => {
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
        frame_count: null,
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

  test('the body of the stage of 2022 gives the annotations of all its files', () => {
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
      frame_count: null,
      url: 'https://files.example.org/a.jpg',
    });
    expect(predictions).toEqual([
      { ...NOTHING, type: 'bounding_box', bounding_box: BOX },
      { ...NOTHING, class: 'leaf', type: 'keypoint', keypoint: { x: 1, y: 1 } },
    ]);
    expect(metadata).toEqual(head);
  });

  test('the event of a completed workflow gives its annotations', () => {
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
    ['ellipse', { bounding_box: SIDES, ellipse: ELLIPSE }, { bounding_box: BOX, ellipse: ELLIPSE }],
    [
      'ellipse',
      { ellipse: { center: { x: 1, y: 1 }, radius: { x: 0, y: 2 } } },
      { ellipse: { ...ELLIPSE, radius: { x: 0, y: 2 }, angle: null } },
    ],
    ['keypoint', { keypoint: { x: 11.5, y: 22.5 } }, { keypoint: { x: 11.5, y: 22.5 } }],
    [
      'skeleton',
      {
        bounding_box: SIDES,
        skeleton: {
          nodes: [
            { name: 'head', x: 7, y: 8, occluded: true },
            { x: 1, y: 1 },
          ],
        },
      },
      {
        bounding_box: BOX,
        skeleton: [
          { name: 'head', x: 7, y: 8, occluded: true },
          { name: null, x: 1, y: 1, occluded: false },
        ],
      },
    ],
    ['line', { line: { path: ring } }, { line: ring }],
    ['cuboid', { cuboid: { front: SIDES, back: { ...SIDES, x: 9 } } }, { cuboid: { front: BOX, back: { ...BOX, x: 9 } } }],
    [
      'bounding_box',
      { bounding_box: SIDES, directional_vector: { angle: 1.2, length: 9 }, instance_id: { value: 42 } },
      { bounding_box: BOX, directional_vector: { angle: 1.2, length: 9 }, instance_id: 42 },
    ],
    [
      'tag',
      { tag: {}, directional_vector: { angle: 'north' }, instance_id: { value: 'x' } },
      { directional_vector: { angle: null, length: null } },
    ],
    ['text', { text: { text: 'Best before' } }, { text: 'Best before' }],
    ['hexagon', { hexagon: { radius: 5 }, inference: { confidence: 0.25, model: {} } }, { confidence: 0.25 }],
    ['unknown', { slot_names: ['0'], frames: {} }, { frame_count: 0 }],
  ])('an annotation of type %s is read', (type, annotation, expected) => {
    expect(readAnnotation(annotation)).toEqual({ ...NOTHING, type, ...expected });
  });

  test.each<[string, string, object, Partial<Prediction>]>([
    [
      'the first frame, by number',
      'bounding_box',
      { frames: { 10: { bounding_box: { ...SIDES, x: 9 } }, 2: { bounding_box: SIDES, keyframe: true } }, ranges: [[2, 11]] },
      { bounding_box: BOX, frame: 2, frame_count: 2, ranges: [[2, 11]] },
    ],
    [
      'the first frame that draws something',
      'polygon',
      {
        frames: {
          0: { visibility: { level: 1 } },
          1: { text: { text: 'a' } },
          2: { attributes: ['wet'], instance_id: { value: 3 } },
          4: { polygon: { paths: [ring] } },
        },
      },
      { polygon: [ring], frame: 4, frame_count: 4 },
    ],
    [
      'the frame, despite objects beside the frames',
      'polygon',
      {
        global_sub_types: {},
        interpolate: { algorithm: 'linear-1.1' },
        bounding_box: { ...SIDES, w: 99 },
        frames: { 3: { polygon: { paths: [ring] }, bounding_box: SIDES } },
      },
      { polygon: [ring], bounding_box: BOX, frame: 3, frame_count: 1 },
    ],
    [
      'the frame, with notes of all frames',
      'keypoint',
      {
        global_sub_types: {
          text: { text: 'Gate 2' },
          instance_id: { value: 7 },
          attributes: ['wet', 'old'],
          directional_vector: { angle: 1, length: 2 },
        },
        frames: { 0: { keypoint: { x: 1, y: 1 }, instance_id: { value: 8 }, attributes: ['dented', 'wet'] } },
      },
      {
        keypoint: { x: 1, y: 1 },
        frame: 0,
        frame_count: 1,
        text: 'Gate 2',
        instance_id: 8,
        directional_vector: { angle: 1, length: 2 },
        attributes: ['dented', 'wet', 'old'],
      },
    ],
    [
      'a text if no frame draws anything else',
      'text',
      { frames: { 0: {}, 7: { text: { text: 'Gate 2' } } } },
      { text: 'Gate 2', frame: 7, frame_count: 2 },
    ],
    [
      'a shape of a newer type if no frame draws a known one',
      'hexagon',
      { frames: { 2: { hexagon: {} }, 1: {} } },
      { frame: 2, frame_count: 2 },
    ],
    ['the annotation if no frame draws anything', 'tag', { tag: {}, frames: { 0: { keyframe: true } } }, { frame_count: 1 }],
    [
      'sections and segments, as older documents have them',
      'ellipse',
      { sections: { 5: { ellipse: ELLIPSE } }, segments: [[5, 9], [12, null], ['x'], 5, {}] },
      {
        ellipse: ELLIPSE,
        frame: 5,
        frame_count: 1,
        ranges: [
          [5, 9],
          [12, null],
        ],
      },
    ],
    [
      'a frame whose key is not a number if there is no other',
      'line',
      { frames: { last: { line: { path: ring } }, x: {} } },
      { line: ring, frame: null, frame_count: 2 },
    ],
    [
      'the frames of the data, in an event',
      'keypoint',
      { data: { frames: { 1: { keypoint: { x: 2, y: 3 } } }, text: { text: 'No. 5' } } },
      { keypoint: { x: 2, y: 3 }, frame: 1, frame_count: 1, text: 'No. 5' },
    ],
  ])('an annotation of a video is read from %s', (_what, type, annotation, expected) => {
    expect(readAnnotation(annotation)).toEqual({ ...NOTHING, type, ...expected });
  });

  test('an annotation keeps its valid attributes, properties and annotators, and drops malformed ones', () => {
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

describe('annotations', () => {
  const item = { name: 'a.jpg' };
  test.each<[string, object, boolean]>([
    ['absent', {}, false],
    ['null', { annotations: null }, false],
    ['empty', { annotations: [] }, true],
  ])('annotations that are %s are valid and give no predictions', (_title, annotations, expected) => {
    for (const document of [
      { item, ...annotations },
      { files: [], ...annotations },
      { event_type: 'workflow_complete', payload: annotations },
    ]) {
      expect(read(document)).toMatchObject({ predictions: [], has_annotations: expected });
    }
  });

  test('masks are tied to their raster layer, and its numbers stay in the document', () => {
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

  test('fifty thousand annotations are read, and one more is refused', () => {
    const annotations = Array.from({ length: 50_000 }, (_, id) => ({ id, name: 'crate', bounding_box: SIDES }));
    expect(read({ item, annotations }).predictions.at(-1)).toMatchObject({ id: '49999', bounding_box: BOX });
    const more = { item, annotations: [...annotations, { name: 'crate', tag: {} }] };
    expect(fault(more)).toBe('body.annotations must have at most 50000 predictions, not 50001');
  });

  test('the typed form omits outlines of more than 200,000 points in all', () => {
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

  test('lines and skeletons count as outlines, and a video counts only the frame that is read', () => {
    const path = Array.from({ length: 100_000 }, (_, place) => ({ x: place, y: place }));
    const line = { name: 'lane', line: { path } };
    const skeleton = { name: 'person', skeleton: { nodes: path } };
    const video = { name: 'lane', frames: { 0: { line: { path: path.slice(0, 2) } }, 1: { line: { path } } } };
    const kept = read({ item, annotations: [line, skeleton] });
    expect(kept).toMatchObject({ omits_outlines: false });
    expect(kept.predictions.map((one) => [one.line?.length, one.skeleton?.length])).toEqual([
      [100_000, undefined],
      [undefined, 100_000],
    ]);
    const omitted = read({ item, annotations: [line, skeleton, video] });
    expect(omitted).toMatchObject({ omits_outlines: true, predictions: [{ line: null }, { skeleton: null }, { line: null, frame: 0 }] });
    expect(read({ item, annotations: [video] })).toMatchObject({ omits_outlines: false, predictions: [{ line: path.slice(0, 2) }] });
  });
});

test('the item of a video has its number of frames', () => {
  const { item } = read({ item: { name: 'clip.mp4', slots: [{ type: 'video', width: 640, height: 480, frame_count: 250 }] } });
  expect(item).toMatchObject({ name: 'clip.mp4', width: 640, height: 480, frame_count: 250 });
});

test('item fields of an unexpected type become null, and an id or name may be a number', () => {
  const { item } = read({ item: { name: 5, path: null, source_info: [], slots: [{ width: '640', height: -1, source_files: {} }] } });
  expect(item).toEqual({
    id: null,
    name: '5',
    path: null,
    dataset: null,
    team: null,
    width: null,
    height: null,
    frame_count: null,
    url: null,
  });
});

describe('refusals', () => {
  test.each<[unknown, string]>([
    [
      { hello: 1 },
      'body is not a V7 payload; it must be an object with "item" (Darwin JSON 2.0), "files" (its older form) or "event_type"; got an object',
    ],
    [
      [],
      'body is not a V7 payload; it must be an object with "item" (Darwin JSON 2.0), "files" (its older form) or "event_type"; got an empty list',
    ],
    [
      { event_type: 'comment_created' },
      'body.event_type must be "workflow_complete", the only V7 event that is supported; got "comment_created"',
    ],
    [{ event_type: 'workflow_complete' }, 'body.payload must be an object; got nothing'],
    [{ item: {}, annotations: {} }, 'body.annotations must be a list; got an object'],
    [{ item: {}, annotations: [5] }, 'body.annotations[0] must be an annotation object; got 5'],
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
      { item: {}, annotations: [{ name: 'a', keypoint: { x: 'left', y: 1 } }] },
      'body.annotations[0].keypoint.x must be a number from -1000000000 to 1000000000; got "left"',
    ],
    [
      { item: {}, annotations: [{ name: 'a', skeleton: { nodes: [{ name: 'head', x: 1 }] } }] },
      'body.annotations[0].skeleton.nodes[0].y must be a number from -1000000000 to 1000000000; got nothing',
    ],
    [{ item: {}, annotations: [{ name: 'a', skeleton: {} }] }, 'body.annotations[0].skeleton.nodes must be a list; got nothing'],
    [{ item: {}, annotations: [{ name: 'a', line: { path: 5 } }] }, 'body.annotations[0].line.path must be a list; got 5'],
    [
      { item: {}, annotations: [{ name: 'a', ellipse: { center: { x: 1, y: 1 }, radius: { x: -1, y: 1 } } }] },
      'body.annotations[0].ellipse.radius.x must not be negative; got -1',
    ],
    [
      { item: {}, annotations: [{ name: 'a', cuboid: { front: SIDES } }] },
      'body.annotations[0].cuboid.back must be an object with x, y, width and height; got nothing',
    ],
    [
      { item: {}, annotations: [{ name: 'a', frames: { 3: { bounding_box: { x: null } } } }] },
      'body.annotations[0].frames.3.bounding_box.x must be a number from -1000000000 to 1000000000; got null',
    ],
  ])('the document %j is refused', (document, expected) => {
    expect(fault(document)).toBe(expected);
  });

  test('a body that is not JSON is refused', () => {
    const form = { content_type: 'multipart/form-data', files: [], fields: {} };
    expect(faultOf('v7', { received: form, bytes: new Map() })).toBe(
      'body must be a JSON document, sent as application/json; got "multipart/form-data"',
    );
  });
});

test('the format never throws, whatever is changed in a document', () => {
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
  'ellipse',
  'keypoint',
  'skeleton',
  'line',
  'cuboid',
  'directional_vector',
  'instance_id',
  'ranges',
  'global_sub_types',
  'frames',
  'raster_layer',
  'mask',
  'inference',
  'properties',
  'data',
  'item',
  'files',
];
