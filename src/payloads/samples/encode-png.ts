// Encodes a mask as a PNG file: white boxes or ellipses on black. One bit per pixel, because an image may have hundreds of
// masks.

import { crc32, deflateSync } from 'node:zlib';
import type { ImageSize } from '../images/inspection.ts';
import { PNG_SIGNATURE } from '../images/png-file.ts';
import type { BoundingBox } from '../payload.ts';
import { textBytes } from './sample.ts';

export interface MaskShape {
  box: BoundingBox;
  form: 'box' | 'ellipse';
}

export function encodeMaskPng({ width, height }: ImageSize, shapes: readonly MaskShape[]): Uint8Array {
  // Each row begins with its filter type, 0 for none.
  const rowBytes = 1 + Math.ceil(width / 8);
  const rows = new Uint8Array(rowBytes * height);
  for (const { box, form } of shapes) {
    for (let y = box.y; y < box.y + box.height; y += 1) {
      const inset = form === 'box' ? 0 : ellipseInset(box, y);
      for (let x = box.x + inset; x < box.x + box.width - inset; x += 1) {
        const at = y * rowBytes + 1 + (x >> 3);
        rows[at] = (rows[at] as number) | (0x80 >> (x & 7));
      }
    }
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = 1;
  return Buffer.concat([PNG_SIGNATURE, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', new Uint8Array(0))]);
}

/** The distance in pixels between the box's side and the ellipse in row `y`. */
function ellipseInset({ y: top, width, height }: BoundingBox, y: number): number {
  const fromMiddle = (y + 0.5 - top) / (height / 2) - 1;
  return Math.round((width / 2) * (1 - Math.sqrt(1 - fromMiddle ** 2)));
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(textBytes(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}
