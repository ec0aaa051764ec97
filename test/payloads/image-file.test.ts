// Whole images and damaged ones: samples, files that another program wrote, and every way to cut them.

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

describe('whole is what other programs write', () => {
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
  ])('%s', async (title, make) => {
    const kind = title.includes('JPEG') ? 'jpeg' : 'png';
    const bytes = await make().toBuffer();
    expect(imageFault(kind, bytes)).toBeNull();
    const file = { name: 'f', filename: null, content_type: `image/${kind}`, size: bytes.length, sha256: '' };
    expect(checkImage(file, bytes)).toEqual({ width: 30, height: 20 });
  });

  test('a PNG of a camera, with bytes after its end', () => {
    for (const padding of [Buffer.alloc(512), Buffer.from('garbage'), Buffer.from('IEND'), PNG])
      expect(imageFault('png', Buffer.concat([PNG, padding]))).toBeNull();
  });

  test('a JPEG of a camera, with bytes after its end or fill bytes before a marker', () => {
    expect(imageFault('jpeg', Buffer.concat([JPEG, Buffer.alloc(512)]))).toBeNull();
    expect(imageFault('jpeg', Buffer.concat([JPEG, Buffer.from('garbage')]))).toBeNull();
    expect(imageFault('jpeg', Buffer.concat([JPEG.subarray(0, 2), Buffer.from([0xff, 0xff]), JPEG.subarray(2)]))).toBeNull();
    expect(imageFault('jpeg', Buffer.concat([JPEG.subarray(0, -2), Buffer.from([0xff, 0xff, 0xd9])]))).toBeNull();
  });

  test('bytes that lie within others', () => {
    const around = Buffer.concat([Buffer.alloc(13), PNG, Buffer.alloc(5)]);
    expect(imageFault('png', around.subarray(13, 13 + PNG.length))).toBeNull();
  });
});

describe('cut', () => {
  test('a PNG is not whole at any length', () => {
    for (let length = 0; length < PNG.length; length += 1) {
      const fault = imageFault('png', PNG.subarray(0, length));
      expect(fault, `${length}`).toMatch(
        length === 0 ? /^is empty$/ : length < 8 ? /^does not begin as a PNG file/ : /^ends after \d+ bytes, /,
      );
    }
  });

  test('a JPEG is not whole at any length', () => {
    for (let length = 0; length < JPEG.length; length += 1) {
      const fault = imageFault('jpeg', JPEG.subarray(0, length));
      expect(fault, `${length}`).toMatch(
        length === 0 ? /^is empty$/ : length < 2 ? /^does not begin as a JPEG file/ : /^ends after \d+ bytes, .* there is no EOI marker$/,
      );
    }
  });

  test('files of other programs are not whole at any length either', async () => {
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

  test('a message says where', () => {
    expect(imageFault('png', PNG.subarray(0, 19))).toBe('ends after 19 bytes, within the chunk that begins at byte 8');
    expect(imageFault('png', PNG.subarray(0, 50))).toBe(
      `ends after 50 bytes, within its IDAT chunk, which goes to byte ${PNG.length - 12}`,
    );
    expect(imageFault('png', PNG.subarray(0, -12))).toBe(`ends after ${PNG.length - 12} bytes, before its IEND chunk`);
    expect(imageFault('jpeg', JPEG.subarray(0, -2))).toBe(
      `ends after ${JPEG.length - 2} bytes, within its picture data: there is no EOI marker`,
    );
  });
});

describe('damaged is', () => {
  test('a PNG in which any bit is turned', () => {
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
    ['no chunk where one must be', changed(PNG, 37, 0x20), 'has no chunk at byte 33, where one must begin'],
    ['another chunk first', Buffer.concat([PNG.subarray(0, 8), PNG.subarray(33)]), 'its first chunk is IDAT, and must be IHDR'],
    ['two heads', Buffer.concat([PNG.subarray(0, 33), PNG.subarray(8)]), 'has a second IHDR chunk at byte 33'],
    ['no pixels', Buffer.concat([PNG.subarray(0, 33), PNG.subarray(-12)]), 'has no IDAT chunk: no pixels'],
    ['no width', withHeader(0, 24), 'says it is 0 by 24 pixels; each side must be 1 to 65535'],
    ['a huge height', withHeader(40, 2 ** 31), 'says it is 40 by 2147483648 pixels; each side must be 1 to 65535'],
    ['a depth that there is not', withHeader(40, 24, 3), 'its IHDR chunk names a form that PNG does not have'],
    ['no palette', withHeader(40, 24, 8, 3), 'has colours of a palette, and no PLTE chunk'],
  ])('a PNG with %s', (_title, bytes, expected) => {
    expect(imageFault('png', bytes)).toBe(expected);
  });

  test.each<[string, Buffer, string]>([
    ['only its ends', Buffer.from([0xff, 0xd8, 0xff, 0xd9]), 'has no frame header: it names no size'],
    ['no marker where one must be', changed(JPEG, 2, 0x20), 'has no marker at byte 2, where one must be'],
    ['a second beginning', Buffer.concat([JPEG.subarray(0, 2), JPEG]), 'has no marker at byte 2, where one must be'],
    ['a segment that is too short', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 1, 0, 0]), 'the segment at byte 2 has a length of less than 2'],
    [
      'no scan',
      Buffer.concat([JPEG.subarray(0, JPEG.indexOf(Buffer.from([0xff, 0xda]))), Buffer.from([0xff, 0xd9])]),
      'has no scan: no pixels',
    ],
    ['no size', noSize(), `its frame header at byte ${frameAt()} names no size`],
  ])('a JPEG with %s', (_title, bytes, expected) => {
    expect(imageFault('jpeg', bytes)).toBe(expected);
  });

  test('what is of the other kind', () => {
    expect(imageFault('png', JPEG)).toBe('does not begin as a PNG file does');
    expect(imageFault('jpeg', PNG)).toBe('does not begin as a JPEG file does');
  });

  test('no bytes at all throw', () => {
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

/** With a checksum that is right. */
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
