// string_template: placeholders of Python's str.format, refused templates, and limits.

import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../src/core/json/json.ts';
import { stringTemplate } from '../../../src/steps/roboflow/string-template.ts';
import type { StepPlan } from '../../../src/steps/step-type.ts';
import { faultsOf, stepContext } from './step-context.ts';

function plan(template: unknown, data: Record<string, unknown> = {}, operations: Record<string, { type: string }[]> = {}): StepPlan {
  return stringTemplate.plan({ template, data, data_operations: operations }, stepContext());
}

function failing(message: unknown): object {
  return { kind: 'failed', retryable: false, error: { code: 'operation_failed', message } };
}

describe('rendering', () => {
  const rendered: [template: string, data: Record<string, unknown>, expected: string][] = [
    ['plain', {}, 'plain'],
    ['', {}, ''],
    ['Hello {name}!', { name: 'you' }, 'Hello you!'],
    ['{a}{a}{b}', { a: 1, b: null }, '11None'],
    ['{{literal}} {{{a}}}', { a: 1 }, '{literal} {1}'],
    ['{c:.2f}', { c: 0.456 }, '0.46'],
    ['{c:.1f}', { c: parseJson('2.0') }, '2.0'],
    ['{c}', { c: parseJson('2.0') }, '2.0'],
    ['{n:>{width}}', { n: 'ab', width: 5 }, '   ab'],
    ['{n:{fill}{align}{width}}', { n: 'ab', fill: '*', align: '^', width: 6 }, '**ab**'],
    ['{list}', { list: ['a', 1, true, null] }, "['a', 1, True, None]"],
    ['{a!r} {a!s} {a!a}', { a: 'é😀' }, "'é😀' é😀 '\\xe9\\U0001f600'"],
    ['{ spaced }', { ' spaced ': 'x' }, 'x'],
    ['{big:,}', { big: parseJson('12345678901234567890') }, '12,345,678,901,234,567,890'],
    ['{value}', { value: '{not} {a} {field}' }, '{not} {a} {field}'],
  ];
  for (const [template, data, expected] of rendered) {
    test(`the template ${JSON.stringify(template)} gives ${JSON.stringify(expected)}`, () => {
      expect(plan(template, data)).toEqual({ kind: 'completed', outputs: { output: expected } });
    });
  }

  test('values are filled in after their operations', () => {
    expect(plan('{skus}', { skus: ['a', 'b'] }, { skus: [{ type: 'SequenceJoin' }] })).toMatchObject({ outputs: { output: 'a, b' } });
    expect(plan('{a}', { a: 5 }, { a: [{ type: 'StringToUpperCase' }] })).toMatchObject(
      failing(expect.stringContaining('requires string')),
    );
  });
});

describe('refused templates', () => {
  const refused: [template: unknown, data: Record<string, unknown>, message: string][] = [
    [5, {}, 'String Template block expected template to be a string, got value of type int.'],
    [null, {}, 'String Template block expected template to be a string, got value of type NoneType.'],
    [
      '{missing} {b} {a}',
      { a: 1 },
      "String Template block template references variables ['b', 'missing'] which are not declared in data. Declared variables: ['a'].",
    ],
    [
      '{a:{width}}',
      { a: 1 },
      "String Template block template references variables ['width'] which are not declared in data. Declared variables: ['a'].",
    ],
    [
      '{__proto__}',
      {},
      "String Template block template references variables ['__proto__'] which are not declared in data. Declared variables: [].",
    ],
    ['{}', {}, 'String Template block does not support positional placeholders - use named placeholders, e.g. `{variable_name}`.'],
    ['{0}', {}, 'String Template block does not support positional placeholders - use named placeholders, e.g. `{variable_name}`.'],
    ['{!r}', {}, 'String Template block does not support positional placeholders - use named placeholders, e.g. `{variable_name}`.'],
    [
      '{a.b}',
      { a: 1 },
      'String Template block does not support attribute or index access in placeholders (got `{a.b}`). Use data operations to extract nested values before templating.',
    ],
    [
      '{a[0]}',
      { a: 1 },
      'String Template block does not support attribute or index access in placeholders (got `{a[0]}`). Use data operations to extract nested values before templating.',
    ],
    [
      '{a:{b.c}}',
      { a: 1 },
      'String Template block does not support attribute or index access in placeholders (got `{b.c}`). Use data operations to extract nested values before templating.',
    ],
    [
      '{a',
      { a: 1 },
      "String Template block could not parse template: expected '}' before end of string. Use double braces to produce literal braces in the output.",
    ],
    [
      'a}',
      {},
      "String Template block could not parse template: Single '}' encountered in format string. Use double braces to produce literal braces in the output.",
    ],
    [
      '{a:.2f}',
      { a: 'x' },
      "String Template block could not render template: Unknown format code 'f' for object of type 'str'. Check that format specs match the types of the substituted values.",
    ],
    [
      '{a:5}',
      { a: null },
      'String Template block could not render template: unsupported format string passed to NoneType.__format__. Check that format specs match the types of the substituted values.',
    ],
    [
      '{a!x}',
      { a: 1 },
      'String Template block could not render template: Unknown conversion specifier x. Check that format specs match the types of the substituted values.',
    ],
    ['{a:{b:{c}}}', { a: 1, b: 2, c: 3 }, 'String Template block could not render template: Max string recursion exceeded.'],
  ];
  for (const [template, data, message] of refused) {
    test(`the template ${JSON.stringify(template)} fails with a reason`, () => {
      expect(plan(template, data)).toEqual(failing(message));
    });
  }

  test('operations on undeclared values are refused when saved', () => {
    expect(faultsOf(stringTemplate, { template: '{a}', data: { a: '$inputs.a' }, data_operations: { b: [] } })).toEqual([
      'data_operations.b: there is no value of this name; known are a',
    ]);
    expect(faultsOf(stringTemplate, { template: '$inputs.template', data: { a: 1, b: true, c: 'x' } })).toEqual([]);
    expect(faultsOf(stringTemplate, { template: 5 })).toEqual(['template: must be string']);
  });
});

describe('limits', () => {
  test('a width or a precision is at most 10000, in the template and in placeholders', () => {
    expect(plan('{a:10000}', { a: 'x' })).toMatchObject({ kind: 'completed' });
    for (const [template, data] of [
      ['{a:10001}', { a: 'x' }],
      ['{a:{w}}', { a: 'x', w: 999_999_999 }],
      ['{a:.99999999999f}', { a: 0.5 }],
      ['{a:{w}}', { a: 'x', w: '9'.repeat(100_000) }],
    ] as const) {
      expect(plan(template, data)).toMatchObject(
        failing(expect.stringMatching(/^String Template block could not render template: the number .* is larger than 10000/)),
      );
    }
  });

  test('at most a million characters are rendered', () => {
    expect(plan('{a}', { a: 'x'.repeat(1_000_000) })).toMatchObject({ kind: 'completed' });
    expect(plan('{a}', { a: '😀'.repeat(1_000_000) })).toMatchObject({ kind: 'completed' });
    const tooLong = failing('String Template block rendered more than 1000000 characters.');
    expect(plan('{a}!', { a: 'x'.repeat(1_000_000) })).toEqual(tooLong);
    expect(plan('{a:10000}'.repeat(100_000), { a: 'x' })).toEqual(tooLong);
  });

  test('nested braces are refused at once, however many', () => {
    const deep = `${'{a:'.repeat(50_000)}${'}'.repeat(50_000)}`;
    expect(plan(deep, { a: 1 })).toEqual(failing('String Template block could not render template: Max string recursion exceeded.'));
  });
});
