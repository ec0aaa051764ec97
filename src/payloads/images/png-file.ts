// Checks that bytes are one complete PNG file, by its chunks and their checksums: this detects a broken transfer. Pixels
// are not decoded. Bytes after IEND are allowed, because some cameras append them.

import { crc32 } from 'node:zlib';
import type { ImageInspection } from './inspection.ts';

export const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** The bytes of a chunk's length, type and checksum. */
const CHUNK_OVERHEAD = 12;
const MAX_SIDE = 65_535;
/** Bit depths by colour type. */
const BIT_DEPTHS: ReadonlyMap<number, readonly number[]> = new Map([
  [0, [1, 2, 4, 8, 16]],
  [2, [8, 16]],
  [3, [1, 2, 4, 8]],
  [4, [8, 16]],
  [6, [8, 16]],
]);

export function inspectPng(bytes: Uint8Array): ImageInspection {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const seen = new Set<string>();
  for (let at = PNG_SIGNATURE.length; at < bytes.length; ) {
    const fault = chunkFault(view, bytes, at);
    if (fault !== null) return { fault };
    const length = view.getUint32(at);
    const type = chunkType(bytes, at);
    if (seen.size === 0) {
      const firstChunkFault = type === 'IHDR' ? headerFault(view, at, length) : `has ${type} as its first chunk, which must be IHDR`;
      if (firstChunkFault !== null) return { fault: firstChunkFault };
    } else if (type === 'IHDR') return { fault: `has a second IHDR chunk at byte ${at}` };
    seen.add(type);
    at += CHUNK_OVERHEAD + length;
    if (type === 'IEND') return inspectionAtEnd(view, seen);
  }
  return { fault: `ends after ${bytes.length} bytes, before its IEND chunk` };
}

function inspectionAtEnd(view: DataView, seen: ReadonlySet<string>): ImageInspection {
  if (!seen.has('IDAT')) return { fault: 'has no IDAT chunk, which contains its pixels' };
  if (view.getUint8(HEADER + 9) === 3 && !seen.has('PLTE')) return { fault: 'uses a palette, but has no PLTE chunk' };
  return { fault: null, width: view.getUint32(HEADER), height: view.getUint32(HEADER + 4) };
}

/** Where the data of IHDR begins, which is always the first chunk. */
const HEADER = PNG_SIGNATURE.length + 8;

function chunkFault(view: DataView, bytes: Uint8Array, at: number): string | null {
  if (at + CHUNK_OVERHEAD > bytes.length) return `ends after ${bytes.length} bytes, within the chunk that begins at byte ${at}`;
  const type = chunkType(bytes, at);
  if (!/^[A-Za-z]{4}$/.test(type)) return `has no chunk at byte ${at}, where one is required`;
  const end = at + CHUNK_OVERHEAD + view.getUint32(at);
  if (end > bytes.length) return `ends after ${bytes.length} bytes, within its ${type} chunk, which ends at byte ${end}`;
  const expected = view.getUint32(end - 4);
  return crc32(bytes.subarray(at + 4, end - 4)) === expected
    ? null
    : `is damaged: the checksum of the ${type} chunk at byte ${at} is wrong`;
}

function headerFault(view: DataView, at: number, length: number): string | null {
  if (length !== 13) return `has an IHDR chunk of ${length} bytes, which must have 13`;
  const [width, height] = [view.getUint32(at + 8), view.getUint32(at + 12)];
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
    return `has a size of ${width} by ${height} pixels; each side must be from 1 to ${MAX_SIDE}`;
  const [depth, colour, compression, filter, interlace] = [16, 17, 18, 19, 20].map((offset) => view.getUint8(at + offset));
  const isKnown = BIT_DEPTHS.get(colour as number)?.includes(depth as number) === true;
  return isKnown && compression === 0 && filter === 0 && (interlace as number) < 2
    ? null
    : 'has an IHDR chunk with a depth, colour type or method that PNG does not define';
}

function chunkType(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at + 4, at + 8));
}
