// The discrete cosine transform of a block of 8 by 8 pixels: rows first, then columns.

const COSINES = Float64Array.from({ length: 64 }, (_, at) => {
  const [frequency, position] = [at >> 3, at & 7];
  const scale = frequency === 0 ? Math.SQRT1_2 : 1;
  return (scale / 2) * Math.cos(((2 * position + 1) * frequency * Math.PI) / 16);
});

export function forwardDct(block: Float64Array): Float64Array {
  return transformColumns(transformRows(block));
}

function transformRows(block: Float64Array): Float64Array {
  return Float64Array.from({ length: 64 }, (_, at) => dotProduct(block, (at >> 3) * 8, 1, (at & 7) * 8));
}

function transformColumns(block: Float64Array): Float64Array {
  return Float64Array.from({ length: 64 }, (_, at) => dotProduct(block, at & 7, 8, (at >> 3) * 8));
}

function dotProduct(block: Float64Array, start: number, stride: number, cosines: number): number {
  let sum = 0;
  for (let index = 0; index < 8; index += 1) sum += (block[start + index * stride] as number) * (COSINES[cosines + index] as number);
  return sum;
}
