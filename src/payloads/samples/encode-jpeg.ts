// Encodes a grey image as a baseline JPEG file (ITU T.81), with one component and the tables of the standard's annex K.

import type { ImageSize } from '../images/inspection.ts';
import { forwardDct } from './jpeg-dct.ts';
import { acLuminance, dcLuminance, type HuffmanTable, LUMINANCE_STEPS, ZIGZAG } from './jpeg-tables.ts';

/** `pixels` has one byte per pixel, row by row. */
export function encodeGreyJpeg({ width, height }: ImageSize, pixels: Uint8Array): Uint8Array {
  const bits = new BitWriter();
  const block = new Float64Array(64);
  let lastDc = 0;
  for (let top = 0; top < height; top += 8) {
    for (let left = 0; left < width; left += 8) {
      for (let at = 0; at < 64; at += 1) {
        const y = Math.min(top + (at >> 3), height - 1);
        const x = Math.min(left + (at & 7), width - 1);
        block[at] = (pixels[y * width + x] as number) - 128;
      }
      const steps = quantise(forwardDct(block));
      lastDc = writeBlock(bits, steps, lastDc);
    }
  }
  return Buffer.concat([headers(width, height), bits.finish(), Uint8Array.of(0xff, 0xd9)]);
}

function headers(width: number, height: number): Uint8Array {
  const jfif = [0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0];
  return Buffer.concat([
    Uint8Array.of(0xff, 0xd8),
    segment(0xe0, jfif),
    segment(0xdb, [0, ...ZIGZAG.map((at) => LUMINANCE_STEPS[at] as number)]),
    segment(0xc0, [8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0]),
    segment(0xc4, [0x00, ...dcLuminance.counts, ...dcLuminance.symbols]),
    segment(0xc4, [0x10, ...acLuminance.counts, ...acLuminance.symbols]),
    segment(0xda, [1, 1, 0, 0, 63, 0]),
  ]);
}

function segment(marker: number, data: readonly number[]): Uint8Array {
  const length = data.length + 2;
  return Uint8Array.of(0xff, marker, length >> 8, length & 255, ...data);
}

function quantise(coefficients: Float64Array): number[] {
  return ZIGZAG.map((at) => Math.round((coefficients[at] as number) / (LUMINANCE_STEPS[at] as number)));
}

const END_OF_BLOCK = 0x00;
const SIXTEEN_ZEROS = 0xf0;

/** Returns the block's DC value; the next block is encoded as the difference from it. */
function writeBlock(bits: BitWriter, steps: readonly number[], lastDc: number): number {
  const dc = steps[0] as number;
  writeValue(bits, dcLuminance, 0, dc - lastDc);
  let zeros = 0;
  for (const step of steps.slice(1)) {
    if (step === 0) {
      zeros += 1;
      continue;
    }
    for (; zeros > 15; zeros -= 16) bits.write(...codeOf(acLuminance, SIXTEEN_ZEROS));
    writeValue(bits, acLuminance, zeros, step);
    zeros = 0;
  }
  if (zeros > 0) bits.write(...codeOf(acLuminance, END_OF_BLOCK));
  return dc;
}

/** Writes the code for the run of zeros and the value's bit length, then the bits. */
function writeValue(bits: BitWriter, table: HuffmanTable, zeros: number, value: number): void {
  const size = 32 - Math.clz32(Math.abs(value));
  bits.write(...codeOf(table, (zeros << 4) | size));
  bits.write(value < 0 ? value + 2 ** size - 1 : value, size);
}

function codeOf({ codes }: HuffmanTable, symbol: number): [code: number, length: number] {
  return codes.get(symbol) as [number, number];
}

class BitWriter {
  readonly #bytes: number[] = [];
  #pending = 0;
  #count = 0;

  write(value: number, length: number): void {
    this.#pending = (this.#pending << length) | value;
    this.#count += length;
    while (this.#count >= 8) {
      this.#count -= 8;
      const byte = (this.#pending >> this.#count) & 255;
      this.#bytes.push(byte);
      // A zero byte keeps 0xff from being read as a marker.
      if (byte === 255) this.#bytes.push(0);
    }
    this.#pending &= (1 << this.#count) - 1;
  }

  /** Fills the last byte with ones. */
  finish(): Uint8Array {
    if (this.#count > 0) this.write((1 << (8 - this.#count)) - 1, 8 - this.#count);
    return Uint8Array.from(this.#bytes);
  }
}
