// The image loader: images from files and base64, faults for what is no image, and limits that hold.

import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { ImageFault, ImagesWanted, type ImageWant } from '../../src/core/uql/image.ts';
import { createSerialQueue } from '../../src/core/values/serial-queue.ts';
import { createImageLoader } from '../../src/images/image-loader.ts';
import { MemoryAccount } from '../../src/memory-budget.ts';

const HASH = 'b'.repeat(64);
const png = await sharp({ create: { width: 30, height: 20, channels: 4, background: '#ff000080' } })
  .png()
  .toBuffer();
const base64 = { type: 'base64', value: png.toString('base64') };
const file = { name: 'f', filename: 'f.png', content_type: 'image/png', size: png.length, sha256: HASH };

const loader = createImageLoader({
  readBlob: (sha256) => (sha256 === HASH ? Promise.resolve(png) : Promise.reject(new ImageFault('the run has no such file'))),
});

function sizeOf(image: unknown): ImageWant {
  return { image, form: { kind: 'size' } };
}

function jpegOf(image: unknown, quality: number): ImageWant {
  return { image, form: { kind: 'jpeg', quality } };
}

async function faultOf(image: unknown, using = loader): Promise<string> {
  const images = await using.load([sizeOf(image), jpegOf(image, 50)]);
  expect(() => images.jpeg(image, 50)).toThrow(ImageFault);
  try {
    images.size(image);
  } catch (error) {
    if (error instanceof ImageFault) return error.message;
    throw error;
  }
  return expect.fail('nothing was wrong with it');
}

test.each([
  ['a file', file],
  ['base64', base64],
  ['base64 as text', base64.value],
  ['a data URL', `data:image/png;base64,${base64.value}`],
  ['a data URL as base64', { type: 'base64', value: `data:image/png;base64,${base64.value}` }],
])('%s has a size and becomes a JPEG', async (_title, image) => {
  const images = await loader.load([sizeOf(image), jpegOf(image, 90)]);
  expect(images.size(image)).toMatchObject({ width: 30, height: 20 });
  expect(await sharp(images.jpeg(image, 90)).metadata()).toMatchObject({ format: 'jpeg', width: 30, height: 20 });
});

test('an image is the same one when its handle was read from storage again', async () => {
  const images = await loader.load([sizeOf(file)]);
  expect(images.size({ ...file })).toMatchObject({ width: 30 });
});

test('the quality makes another image', async () => {
  const noise = { type: 'base64', value: await noisePng() };
  const images = await loader.load([jpegOf(noise, 10), jpegOf(noise, 95)]);
  expect(images.jpeg(noise, 10).length).toBeLessThan(images.jpeg(noise, 95).length);
});

async function noisePng(): Promise<string> {
  const pixels = Uint8Array.from({ length: 64 * 64 * 3 }, (_, index) => (index * 7919) % 256);
  return (
    await sharp(pixels, { raw: { width: 64, height: 64, channels: 3 } })
      .png()
      .toBuffer()
  ).toString('base64');
}

test('what was not loaded is asked for together with what was, so that the step has all in the end', async () => {
  const images = await loader.load([sizeOf(file)]);
  expect(() => images.jpeg(base64, 80)).toThrow(expect.objectContaining({ wants: [sizeOf(file), jpegOf(base64, 80)] }));
  expect(() => images.jpeg(file, 80)).toThrow(ImagesWanted);
});

test('a photo that was taken upright is measured upright', async () => {
  const turned = { type: 'base64', value: (await sharp(png).jpeg().withMetadata({ orientation: 6 }).toBuffer()).toString('base64') };
  const images = await loader.load([sizeOf(turned), jpegOf(turned, 80)]);
  expect(images.size(turned)).toMatchObject({ width: 20, height: 30 });
  expect(await sharp(images.jpeg(turned, 80)).metadata()).toMatchObject({ width: 20, height: 30 });
});

describe('is a fault, and no failure of the server:', () => {
  const inBase64 = (bytes: Uint8Array | string): unknown => ({ type: 'base64', value: Buffer.from(bytes).toString('base64') });

  test.each([
    ['text that is no base64', { type: 'base64', value: 'not base64!' }, /not base64/],
    ['nothing', { type: 'base64', value: '' }, /not base64/],
    ['bytes that are no image', inBase64('hello, world'), /cannot be read/],
    ['half an image', { type: 'base64', value: png.subarray(0, 30).toString('base64') }, /cannot be read/],
    ['a URL', { type: 'url', value: 'http://127.0.0.1/x.png' }, /send the bytes/],
    ['a drawing', inBase64('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>'), /svg/],
    ['a file of another run', { ...file, sha256: 'c'.repeat(64) }, /no such file/],
  ])('%s', async (_title, image, reason) => {
    expect(await faultOf(image)).toMatch(reason);
  });

  test('an image of too many pixels', async () => {
    expect(await faultOf(base64, createImageLoader({ readBlob: () => Promise.resolve(png), maxPixels: 599 }))).toMatch(/pixel/);
  });

  test('an image of too many bytes', async () => {
    const strict = createImageLoader({ readBlob: () => Promise.resolve(png), maxBytes: 10 });
    expect(await faultOf(base64, strict)).toBe('the image has more than 10 bytes');
    expect(await faultOf(file, strict)).toBe('the image has more than 10 bytes');
  });
});

test('a blob that cannot be read now is an error to try again after', async () => {
  const failing = createImageLoader({ readBlob: () => Promise.reject(new Error('the disk is away')) });
  await expect(failing.load([sizeOf(file)])).rejects.toThrow('the disk is away');
});

test('images of several runs are converted one after the other, and their pixels are accounted for meanwhile', async () => {
  const memory = new MemoryAccount('images', 2 ** 30);
  const serially = createSerialQueue();
  const used: number[] = [];
  const readBlob = (): Promise<Uint8Array> => {
    used.push(memory.used);
    return Promise.resolve(png);
  };
  const loaders = Array.from({ length: 5 }, () => createImageLoader({ readBlob, serially, memory }));
  await Promise.all(loaders.map((shared) => shared.load([{ image: file, form: { kind: 'jpeg', quality: 90 } }])));
  expect(used).toEqual([0, 0, 0, 0, 0]);
  expect([memory.used, memory.peak > 0]).toEqual([0, true]);
});
