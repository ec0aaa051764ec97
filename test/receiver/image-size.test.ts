// Pixel sizes from the first bytes, against images of a real encoder; what is no image, or only a part of one, has none.

import sharp from 'sharp';
import { expect, test } from 'vitest';
import { imageSize } from '../../src/receiver/image-size.ts';

const image = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: 'teal' } });

const encoded: [name: string, bytes: () => Promise<Buffer>][] = [
  ['PNG', () => image(640, 479).png().toBuffer()],
  ['baseline JPEG', () => image(640, 479).jpeg().toBuffer()],
  ['progressive JPEG', () => image(640, 479).jpeg({ progressive: true }).toBuffer()],
  [
    'JPEG with metadata before the frame',
    () =>
      image(640, 479)
        .withExif({ IFD0: { Copyright: 'c'.repeat(5000) } })
        .jpeg()
        .toBuffer(),
  ],
  ['GIF', () => image(640, 479).gif().toBuffer()],
  ['WebP', () => image(640, 479).webp().toBuffer()],
  ['lossless WebP', () => image(640, 479).webp({ lossless: true }).toBuffer()],
  ['WebP with transparency', () => image(640, 479).ensureAlpha(0.5).webp().toBuffer()],
];

for (const [name, make] of encoded) {
  test(`${name}, whole or cut off anywhere`, async () => {
    const bytes = await make();
    expect(imageSize(bytes)).toEqual({ width: 640, height: 479 });
    const sizes = Array.from({ length: 600 }, (_, length) => imageSize(bytes.subarray(0, length)));
    expect(sizes.every((size) => size === null || (size.width === 640 && size.height === 479))).toBe(true);
  });
}

test('of bytes that are none of these there is none', () => {
  for (const bytes of [
    '',
    'GIF',
    'GIF89b....',
    'RIFF....WEBPXXXX..........',
    '\xff\xd8\xff',
    '\xff\xd8\xff\xe0\0\0',
    'plain words',
    '<svg width="3"/>',
  ])
    expect(imageSize(Buffer.from(bytes, 'latin1')), bytes).toBeNull();
});
