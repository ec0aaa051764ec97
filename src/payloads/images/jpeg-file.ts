// Checks that bytes are one complete JPEG file, by its markers from SOI to EOI: this detects a broken transfer. Pixels
// are not decoded. Bytes after EOI are allowed, because some cameras append them.

import type { ImageInspection } from './inspection.ts';

const MARKER = 0xff;
const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const TEM = 0x01;

interface Frame {
  width: number;
  height: number;
}

export function inspectJpeg(bytes: Uint8Array): ImageInspection {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: Frame | null = null;
  let hasScan = false;
  for (let at = 2; ; ) {
    if (at < bytes.length && bytes[at] !== MARKER) return { fault: `has no marker at byte ${at}, where one is required` };
    while (bytes[at] === MARKER && bytes[at + 1] === MARKER) at += 1;
    if (at + 1 >= bytes.length) return { fault: truncationFault(bytes, hasScan) };
    const marker = bytes[at + 1] as number;
    if (marker === EOI) return inspectionAtEnd(frame, hasScan);
    if (marker === SOI || marker === 0) return { fault: `has no marker at byte ${at}, where one is required` };
    at += 2;
    if (hasNoSegment(marker)) continue;
    const end = at + 2 <= bytes.length ? at + view.getUint16(at) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) return { fault: truncationFault(bytes, hasScan) };
    if (end < at + 2) return { fault: `has a segment at byte ${at - 2} with a length below 2` };
    if (isFrameHeader(marker)) {
      frame = readFrame(view, at, end);
      if (frame === null) return { fault: `has a frame header at byte ${at - 2} without a size` };
    }
    at = marker === SOS ? endOfScan(bytes, end) : end;
    if (marker === SOS) hasScan = true;
  }
}

function truncationFault({ length }: Uint8Array, hasScan: boolean): string {
  return `ends after ${length} bytes, ${hasScan ? 'within' : 'before'} its image data and without an EOI marker`;
}

function inspectionAtEnd(frame: Frame | null, hasScan: boolean): ImageInspection {
  if (frame === null) return { fault: 'has no frame header, which gives its size' };
  return hasScan ? { fault: null, ...frame } : { fault: 'has no scan, which contains its pixels' };
}

/** No segment follows TEM or a restart marker. */
function hasNoSegment(marker: number): boolean {
  return marker === TEM || (marker >= 0xd0 && marker <= 0xd7);
}

/** SOF0 to SOF15, without DHT (C4), JPG (C8) and DAC (CC). */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function readFrame(view: DataView, at: number, end: number): Frame | null {
  if (end - at < 8) return null;
  const [height, width] = [view.getUint16(at + 3), view.getUint16(at + 5)];
  return height > 0 && width > 0 ? { width, height } : null;
}

/** The index of the next marker that is neither a stuffed byte nor a restart marker; the length if there is none. */
function endOfScan(bytes: Uint8Array, start: number): number {
  for (let at = bytes.indexOf(MARKER, start); at !== -1; at = bytes.indexOf(MARKER, at + 1)) {
    const next = bytes[at + 1];
    if (next !== undefined && next !== 0 && next !== MARKER && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  return bytes.length;
}
