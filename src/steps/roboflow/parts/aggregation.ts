// Aggregations of data_aggregator. A state is JSON, stored between runs; undefined before the first value.

import { addNumbers, divideNumbers } from '../../../core/python/arithmetic.ts';
import { PythonError } from '../../../core/python/error.ts';
import { kindOf, typeName } from '../../../core/python/kind.ts';
import { type PythonNumber, readNumber, toValue } from '../../../core/python/number.ts';
import { isOrdered } from '../../../core/python/ordering.ts';
import { hashOf, lengthOf } from '../../../core/python/sequence.ts';
import { strOf } from '../../../core/python/text.ts';

export const AGGREGATIONS = [
  'sum',
  'avg',
  'max',
  'min',
  'count',
  'distinct',
  'count_distinct',
  'values_counts',
  'values_difference',
] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];

interface Aggregator<State> {
  /** Throws PythonError for an unsupported value. */
  add(state: State | undefined, value: unknown): State;
  result(state: State): unknown;
}

const sum: Aggregator<unknown> = {
  add: (state = 0, value) => toValue(addNumbers(numberOf(state), numberOf(value))),
  result: (state) => state,
};

const average: Aggregator<{ sum: unknown; count: number }> = {
  add: (state = { sum: 0, count: 0 }, value) => ({ sum: sum.add(state.sum, value), count: state.count + 1 }),
  result: (state) => toValue(divideNumbers(numberOf(state.sum), BigInt(state.count))),
};

const maximum: Aggregator<{ value: unknown }> = {
  add: (state, value) => (state === undefined || state.value === null || isOrdered(value, '>', state.value) ? { value } : state),
  result: (state) => state.value,
};

const minimum: Aggregator<{ value: unknown }> = {
  add: (state, value) => (state === undefined || state.value === null || isOrdered(value, '<', state.value) ? { value } : state),
  result: (state) => state.value,
};

const count: Aggregator<number> = {
  add: (state = 0, value) => state + (hasLength(value) ? lengthOf(value) : 1),
  result: (state) => state,
};

const distinct: Aggregator<unknown[]> = {
  add(state = [], value) {
    const byHash = new Map(state.map((item) => [hashOf(item), item]));
    for (const item of flattened(value)) if (!byHash.has(hashOf(item))) byHash.set(hashOf(item), item);
    return [...byHash.values()];
  },
  result: (state) => state,
};

const countDistinct: Aggregator<unknown[]> = { add: distinct.add, result: (state) => state.length };

const valuesCounts: Aggregator<[value: unknown, count: number][]> = {
  add(state = [], value) {
    const byHash = new Map(state.map((entry) => [hashOf(entry[0]), entry]));
    for (const item of kindOf(value) === 'list' ? (value as unknown[]) : [value]) {
      const [first, times] = byHash.get(hashOf(item)) ?? [item, 0];
      byHash.set(hashOf(item), [first, times + 1]);
    }
    return [...byHash.values()];
  },
  // JSON has text keys only, as Python writes the values; a 1 and a "1" are counted together then.
  result(state) {
    const counts = new Map<string, number>();
    for (const [value, times] of state) counts.set(strOf(value), (counts.get(strOf(value)) ?? 0) + times);
    return Object.fromEntries(counts);
  },
};

const valuesDifference: Aggregator<{ min: unknown; max: unknown }> = {
  add(state, value) {
    const number = toValue(numberOf(value));
    if (state === undefined) return { min: number, max: number };
    return {
      min: isOrdered(number, '<', state.min) ? number : state.min,
      max: isOrdered(number, '>', state.max) ? number : state.max,
    };
  },
  result: ({ min, max }) => toValue(addNumbers(numberOf(max), negated(numberOf(min)))),
};

const aggregators: Readonly<Record<Aggregation, Aggregator<unknown>>> = {
  sum,
  avg: average as Aggregator<unknown>,
  max: maximum as Aggregator<unknown>,
  min: minimum as Aggregator<unknown>,
  count: count as Aggregator<unknown>,
  distinct: distinct as Aggregator<unknown>,
  count_distinct: countDistinct as Aggregator<unknown>,
  values_counts: valuesCounts as Aggregator<unknown>,
  values_difference: valuesDifference as Aggregator<unknown>,
};

/** Returns the next state. Throws PythonError for an unsupported value. */
export function aggregate(mode: Aggregation, state: unknown, value: unknown): unknown {
  return aggregators[mode].add(state, value);
}

export function resultOf(mode: Aggregation, state: unknown): unknown {
  return aggregators[mode].result(state);
}

function numberOf(value: unknown): PythonNumber {
  const number = readNumber(value);
  if (number !== null) return number;
  throw new PythonError('TypeError', `a number is needed to aggregate, and this is of type '${typeName(value)}'`);
}

function negated(number: PythonNumber): PythonNumber {
  return -number;
}

function hasLength(value: unknown): boolean {
  return typeof value === 'string' || (typeof value === 'object' && value !== null && readNumber(value) === null);
}

function flattened(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
