// Finds the workflows of a sink that a request starts. A filter only compares values, so its cost is bounded and it cannot fail.

import { ExactNumber } from '../json/json.ts';
import { memoizeByIdentity } from '../values/memoize.ts';
import { type FanOutEntry, type FilterValue, OTHERWISE } from './fan-out-setting.ts';

export interface FanOutFilter {
  /** All selectors of the filters, each once. */
  selectors: readonly string[];
  /** Returns the entries that match, in their order. `values`: what the selectors select; null for a missing value. */
  match(values: readonly unknown[]): FanOutEntry[];
}

interface Test {
  /** Of the selector. */
  index: number;
  wanted: readonly FilterValue[];
}

/** Compiled once per sink: its setting is the same object for every request. */
export const fanOutFilter = memoizeByIdentity((entries: readonly FanOutEntry[]): FanOutFilter => {
  const indexes = new Map<string, number>();
  const indexOf = (selector: string): number => {
    const index = indexes.get(selector) ?? indexes.size;
    indexes.set(selector, index);
    return index;
  };
  const compiled = entries.map((entry) => ({ entry, conditions: conditionsOf(entry, indexOf) }));
  return {
    selectors: [...indexes.keys()],
    match(values) {
      const isMet = ({ index, wanted }: Test): boolean => wanted.some((value) => isEqual(values[index], value));
      const matched = compiled.filter(({ conditions }) => conditions.some((tests) => tests.every(isMet))).map(({ entry }) => entry);
      return matched.length > 0 ? matched : entries.filter(({ when }) => when === OTHERWISE);
    },
  };
});

/** A condition without tests is always met; no condition never is. */
function conditionsOf({ when }: FanOutEntry, indexOf: (selector: string) => number): Test[][] {
  if (when === null) return [[]];
  if (typeof when === 'string') return [];
  return when.map((condition) => Object.entries(condition).map(([selector, wanted]) => ({ index: indexOf(selector), wanted })));
}

/** Text never equals a number. Numbers are equal by value: 1, 1.0 and 1e0. Null is also equal to a missing value. */
function isEqual(value: unknown, wanted: FilterValue): boolean {
  // Exact, because a wanted integer is below 2^53: no other integer has its double.
  if (value instanceof ExactNumber) return value.valueOf() === wanted;
  return (value ?? null) === wanted;
}
