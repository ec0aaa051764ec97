// The scene of a sample: objects of a few classes, placed by the seed and drawn as grey boxes on a grey wall.

import type { BoundingBox } from '../payload.ts';
import type { SeededRandom } from './random.ts';
import type { SampleOptions } from './sample.ts';

export interface Thing {
  className: string;
  confidence: number;
  /** In whole pixels, within the image. */
  box: BoundingBox;
}

const CLASSES = ['bottle', 'crate', 'leaf', 'label'] as const;

export function makeScene({ objects, width, height }: SampleOptions, random: SeededRandom): Thing[] {
  return Array.from({ length: objects }, () => {
    const [boxWidth, boxHeight] = [sideWithin(width, random), sideWithin(height, random)];
    const box = { x: random.between(0, width - boxWidth), y: random.between(0, height - boxHeight), width: boxWidth, height: boxHeight };
    return { className: random.pick(CLASSES), confidence: 0.5 + random.next() / 2, box };
  });
}

function sideWithin(length: number, random: SeededRandom): number {
  const least = Math.max(1, Math.floor(length / 8));
  return random.between(least, Math.max(least, Math.floor(length / 3)));
}

/** One byte per pixel, row by row. */
export function drawScene(things: readonly Thing[], { width, height }: Pick<SampleOptions, 'width' | 'height'>): Uint8Array {
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) pixels.fill(160 + Math.floor((60 * y) / height), y * width, (y + 1) * width);
  for (const [index, { box }] of things.entries()) {
    for (let y = box.y; y < box.y + box.height; y += 1)
      pixels.fill(20 + ((index * 37) % 100), y * width + box.x, y * width + box.x + box.width);
  }
  return pixels;
}
