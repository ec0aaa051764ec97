// Samples of every kind are determined by their seed, are read as their kind, and have images that other programs open.

import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { PayloadSource } from '../../src/core/sink/sink.ts';
import type { BoundingBox, Payload } from '../../src/payloads/payload.ts';
import { makeSample, type SampleKind, sampleKinds } from '../../src/payloads/samples/index.ts';
import type { Sample, SampleOptions } from '../../src/payloads/samples/sample.ts';
import { payloadOf, readPayload, takeApart } from './intake.ts';

function readSample(kind: SampleKind, options: Partial<SampleOptions> = {}): Payload {
  return payloadOf(kind.split('.')[0] as PayloadSource, takeApart(makeSample(kind, options)));
}

function partsOf(sample: Sample): Map<string, Buffer> {
  if (sample.contentType !== 'multipart/form-data') return expect.fail('no multipart sample');
  return new Map(sample.parts.map(({ name, bytes }) => [name, Buffer.from(bytes)]));
}

describe.each(sampleKinds)('%s', (kind) => {
  test(`a sample of ${kind} is read as its kind`, () => {
    expect(readSample(kind).kind).toBe(kind);
  });

  test(`samples of ${kind} are equal for equal seeds and differ for others`, () => {
    expect(makeSample(kind, { seed: 7 })).toEqual(makeSample(kind, { seed: 7 }));
    expect(makeSample(kind, { seed: 7 })).not.toEqual(makeSample(kind, { seed: 8 }));
  });

  test(`the typed form of ${kind} has every field and is plain JSON`, () => {
    const payload = readSample(kind);
    expect(Object.keys(payload).sort()).toEqual(Object.keys(FIELDS).sort());
    expect(Object.keys(payload.item)).toEqual(FIELDS.item);
    for (const prediction of payload.predictions) expect(Object.keys(prediction).sort()).toEqual(FIELDS.predictions);
    for (const mask of payload.masks) expect(Object.keys(mask)).toEqual(FIELDS.masks);
    expect(JSON.parse(JSON.stringify(payload))).toEqual(payload);
  });

  test.each([0, 1, 40])(`a sample of ${kind} with %i objects has as many predictions as its kind allows`, (objects) => {
    const { predictions } = readSample(kind, { objects, width: 64, height: 64 });
    expect(predictions).toHaveLength(expectedCount(kind, objects, predictions));
  });

  test(`a sample of ${kind} can omit its image and its annotations`, () => {
    const payload = readSample(kind, { image: false, annotations: false });
    expect(payload.image).toBeNull();
    if (!kind.startsWith('robovision')) expect(payload).toMatchObject({ predictions: [], masks: [], has_annotations: false });
  });
});

const FIELDS = {
  kind: null,
  source: null,
  image: null,
  document: null,
  metadata: null,
  has_annotations: null,
  omits_outlines: null,
  item: ['id', 'name', 'path', 'dataset', 'team', 'width', 'height', 'frame_count', 'url'],
  predictions: [
    'annotators',
    'attributes',
    'bounding_box',
    'class',
    'confidence',
    'cuboid',
    'directional_vector',
    'ellipse',
    'frame',
    'frame_count',
    'id',
    'instance_id',
    'keypoint',
    'line',
    'mask',
    'polygon',
    'properties',
    'ranges',
    'skeleton',
    'text',
    'type',
  ],
  masks: ['name', 'file', 'class', 'predictions'],
};

/** One prediction per object; a classification has one, and a semantic segmentation has one per class. */
function expectedCount(kind: SampleKind, objects: number, predictions: Payload['predictions']): number {
  if (kind === 'robovision.image_classification') return 1;
  return kind === 'robovision.semantic_segmentation' ? new Set(predictions.map((prediction) => prediction.class)).size : objects;
}

function boxesOf({ predictions }: Payload): BoundingBox[] {
  return predictions.map(({ bounding_box }) => bounding_box as BoundingBox);
}

async function grayAt(image: Buffer, x: number, y: number): Promise<number> {
  const { data, info } = await sharp(image).raw().toBuffer({ resolveWithObject: true });
  return data[(y * info.width + x) * info.channels] as number;
}

describe('images of samples', () => {
  test.each([
    [640, 480],
    [1, 1],
    [37, 119],
  ])('an image of %i by %i pixels opens in another program and shows the scene in gray', async (width, height) => {
    const image = partsOf(makeSample('robovision.object_detection', { width, height })).get('image') as Buffer;
    expect(await sharp(image).metadata()).toMatchObject({ format: 'jpeg', width, height, channels: 1 });
    const box = boxesOf(readSample('robovision.object_detection', { width, height })).at(-1) as BoundingBox;
    const middle = await grayAt(image, box.x + (box.width >> 1), box.y + (box.height >> 1));
    // The last object is drawn over all others, in a dark gray of its own.
    expect(Math.abs(middle - (20 + 2 * 37))).toBeLessThan(width === 640 ? 4 : 60);
  });

  test('masks are white where the scene has its boxes', async () => {
    const masks = partsOf(makeSample('robovision.instance_segmentation'));
    for (const [index, box] of boxesOf(readSample('robovision.object_detection')).entries()) {
      const mask = masks.get(`mask_000${index}`) as Buffer;
      expect(await sharp(mask).metadata()).toMatchObject({ format: 'png', width: 640, height: 480 });
      const { info } = await sharp(mask).trim({ background: 'black' }).toBuffer({ resolveWithObject: true });
      expect([-(info.trimOffsetLeft ?? 0), -(info.trimOffsetTop ?? 0)]).toEqual([box.x, box.y]);
      expect([info.width, info.height]).toEqual([box.width, box.height]);
    }
  });

  test('in a semantic segmentation each class has one mask with all its boxes', async () => {
    const sample = makeSample('robovision.semantic_segmentation', { objects: 12 });
    const payload = readSample('robovision.semantic_segmentation', { objects: 12 });
    expect(payload.masks.length).toBeLessThan(12);
    expect(payload.masks.map((mask) => mask.class)).toEqual(payload.predictions.map((prediction) => prediction.class));
    const mask = partsOf(sample).get('mask_0000') as Buffer;
    const objects = readSample('robovision.object_detection', { objects: 12 }).predictions;
    for (const { class: name, bounding_box } of objects) {
      if (name !== payload.masks[0]?.class) continue;
      const { x, y } = bounding_box as BoundingBox;
      expect(await grayAt(mask, x, y)).toBe(255);
    }
  });
});

test('the parts of a Robovision sample have the names and the order of the platform', () => {
  const sample = makeSample('robovision.instance_segmentation', { objects: 2 });
  if (sample.contentType !== 'multipart/form-data') return expect.fail('no multipart sample');
  expect(sample.parts.map(({ name, filename, contentType }) => [name, filename, contentType])).toEqual([
    ['image', 'image.jpeg', 'image/jpeg'],
    ['mask_0000', 'mask_0000.png', 'image/png'],
    ['mask_0001', 'mask_0001.png', 'image/png'],
    ['predictions', 'predictions.json', 'application/json'],
  ]);
});

describe('a raster layer', () => {
  test.each([1, 2, 9_999, 10_000, 10_001, 20_000, 123_457])('a raster layer has %i numbers if the options ask for them', (rle) => {
    const sample = makeSample('v7.stage', { rle });
    if (sample.contentType === 'multipart/form-data') return expect.fail('no JSON sample');
    const document = JSON.parse(Buffer.from(sample.body).toString());
    expect(document.annotations.at(-1).raster_layer.dense_rle).toHaveLength(rle);
  });

  test('a raster layer of tens of megabytes is read, and its numbers are not in the typed form', () => {
    const sample = makeSample('v7.stage', { rle: 8_000_000 });
    if (sample.contentType === 'multipart/form-data') return expect.fail('no JSON sample');
    expect(sample.body.length).toBeGreaterThan(20_000_000);
    const payload = readPayload('v7', takeApart(sample));
    expect(JSON.stringify(payload).length).toBeLessThan(5_000);
  });
});
