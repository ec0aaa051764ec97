// csv_formatter: a header and a row, quoted like pandas, without formulas for spreadsheets.

import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../src/core/json/json.ts';
import { csvFormatter } from '../../../src/steps/roboflow/csv-formatter.ts';
import type { StepPlan } from '../../../src/steps/step-type.ts';
import { faultsOf, stepContext } from './step-context.ts';

const TIME = '2026-08-21T10:30:00.250000+00:00';

function plan(columns: Record<string, unknown>, operations: Record<string, { type: string }[]> = {}): StepPlan {
  return csvFormatter.plan({ columns_data: columns, columns_operations: operations }, stepContext());
}

function csv(text: string): object {
  return { kind: 'completed', outputs: { csv_content: text } };
}

test('csv_formatter writes a header and one row, with the time in UTC last', () => {
  expect(plan({ a: 'some', b: 5, c: true }, { a: [{ type: 'StringToUpperCase' }] })).toEqual(csv(`a,b,c,timestamp\nSOME,5,True,${TIME}\n`));
  expect(plan({})).toEqual(csv(`timestamp\n${TIME}\n`));
});

describe('cells', () => {
  const cells: [value: unknown, written: string][] = [
    [null, ''],
    ['', ''],
    ['plain text', 'plain text'],
    [' spaced ', ' spaced '],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    ["it's", "it's"],
    [parseJson('1.0'), '1.0'],
    [1e20, '100000000000000000000'],
    [0.00001, '1e-05'],
    [-5, '-5'],
    [false, 'False'],
    [['a', 'b'], `"['a', 'b']"`],
    [{ k: [1, null] }, `"{'k': [1, None]}"`],
    ['=1+1', "'=1+1"],
    ['+49', "'+49"],
    ['-5', "'-5"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\tx', "'\tx"],
    ['\rx', `"'\rx"`],
    ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
  ];
  for (const [value, written] of cells) {
    test(`the cell ${JSON.stringify(String(value))} is written as ${JSON.stringify(written)}`, () => {
      expect(plan({ x: value })).toEqual(csv(`x,timestamp\n${written},${TIME}\n`));
    });
  }

  test('a cell can have a million characters', () => {
    expect(plan({ x: '"'.repeat(1_000_000) })).toEqual(csv(`x,timestamp\n"${'""'.repeat(1_000_000)}",${TIME}\n`));
  });
});

test('names of columns are quoted too', () => {
  expect(plan({ 'a,b': 1 })).toEqual(csv(`"a,b",timestamp\n1,${TIME}\n`));
});

test('csv_formatter refuses a column called timestamp, and operations on unknown columns', () => {
  expect(faultsOf(csvFormatter, { columns_data: { a: '$inputs.a', b: 1 }, columns_operations: { a: [{ type: 'ToString' }] } })).toEqual([]);
  expect(faultsOf(csvFormatter, { columns_data: { timestamp: 1 } })).toEqual([
    'columns_data: Attempted to register column with reserved name `timestamp`.',
  ]);
  expect(faultsOf(csvFormatter, { columns_data: { a: 1 }, columns_operations: { b: [] } })).toEqual([
    'columns_operations.b: there is no value of this name; known are a',
  ]);
  expect(faultsOf(csvFormatter, { columns_data: { a: null } })).toHaveLength(1);
});

test('csv_formatter fails for a value that an operation does not accept', () => {
  expect(plan({ a: 5 }, { a: [{ type: 'StringToUpperCase' }] })).toMatchObject({ kind: 'failed', error: { code: 'operation_failed' } });
});
