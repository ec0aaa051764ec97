// Robovision's requests: the five kinds, parts in any order and under any name, masks tied by their file names, and
// refusals that name the part at fault.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExactNumber } from '../../src/core/json/json.ts';
import type { FileHandle } from '../../src/core/run/request.ts';
import type { Payload } from '../../src/payloads/payload.ts';
import { makeSample, type SampleKind } from '../../src/payloads/samples/index.ts';
import { jsonBytes, type SamplePart, textBytes } from '../../src/payloads/samples/sample.ts';
import { faultOf, payloadOf, readPayload, takeApart, takeParts } from './intake.ts';

const SMALL = { width: 48, height: 32 };
const [IMAGE, ...REST] = sampleParts('robovision.instance_segmentation');
const MASKS = REST.slice(0, -1);

function sampleParts(kind: SampleKind): SamplePart[] {
  const sample = makeSample(kind, SMALL);
  return sample.contentType === 'multipart/form-data' ? sample.parts : expect.fail('no multipart sample');
}

/** A predictions part with a value as JSON, or with raw bytes. */
function predictions(document: unknown): SamplePart {
  const bytes = document instanceof Uint8Array ? document : jsonBytes(document);
  return { name: 'predictions', filename: 'predictions.json', contentType: 'application/json', bytes };
}

function read(document: unknown, ...others: (SamplePart | undefined)[]): Payload {
  return payloadOf('robovision', takeParts([predictions(document), ...others.filter((part) => part !== undefined)]));
}

function fault(document: unknown, ...others: (SamplePart | undefined)[]): string {
  return faultOf('robovision', takeParts([predictions(document), ...others.filter((part) => part !== undefined)]));
}

describe('the typed form', () => {
  test('the one document that Robovision shows gives a complete typed form', () => {
    const document = '{\n  "kind": "ImageClassification.v1",\n  "classId": "crocodile",\n  "confidence": 0.021827127784490585\n}';
    const taken = takeParts([predictions(textBytes(document))]);
    expect(payloadOf('robovision', taken)).toEqual({
      kind: 'robovision.image_classification',
      source: 'robovision',
      item: { id: null, name: null, path: null, dataset: null, team: null, width: null, height: null, frame_count: null, url: null },
      image: null,
      predictions: [label('crocodile', 0.021827127784490585)],
      masks: [],
      document: taken.received.files[0],
      metadata: null,
      has_annotations: true,
      omits_outlines: false,
    });
  });

  test('an object detection gives predictions with boxes', () => {
    const boundingBox = { x: 12, y: 30.5, width: 140, height: 0 };
    const { kind, predictions: found } = read({
      kind: 'ObjectDetection.v1',
      objects: [{ classId: 'crocodile', confidence: 1, boundingBox }],
    });
    expect(kind).toBe('robovision.object_detection');
    expect(found).toEqual([{ ...label('crocodile', 1), type: 'bounding_box', bounding_box: boundingBox }]);
  });

  test('a multilabel classification gives labels, with or without a confidence', () => {
    const labels = [{ classId: 'wet', confidence: 0.88 }, { classId: 'green' }];
    const { kind, predictions: found } = read({ kind: 'MultilabelImageClassification.v1', labels });
    expect(kind).toBe('robovision.multilabel_classification');
    expect(found).toEqual([label('wet', 0.88), label('green', null)]);
  });

  test('an instance segmentation gives each prediction its mask, and the item the size of the image', () => {
    const taken = takeApart(makeSample('robovision.instance_segmentation', SMALL));
    const { item, image, predictions: found, masks } = payloadOf('robovision', taken);
    expect(item).toMatchObject(SMALL);
    expect(image).toBe(taken.received.files[0]);
    expect(found.map(({ type, mask }) => [type, mask])).toEqual([
      ['mask', 0],
      ['mask', 1],
      ['mask', 2],
    ]);
    expect(masks).toEqual(
      found.map((prediction, index) => ({
        name: `mask_000${index}.png`,
        file: taken.received.files[index + 1],
        class: prediction.class,
        predictions: [index],
      })),
    );
  });

  test('regions of a semantic segmentation may share a mask', () => {
    const segments = [
      { classId: 'soil', mask: 'mask_0000.png' },
      { classId: 'leaf', mask: 'mask_0001.png' },
      { classId: 'stone', mask: 'mask_0000.png' },
    ];
    const { kind, masks, predictions: found } = read({ kind: 'SemanticSegmentation.v1', segments }, MASKS[0], MASKS[1]);
    expect(kind).toBe('robovision.semantic_segmentation');
    expect(masks.map(({ class: name, predictions: tied }) => [name, tied])).toEqual([
      [null, [0, 2]],
      ['leaf', [1]],
    ]);
    expect(found.map(({ mask }) => mask)).toEqual([0, 1, 0]);
  });
});

function label(name: string, confidence: number | null): object {
  return {
    id: null,
    class: name,
    confidence,
    type: 'label',
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
}

test('a confidence just outside of 0 to 1 is clamped', () => {
  const found = [1.0000001192092896, -1e-8, 0.1 + 0.2].map((confidence) => read({ classId: 'a', confidence }).predictions[0]?.confidence);
  expect(found).toEqual([1, 0, 0.30000000000000004]);
});

describe('the kind', () => {
  const item = { classId: 'leaf', confidence: 0.5 };
  const boundingBox = { x: 1, y: 2, width: 3, height: 4 };
  const mask = 'mask_0000.png';

  test.each([
    ['ObjectDetection.v2.1', { objects: [] }, 'object_detection'],
    ['objectDetection', { objects: [] }, 'object_detection'],
    ['Multilabel-Classification.v1', { labels: [] }, 'multilabel_classification'],
    ['InstanceSegmentation.v9', { objects: [] }, 'instance_segmentation'],
    ['SemanticSegmentation.', [], 'semantic_segmentation'],
    ['Brand-new.v1', { instances: [] }, 'instance_segmentation'],
  ])('the kind %s is recognised', (kind, document, expected) => {
    const written = Array.isArray(document) ? { kind, segments: document } : { kind, ...document };
    expect(read(written).kind).toBe(`robovision.${expected}`);
  });

  test.each<[string, unknown, string]>([
    ['a class alone', { label: 'leaf' }, 'image_classification'],
    ['boxes', { predictions: [{ ...item, boundingBox }] }, 'object_detection'],
    ['a bare list of boxes', [{ ...item, box: boundingBox }], 'object_detection'],
    ['labels', { labels: [item] }, 'multilabel_classification'],
    ['a bare list of labels', [item], 'multilabel_classification'],
    ['masks with a confidence', { predictions: [{ ...item, mask }] }, 'instance_segmentation'],
    ['masks without a confidence', { objects: [{ className: 'leaf', mask }] }, 'semantic_segmentation'],
    ['an empty list of labels', { labels: [] }, 'multilabel_classification'],
    ['an empty list of segments', { segments: [] }, 'semantic_segmentation'],
    ['an empty list of predictions', { predictions: [] }, 'object_detection'],
  ])('the kind of a document without one is guessed from %s', (_title, document, expected) => {
    const others = JSON.stringify(document).includes(mask) ? [MASKS[0]] : [];
    expect(read(document, ...others).kind).toBe(`robovision.${expected}`);
  });
});

describe('parts', () => {
  const detection = sampleParts('robovision.object_detection').at(-1) as SamplePart;

  test('parts are read in any order, with unknown parts between them', () => {
    const expected = payloadOf('robovision', takeParts([IMAGE as SamplePart, ...REST]));
    fc.assert(
      fc.property(
        fc.shuffledSubarray([IMAGE as SamplePart, ...REST], { minLength: REST.length + 1 }),
        fc.array(fc.record({ name: fc.string(), ending: fc.constantFrom('', '.txt', '.webp', '.xml'), bytes: fc.uint8Array() }), {
          maxLength: 4,
        }),
        (parts, unknown) => {
          const others = unknown.map(({ name, ending, bytes }, index) => ({
            name,
            filename: `extra${index}${ending}`,
            contentType: null,
            bytes,
          }));
          const payload = payloadOf('robovision', takeParts([...others, ...parts]));
          expect(payload).toEqual({ ...expected, image: payload.image, document: payload.document });
          expect([payload.image?.name, payload.document?.name]).toEqual(['image', 'predictions']);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('parts are identified by file name and content type, under any field name', () => {
    const renamed = [IMAGE as SamplePart, ...REST].map((part, index) => ({ ...part, name: `part-${index}` }));
    const payload = payloadOf('robovision', takeParts(renamed));
    expect(payload.image?.filename).toBe('image.jpeg');
    expect(payload.masks).toHaveLength(3);
  });

  test('the document may have another file name in the field predictions, or be the only JSON file', () => {
    const named = { ...detection, filename: 'result.bin', contentType: 'application/octet-stream' };
    const only = { ...detection, name: 'part', filename: 'result.json', contentType: null };
    for (const part of [named, only]) expect(payloadOf('robovision', takeParts([part])).kind).toBe('robovision.object_detection');
  });

  test('the document may be a form field, as text or already decoded', () => {
    const text = payloadOf('robovision', takeParts([{ ...detection, filename: null }, IMAGE as SamplePart]));
    expect(text).toMatchObject({ kind: 'robovision.object_detection', document: null });
    const received = { content_type: 'multipart/form-data', files: [] as FileHandle[], fields: {} };
    for (const name of ['predictions', 'whatever']) {
      const fields = { [name]: { classId: 'leaf', confidence: new ExactNumber('1.0') } };
      const { predictions: found } = payloadOf('robovision', { received: { ...received, fields }, bytes: new Map() });
      expect(found).toMatchObject([{ class: 'leaf', confidence: 1 }]);
    }
  });

  test('the image may have another name or be missing', () => {
    const camera = { ...(IMAGE as SamplePart), name: 'x', filename: 'camera-7.JPG' };
    expect(read({ classId: 'a' }, camera)).toMatchObject({ image: { filename: 'camera-7.JPG' }, item: SMALL });
    expect(read({ classId: 'a' }).image).toBeNull();
  });

  test('five thousand mask parts are read', () => {
    const mask = MASKS[0] as SamplePart;
    const names = Array.from({ length: 5_000 }, (_, index) => `mask_${index}.png`);
    const instances = names.map((name) => ({ classId: 'leaf', confidence: 0.5, mask: name }));
    const { masks } = read({ kind: 'InstanceSegmentation.v1', instances }, ...names.map((filename) => ({ ...mask, filename })));
    expect(masks.map(({ file }) => file?.filename)).toEqual(names);
  });
});

describe('refusals', () => {
  const [mask] = MASKS as [SamplePart];
  const image = IMAGE as SamplePart;
  const classification = { kind: 'ImageClassification.v1', classId: 'leaf' };
  const one = { kind: 'InstanceSegmentation.v1', instances: [{ classId: 'leaf', confidence: 0.5, mask: 'mask_0000.png' }] };

  test('a request with no document or with two is refused', () => {
    expect(faultOf('robovision', takeParts([image]))).toBe(
      'predictions is missing; the request must have a part "predictions" with the file predictions.json',
    );
    expect(fault(classification, predictions(classification))).toBe('predictions was sent 2 times; the request must have one such part');
    expect(fault(classification, { ...predictions(classification), filename: null })).toMatch(/^predictions was sent 2 times;/);
    const twice = { content_type: 'multipart/form-data', files: [], fields: { predictions: ['{}', '{}'] } };
    expect(faultOf('robovision', { received: twice, bytes: new Map() })).toMatch(/^predictions was sent 2 times;/);
  });

  test('a mask that is missing, that no prediction names, or that was sent twice is refused', () => {
    expect(fault(one)).toBe(
      'mask_0000.png is missing, but predictions.instances[0].mask names it; send each mask as a file part with that file name',
    );
    expect(fault(classification, mask)).toBe(
      'mask_0000.png is a mask that no prediction names; each mask file must be named by a prediction',
    );
    expect(fault(one, mask, mask)).toBe('mask_0000.png was sent 2 times; each mask must have its own file name');
    expect(fault({ instances: [{ classId: 'leaf', mask: '' }] })).toMatch(/^predictions\.instances\[0\]\.mask must be the file name/);
  });

  test('a second image of the same name is refused', () => {
    expect(fault(classification, image, image)).toBe('image.jpeg was sent 2 times; a request must have one image');
  });

  test.each([
    ['../x.png', 'x.png'],
    ['a/b.png', 'b.png'],
    ['c:\\x.png', 'x.png'],
    ['/etc/passwd', 'passwd'],
    ['c:x.png', 'x.png'],
    ['..', 'image.jpeg'],
    ['a\u0000.png', 'a\ufffd.png'],
    ['a\r\nb', 'a\ufffd\ufffdb'],
  ])('the file name %j is refused', (filename, better) => {
    const message = fault(classification, { ...mask, name: 'extra', filename });
    expect(message).toMatch(/^extra has the file name ".*", which is a path or contains control characters; send only a name, such as /);
    expect(message.endsWith(`"${better}"`)).toBe(true);
  });

  test('the refusal of a long file name is short', () => {
    expect(fault(classification, { ...mask, filename: `../${'x'.repeat(10_000)}` }).length).toBeLessThan(400);
  });

  test.each<[string, unknown, string]>([
    [
      'a number in place of an object',
      5,
      'predictions has no known kind: it must have a "kind" such as "ObjectDetection.v1", or a list under one of objects, labels, instances, segments, predictions; got 5',
    ],
    ['no class', { kind: 'ImageClassification.v1' }, 'predictions.classId must be the name of a class; got nothing'],
    [
      'a class that is not text',
      { objects: [{ classId: {}, boundingBox: {} }] },
      'predictions.objects[0].classId must be the name of a class; got an object',
    ],
    [
      'no list',
      { kind: 'ObjectDetection.v1' },
      'predictions must have a list of its object detection results, such as "objects"; got an object',
    ],
    [
      'a box without sides',
      { objects: [{ classId: 'a', boundingBox: { x: 1, y: 1 } }] },
      'predictions.objects[0].boundingBox.width must be a number from -1000000000 to 1000000000; got nothing',
    ],
    [
      'no box',
      { kind: 'ObjectDetection.v1', objects: [{ classId: 'a' }] },
      'predictions.objects[0].boundingBox must be an object with x, y, width and height; got nothing',
    ],
    [
      'a negative side',
      { objects: [{ classId: 'a', boundingBox: { x: 1, y: 1, width: -1, height: 1 } }] },
      'predictions.objects[0].boundingBox.width must not be negative; got -1',
    ],
    ['a confidence above 1', { classId: 'a', confidence: 80 }, 'predictions.confidence must be a number from 0 to 1; got 80'],
    ['a confidence as text', { classId: 'a', confidence: '0.8' }, 'predictions.confidence must be a number from 0 to 1; got "0.8"'],
    [
      'a mask that is not a name',
      { instances: [{ classId: 'a', mask: { url: 'x' } }] },
      'predictions.instances[0].mask must be the file name of a mask, such as "mask_0000.png"; got an object',
    ],
    [
      'no masks',
      { kind: 'SemanticSegmentation.v1', segments: [{ classId: 'a' }] },
      'predictions.segments[0].mask must be the file name of a mask, such as "mask_0000.png"; got nothing',
    ],
  ])('a document with %s is refused', (_title, document, expected) => {
    expect(fault(document)).toBe(expected);
  });

  test.each<[string, SamplePart, string]>([
    [
      'a mask with the content type text/plain',
      { ...mask, contentType: 'text/plain' },
      'mask_0000.png has the content type text/plain, but is a PNG file; send it as image/png',
    ],
    [
      'a mask with the content type image/jpeg',
      { ...mask, contentType: 'image/jpeg' },
      'mask_0000.png has the content type image/jpeg, but is a PNG file; send it as image/png',
    ],
    [
      'a mask with the bytes of a JPEG and no content type',
      { ...mask, contentType: null, bytes: image.bytes },
      'mask_0000.png contains a JPEG image, but neither its name nor its content type says so; send it as image/jpeg',
    ],
    [
      'a mask with the bytes of a JPEG',
      { ...mask, bytes: image.bytes },
      'mask_0000.png contains a JPEG image, but neither its name nor its content type says so; send it as image/jpeg',
    ],
    ['a mask of text', { ...mask, bytes: textBytes('hello') }, 'mask_0000.png does not begin with the PNG signature'],
    ['an empty mask', { ...mask, bytes: new Uint8Array(0) }, 'mask_0000.png is empty'],
    [
      'a mask of HTML',
      { ...mask, contentType: 'text/html', bytes: textBytes('<p>') },
      'mask_0000.png has the content type text/html, but its name says image/png; the two must agree',
    ],
  ])('%s is refused', (_title, part, expected) => {
    expect(fault(one, part)).toBe(expected);
  });

  test('an image with the type application/octet-stream, or with a misleading name and a true type, is accepted', () => {
    expect(read(one, { ...mask, contentType: 'application/octet-stream' }).masks).toHaveLength(1);
    const misnamed = { ...image, filename: 'image.png' };
    expect(read(classification, misnamed).image?.filename).toBe('image.png');
  });

  test('a cut image is refused, and a cut file that is not read is accepted', () => {
    const cut = { ...image, bytes: image.bytes.subarray(0, 300) };
    expect(fault(classification, cut)).toBe('image.jpeg ends after 300 bytes, before its image data and without an EOI marker');
    expect(read(classification, image, { ...cut, filename: 'thumbnail.webp', contentType: 'image/webp' }).image?.filename).toBe(
      'image.jpeg',
    );
  });
});

test('the format never throws, whatever is changed in a document', () => {
  const good = Buffer.from((REST.at(-1) as SamplePart).bytes).toString();
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(8), fc.string({ maxLength: 6 }), (at, removed, added) => {
      const document = textBytes(good.slice(0, at) + added + good.slice(at + removed));
      readPayload('robovision', takeParts([IMAGE as SamplePart, ...MASKS, predictions(document)]));
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('objects', 'labels', 'instances', 'segments', 'classId'), (value, key) => {
      for (const document of [value, { [key]: value }, { kind: value }, { [key]: [value] }])
        readPayload('robovision', takeParts([predictions(document)]));
    }),
    { numRuns: 500 },
  );
});
