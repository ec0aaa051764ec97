// The luminance tables of ITU T.81, annex K: the quantisation steps and the Huffman codes.

export interface HuffmanTable {
  /** The number of symbols for each code length from 1 to 16 bits. */
  counts: readonly number[];
  /** From the shortest code to the longest. */
  symbols: readonly number[];
  codes: ReadonlyMap<number, [code: number, length: number]>;
}

/** The indexes of a block's coefficients, from the lowest frequency to the highest. */
export const ZIGZAG: readonly number[] = Array.from({ length: 64 }, (_, at) => at).toSorted((a, b) => zigzagPlace(a) - zigzagPlace(b));

/** Orders the diagonals one after the other, alternating in direction. */
function zigzagPlace(at: number): number {
  const [row, column] = [at >> 3, at & 7];
  return (row + column) * 8 + ((row + column) % 2 === 0 ? column : row);
}

/** Row by row. */
export const LUMINANCE_STEPS: readonly number[] = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62, 18, 22,
  37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

export const dcLuminance = makeTable([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);

export const acLuminance = makeTable(
  [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
  [
    ...[0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71, 0x14, 0x32, 0x81],
    ...[0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a],
    ...[0x16, 0x25, 0x34, 0x43, 0x53, 0x63, 0x73, 0x83, 0x92, 0xa2, 0xb2, 0xc2, 0xd2, 0xe1, 0xf1].flatMap(upToTen),
  ],
);

/** The symbols from `first` to the next symbol that ends in the hexadecimal digit `a`. */
function upToTen(first: number): number[] {
  return Array.from({ length: 11 - (first & 15) }, (_, at) => first + at);
}

/** Codes count up within a length and double from one length to the next (T.81, annex C). */
function makeTable(counts: readonly number[], symbols: readonly number[]): HuffmanTable {
  const codes = new Map<number, [number, number]>();
  let code = 0;
  for (const [index, count] of counts.entries()) {
    for (let of = 0; of < count; of += 1) {
      codes.set(symbols[codes.size] as number, [code, index + 1]);
      code += 1;
    }
    code *= 2;
  }
  return { counts, symbols, codes };
}
