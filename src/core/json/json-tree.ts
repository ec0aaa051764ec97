// JSON values as trees: mapping leaves, counting values, and measuring depth.

import { ExactNumber } from './json.ts';

/** Returns a copy with each leaf replaced; `mapItems` may change a list before its items are mapped. */
export function mapLeaves(
  value: unknown,
  map: (leaf: unknown) => unknown,
  mapItems: (items: readonly unknown[]) => readonly unknown[] = (items) => items,
): unknown {
  if (Array.isArray(value)) return mapItems(value).map((item) => mapLeaves(item, map, mapItems));
  if (!isObject(value)) return map(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapLeaves(item, map, mapItems)]));
}

/** Counts a value and all values inside it. Stops after counting more than `enough`. */
export function countValues(value: unknown, enough: number): number {
  if (!isObject(value)) return 1;
  let count = 1;
  for (const item of Object.values(value)) {
    if (count > enough) break;
    count += countValues(item, enough - count);
  }
  return count;
}

export function isDeeperThan(levels: number, value: unknown): boolean {
  return isObject(value) && (levels === 0 || Object.values(value).some((item) => isDeeperThan(levels - 1, item)));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof ExactNumber);
}
