// The check of image files accepts complete ones, of samples and of other programs, and refuses cut or damaged ones.

import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { checkImage, imageFault } from '../../src/payloads/images/check-image.ts';
import { makeSample } from '../../src/payloads/samples/index.ts';

const sample = makeSample('robovision.instance_segmentation', { width: 40, height: 24, objects: 1 });
const [jpeg, png] = sample.contentType === 'multipart/form-data' ? sample.parts.map(({ bytes }) => Buffer.from(bytes)) : [];
const JPEG = jpeg as Buffer;
const PNG = png as Buffer;

const noise = sharp(Buffer.from(Array.from({ length: 30 * 20 * 3 }, (_, at) => (at * 7919) % 251)), {
  raw: { width: 30, height: 20, channels: 3 },
});

describe('complete images', () => {
  test.each([
    ['a baseline JPEG', () => noise.clone().jpeg()],
    ['a progressive JPEG, of many scans', () => noise.clone().jpeg({ progressive: true })],
    [
      'a JPEG with metadata',
      () =>
        noise
          .clone()
          .withExif({ IFD0: { Copyright: 'us' } })
          .jpeg(),
    ],
    ['a PNG', () => noise.clone().png()],
    ['a PNG with a palette', () => noise.clone().png({ palette: true })],
    ['an interlaced PNG of 16 bits with alpha', () => noise.clone().toColourspace('rgb16').ensureAlpha().png({ progressive: true })],
    ['a gray PNG', () => noise.clone().greyscale().png()],
  ])('%s that another program wrote is complete', async (title, make) => {
    const kind = title.includes('JPEG') ? 'jpeg' : 'png';
    const bytes = await make().toBuffer();
    expect(imageFault(kind, bytes)).toBeNull();
    const file = { name: 'f', filename: null, content_type: `image/${kind}`, size: bytes.length, sha256: '' };
    expect(checkImage(file, bytes)).toEqual({ width: 30, height: 20 });
  });

  test('a PNG with bytes after its end is complete', () => {
    for (const padding of [Buffer.alloc(512), Buffer.from('garbage'), Buffer.from('IEND'), PNG])
      expect(imageFault('png', Buffer.concat([PNG, padding]))).toBeNull();
  });

  test('a JPEG with bytes after its end or fill bytes before a marker is complete', () => {
    expect(imageFault('jpeg', Buffer.concat([JPEG, Buffer.alloc(512)]))).toBeNull();
    expect(imageFault('jpeg', Buffer.concat([JPEG, Buffer.from('garbage')]))).toBeNull();
    expect(imageFault('jpeg', Buffer.concat([JPEG.subarray(0, 2), Buffer.from([0xff, 0xff]), JPEG.subarray(2)]))).toBeNull();
    expect(imageFault('jpeg', Buffer.concat([JPEG.subarray(0, -2), Buffer.from([0xff, 0xff, 0xd9])]))).toBeNull();
  });

  test('an image that is a view into a larger buffer is complete', () => {
    const around = Buffer.concat([Buffer.alloc(13), PNG, Buffer.alloc(5)]);
    expect(imageFault('png', around.subarray(13, 13 + PNG.length))).toBeNull();
  });
});

describe('cut images', () => {
  test('a PNG that is cut at any length is refused', () => {
    for (let length = 0; length < PNG.length; length += 1) {
      const fault = imageFault('png', PNG.subarray(0, length));
      expect(fault, `${length}`).toMatch(
        length === 0 ? /^is empty$/ : length < 8 ? /^does not begin with the PNG signature$/ : /^ends after \d+ bytes, /,
      );
    }
  });

  test('a JPEG that is cut at any length is refused', () => {
    for (let length = 0; length < JPEG.length; length += 1) {
      const fault = imageFault('jpeg', JPEG.subarray(0, length));
      expect(fault, `${length}`).toMatch(
        length === 0
          ? /^is empty$/
          : length < 2
            ? /^does not begin with the JPEG signature$/
            : /^ends after \d+ bytes, .* without an EOI marker$/,
      );
    }
  });

  test('an image of another program that is cut at any length is refused', async () => {
    const files = [
      ['jpeg', await noise.clone().jpeg({ progressive: true }).toBuffer()],
      ['png', await noise.clone().png().toBuffer()],
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.double({ min: 0, max: 0.999999, noNaN: true }), ([kind, bytes], part) => {
        expect(imageFault(kind, bytes.subarray(0, Math.floor(bytes.length * part)))).not.toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  test('the fault of a cut image names the place of the cut', () => {
    expect(imageFault('png', PNG.subarray(0, 19))).toBe('ends after 19 bytes, within the chunk that begins at byte 8');
    expect(imageFault('png', PNG.subarray(0, 50))).toBe(
      `ends after 50 bytes, within its IDAT chunk, which ends at byte ${PNG.length - 12}`,
    );
    expect(imageFault('png', PNG.subarray(0, -12))).toBe(`ends after ${PNG.length - 12} bytes, before its IEND chunk`);
    expect(imageFault('jpeg', JPEG.subarray(0, -2))).toBe(
      `ends after ${JPEG.length - 2} bytes, within its image data and without an EOI marker`,
    );
  });
});

describe('damaged images', () => {
  test('a PNG with any bit flipped is refused', () => {
    fc.assert(
      fc.property(fc.nat(PNG.length * 8 - 1), (bit) => {
        const bytes = Buffer.from(PNG);
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(imageFault('png', bytes)).not.toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, Buffer, string]>([
    ['a checksum that is wrong', changed(PNG, 45, 1), 'is damaged: the checksum of the IDAT chunk at byte 33 is wrong'],
    ['no chunk where one is required', changed(PNG, 37, 0x20), 'has no chunk at byte 33, where one is required'],
    ['another chunk first', Buffer.concat([PNG.subarray(0, 8), PNG.subarray(33)]), 'has IDAT as its first chunk, which must be IHDR'],
    ['two headers', Buffer.concat([PNG.subarray(0, 33), PNG.subarray(8)]), 'has a second IHDR chunk at byte 33'],
    ['no pixels', Buffer.concat([PNG.subarray(0, 33), PNG.subarray(-12)]), 'has no IDAT chunk, which contains its pixels'],
    ['no width', withHeader(0, 24), 'has a size of 0 by 24 pixels; each side must be from 1 to 65535'],
    ['a huge height', withHeader(40, 2 ** 31), 'has a size of 40 by 2147483648 pixels; each side must be from 1 to 65535'],
    ['an undefined depth', withHeader(40, 24, 3), 'has an IHDR chunk with a depth, colour type or method that PNG does not define'],
    ['no palette', withHeader(40, 24, 8, 3), 'uses a palette, but has no PLTE chunk'],
  ])('a PNG with %s is refused', (_title, bytes, expected) => {
    expect(imageFault('png', bytes)).toBe(expected);
  });

  test.each<[string, Buffer, string]>([
    ['only its ends', Buffer.from([0xff, 0xd8, 0xff, 0xd9]), 'has no frame header, which gives its size'],
    ['no marker where one is required', changed(JPEG, 2, 0x20), 'has no marker at byte 2, where one is required'],
    ['a second SOI marker', Buffer.concat([JPEG.subarray(0, 2), JPEG]), 'has no marker at byte 2, where one is required'],
    ['a segment that is too short', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 1, 0, 0]), 'has a segment at byte 2 with a length below 2'],
    [
      'no scan',
      Buffer.concat([JPEG.subarray(0, JPEG.indexOf(Buffer.from([0xff, 0xda]))), Buffer.from([0xff, 0xd9])]),
      'has no scan, which contains its pixels',
    ],
    ['no size', noSize(), `has a frame header at byte ${frameAt()} without a size`],
  ])('a JPEG with %s is refused', (_title, bytes, expected) => {
    expect(imageFault('jpeg', bytes)).toBe(expected);
  });

  test('an image of the other kind is refused', () => {
    expect(imageFault('png', JPEG)).toBe('does not begin with the PNG signature');
    expect(imageFault('jpeg', PNG)).toBe('does not begin with the JPEG signature');
  });

  test('the check never throws, whatever the bytes are', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(PNG.subarray(0, 8), JPEG.subarray(0, 2), JPEG.subarray(0, 180)),
        fc.uint8Array({ maxLength: 200 }),
        (start, rest) => {
          const bytes = Buffer.concat([start, rest]);
          for (const kind of ['png', 'jpeg'] as const) imageFault(kind, bytes);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}

/** The sample with another header and its correct checksum. */
function withHeader(width: number, height: number, depth = 1, colour = 0): Buffer {
  const bytes = Buffer.from(PNG);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  bytes[24] = depth;
  bytes[25] = colour;
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}

function frameAt(): number {
  return JPEG.indexOf(Buffer.from([0xff, 0xc0]));
}

function noSize(): Buffer {
  return changed(changed(JPEG, frameAt() + 5, 0), frameAt() + 6, 0);
}
