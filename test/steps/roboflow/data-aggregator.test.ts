// data_aggregator: aggregation over runs, the interval of reports, and the result of each mode.

import { describe, expect, test } from 'vitest';
import { parseJson, stringifyJson } from '../../../src/core/json/json.ts';
import { dataAggregator } from '../../../src/steps/roboflow/data-aggregator.ts';
import type { Aggregation } from '../../../src/steps/roboflow/parts/aggregation.ts';
import type { StepOutcome } from '../../../src/steps/step-type.ts';
import { faultsOf, NOW, planOfKind, stepContext } from './step-context.ts';

type Manifest = Parameters<typeof dataAggregator.plan>[0];

/** Runs the step on each value, with the memory of the previous run. */
function runs(values: readonly unknown[], given: Partial<Manifest>, msBetween = 0): Extract<StepOutcome, { kind: 'completed' }>[] {
  let memory: unknown = null;
  return values.map((value, index) => {
    const manifest = { data: { v: value }, aggregation_mode: {}, interval: values.length, interval_unit: 'runs', ...given } as Manifest;
    const outcome = planOfKind(dataAggregator.plan(manifest, stepContext({ memory, now: NOW + index * msBetween })), 'completed');
    memory = outcome.remember;
    return outcome;
  });
}

function reportOf(values: readonly unknown[], mode: Aggregation): unknown {
  return runs(values, { aggregation_mode: { v: [mode] } }).at(-1)?.outputs[`v_${mode}`];
}

describe('reports', () => {
  const reports: [mode: Aggregation, values: unknown[], expected: unknown][] = [
    ['sum', [1, 2, true], 4],
    ['sum', [1, parseJson('2.0')], parseJson('3.0')],
    ['sum', [9007199254740992, 1], parseJson('9007199254740993')],
    ['avg', [1, 2], 1.5],
    ['avg', [7, 7], parseJson('7.0')],
    ['max', [1, 10, 3], 10],
    ['max', ['a', 'c', 'b'], 'c'],
    ['min', [4, -1, 3], -1],
    ['count', [['a', 'b'], 'xyz', 5, { k: 1 }, null], 8],
    ['distinct', [['a', 'b'], 'a', 1, true, parseJson('1.0'), null], ['a', 'b', 1, null]],
    ['count_distinct', [['a', 'b'], 'a', 1, '1'], 4],
    ['values_counts', [['a', 'b', 'a'], 'a', 1, null], { a: 3, b: 1, '1': 1, None: 1 }],
    ['values_difference', [10, 1], 9],
    ['values_difference', [1, 10], 9],
    ['values_difference', [1, 2, 3, 9], 8],
    ['values_difference', [5], 0],
    ['values_difference', [3, 3], 0],
    ['values_difference', [-5, -10], 5],
    ['values_difference', [1.5, -2], 3.5],
  ];
  for (const [mode, values, expected] of reports) {
    test(`the ${mode} of ${stringifyJson(values)} is ${stringifyJson(expected)}`, () => {
      expect(reportOf(values, mode)).toEqual(expected);
    });
  }

  for (const [mode, values] of [
    ['sum', ['1']],
    ['avg', [null]],
    ['max', [1, 'a']],
    ['min', [{}, {}]],
    ['distinct', [{ a: 1 }]],
    ['count_distinct', [[['nested']]]],
    ['values_counts', [[{ a: 1 }]]],
    ['values_difference', ['a']],
  ] as [Aggregation, unknown[]][]) {
    test(`the ${mode} of ${JSON.stringify(values)} fails the step and keeps the memory`, () => {
      const manifest = { data: { v: values.at(-1) }, aggregation_mode: { v: [mode] }, interval: 9, interval_unit: 'runs' } as Manifest;
      const memory =
        values.length === 1 ? null : runs(values.slice(0, -1), { aggregation_mode: { v: [mode] }, interval: 9 }).at(-1)?.remember;
      expect(dataAggregator.plan(manifest, stepContext({ memory }))).toMatchObject({ kind: 'failed', error: { code: 'operation_failed' } });
    });
  }
});

describe('the interval', () => {
  const sum = { aggregation_mode: { v: ['sum'] } } satisfies Partial<Manifest>;

  test('an interval of runs outputs null until its last run, then begins again', () => {
    const outcomes = runs([1, 2, 3, 4, 5], { ...sum, interval: 2 });
    expect(outcomes.map(({ outputs }) => outputs['v_sum'])).toEqual([null, 3, null, 7, null]);
    expect(outcomes[1]?.remember).toEqual({ started_at: NOW, runs: 0, states: {} });
  });

  test('an interval of seconds counts from the first run, and from each report', () => {
    const outcomes = runs([1, 1, 1, 1, 1], { ...sum, interval: 2, interval_unit: 'seconds' }, 1000);
    expect(outcomes.map(({ outputs }) => outputs['v_sum'])).toEqual([null, null, 3, null, 2]);
    expect(runs([1, 1], { ...sum, interval: 1, interval_unit: 'minutes' }, 59_999).map(({ outputs }) => outputs['v_sum'])).toEqual([
      null,
      null,
    ]);
    expect(runs([1, 1], { ...sum, interval: 1, interval_unit: 'hours' }, 3_600_000).map(({ outputs }) => outputs['v_sum'])).toEqual([
      null,
      2,
    ]);
  });

  test('an interval ends in time although the clock was set back', () => {
    const memory = { started_at: NOW + 3_600_000, runs: 1, states: {} };
    const manifest = { data: { v: 1 }, ...sum, interval: 2, interval_unit: 'seconds' } as Manifest;
    expect(planOfKind(dataAggregator.plan(manifest, stepContext({ memory })), 'completed').remember).toMatchObject({ started_at: NOW });
  });

  test('data_aggregator fails if its state exceeds a million characters', () => {
    const manifest = {
      data: { v: 'x'.repeat(1_000_001) },
      aggregation_mode: { v: ['distinct'] },
      interval: 2,
      interval_unit: 'runs',
    } as Manifest;
    expect(dataAggregator.plan(manifest, stepContext())).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('take more than 1000000 characters') },
    });
  });
});

test('the outputs are the values by mode, after their operations', () => {
  const manifest = {
    data: { a: ['x', 'y'], b: 1 },
    data_operations: { a: [{ type: 'SequenceLength' }] },
    aggregation_mode: { a: ['sum', 'max'], c: ['sum'] },
    interval: 1,
    interval_unit: 'runs',
  } as Manifest;
  expect(dataAggregator.outputs(manifest)).toEqual(['a_sum', 'a_max']);
  expect(dataAggregator.plan(manifest, stepContext())).toMatchObject({ outputs: { a_sum: 2, a_max: 2 } });
});

test('data_aggregator refuses an empty interval, an unknown mode, and operations on unknown values', () => {
  const manifest = { data: { v: '$inputs.v' }, aggregation_mode: { v: ['sum', 'avg'] }, interval: 1 };
  expect(faultsOf(dataAggregator, manifest)).toEqual([]);
  for (const given of [
    { interval: 0 },
    { interval: 1.5 },
    { interval: '$inputs.i' },
    { interval_unit: 'days' },
    { aggregation_mode: { v: ['median'] } },
    { data_operations: { w: [] } },
    { data: { v: 5 } },
  ]) {
    expect(faultsOf(dataAggregator, { ...manifest, ...given })).toHaveLength(1);
  }
});

test('a repeated mode gives one output, and an interval can be text', () => {
  const manifest = { data: { v: 2 }, aggregation_mode: { v: ['sum', 'sum'] as const }, interval: '2', interval_unit: 'runs' as const };
  expect(dataAggregator.outputs(manifest)).toEqual(['v_sum']);
  const first = dataAggregator.plan(manifest, stepContext());
  expect(first).toMatchObject({ outputs: { v_sum: null } });
  const memory = (first as { remember?: unknown }).remember;
  expect(dataAggregator.plan(manifest, stepContext({ memory }))).toMatchObject({ outputs: { v_sum: 4 } });
});
