// data_aggregator: what is gathered run by run, when the report is due, and what each kind of it says.

import { describe, expect, test } from 'vitest';
import { parseJson, stringifyJson } from '../../../src/core/json/json.ts';
import { dataAggregator } from '../../../src/steps/roboflow/data-aggregator.ts';
import type { Aggregation } from '../../../src/steps/roboflow/parts/aggregation.ts';
import type { StepOutcome } from '../../../src/steps/step-type.ts';
import { faultsOf, NOW, planOfKind, stepContext } from './step-context.ts';

type Manifest = Parameters<typeof dataAggregator.plan>[0];

/** Runs the step on one value after another, each with the memory that the run before left. */
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

describe('a report', () => {
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
    test(`of ${mode} of ${stringifyJson(values)} is ${stringifyJson(expected)}`, () => {
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
    test(`of ${mode} of ${JSON.stringify(values)} fails the step, and forgets nothing`, () => {
      const manifest = { data: { v: values.at(-1) }, aggregation_mode: { v: [mode] }, interval: 9, interval_unit: 'runs' } as Manifest;
      const memory =
        values.length === 1 ? null : runs(values.slice(0, -1), { aggregation_mode: { v: [mode] }, interval: 9 }).at(-1)?.remember;
      expect(dataAggregator.plan(manifest, stepContext({ memory }))).toMatchObject({ kind: 'failed', error: { code: 'operation_failed' } });
    });
  }
});

describe('the interval', () => {
  const sum = { aggregation_mode: { v: ['sum'] } } satisfies Partial<Manifest>;

  test('of runs gives nulls until the last one, and begins anew then', () => {
    const outcomes = runs([1, 2, 3, 4, 5], { ...sum, interval: 2 });
    expect(outcomes.map(({ outputs }) => outputs['v_sum'])).toEqual([null, 3, null, 7, null]);
    expect(outcomes[1]?.remember).toEqual({ started_at: NOW, runs: 0, states: {} });
  });

  test('of seconds counts from the first run, and from each report', () => {
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

  test('ends in time when the clock was set back', () => {
    const memory = { started_at: NOW + 3_600_000, runs: 1, states: {} };
    const manifest = { data: { v: 1 }, ...sum, interval: 2, interval_unit: 'seconds' } as Manifest;
    expect(planOfKind(dataAggregator.plan(manifest, stepContext({ memory })), 'completed').remember).toMatchObject({ started_at: NOW });
  });

  test('keeps only what it can keep: a state of more than a million characters fails the step', () => {
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

test('the outputs are the values that are gathered, by their modes, and operations come first', () => {
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

test('is refused when saved with an interval of nothing, an unknown mode, or operations on what is not there', () => {
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

test('gives one output for a mode that is named twice, and takes an interval that is text', () => {
  const manifest = { data: { v: 2 }, aggregation_mode: { v: ['sum', 'sum'] as const }, interval: '2', interval_unit: 'runs' as const };
  expect(dataAggregator.outputs(manifest)).toEqual(['v_sum']);
  const first = dataAggregator.plan(manifest, stepContext());
  expect(first).toMatchObject({ outputs: { v_sum: null } });
  const memory = (first as { remember?: unknown }).remember;
  expect(dataAggregator.plan(manifest, stepContext({ memory }))).toMatchObject({ outputs: { v_sum: 4 } });
});
