// Medians and percentiles.

export function median(values: readonly number[]): number {
  return percentile(sorted(values), 0.5);
}

/** The smallest value that so large a share of the values does not exceed. `values` are sorted, and not empty. */
export function percentile(values: ArrayLike<number>, share: number): number {
  const index = Math.max(0, Math.ceil(values.length * share) - 1);
  return values[index] as number;
}

export function sorted(values: Iterable<number>): Float64Array {
  return Float64Array.from(values).sort();
}
