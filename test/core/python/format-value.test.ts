// Format specifications give the results and the error texts of Python 3.11.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExactNumber } from '../../../src/core/json/json.ts';
import { PythonError } from '../../../src/core/python/error.ts';
import { formatValue } from '../../../src/core/python/format/format-value.ts';

/** A number that JavaScript cannot represent: a float such as `1.0`, or a large int. */
function exact(digits: string): ExactNumber {
  return new ExactNumber(digits);
}

const formatted: [value: unknown, spec: string, expected: string][] = [
  [42, 'd', '42'],
  [42, '5', '   42'],
  [42, '<5', '42   '],
  [42, '^6', '  42  '],
  [42, '05', '00042'],
  [-42, '06', '-00042'],
  [-42, '=6', '-   42'],
  [42, '+', '+42'],
  [42, ' ', ' 42'],
  [-42, ' ', '-42'],
  [1234567, ',', '1,234,567'],
  [1234567, '_', '1_234_567'],
  [1234, '010,', '00,001,234'],
  [123, '06,', '00,123'],
  [255, 'x', 'ff'],
  [255, 'X', 'FF'],
  [255, '#x', '0xff'],
  [255, '#010x', '0x000000ff'],
  [255, 'b', '11111111'],
  [255, '_b', '1111_1111'],
  [3735928559, '_x', 'dead_beef'],
  [8, '#o', '0o10'],
  [65, 'c', 'A'],
  [65, '>3c', '  A'],
  [exact('1180591620717411303424'), ',', '1,180,591,620,717,411,303,424'],
  [exact('1180591620717411303424'), '.3e', '1.181e+21'],
  [42, '*^9', '***42****'],
  [42, '.1f', '42.0'],
  [42, '%', '4200.000000%'],
  [42, 'e', '4.200000e+01'],
  [42, 'n', '42'],
  [true, '', 'True'],
  [true, 'd', '1'],
  [true, '5', '    1'],
  [exact('1.0'), '', '1.0'],
  [0.1, '', '0.1'],
  [2.675, '.2f', '2.67'],
  [2.5, '.0f', '2'],
  [3.5, '.0f', '4'],
  [0.125, '.2f', '0.12'],
  [exact('1e+16'), '', '1e+16'],
  [1e-5, '', '1e-05'],
  [exact('1e+23'), '.15e', '9.999999999999999e+22'],
  [exact('1e+23'), '.25e', '9.9999999999999991611392000e+22'],
  [9.995, '.2f', '9.99'],
  [1234567.891, ',.2f', '1,234,567.89'],
  [1234567.891, '_.1f', '1_234_567.9'],
  [0.5, '.0%', '50%'],
  [0.256, '.1%', '25.6%'],
  [0.256, '%', '25.600000%'],
  [exact('-0.0'), '', '-0.0'],
  [exact('-0.0'), 'z', '0.0'],
  [-0.0001, 'z.2f', '0.00'],
  [-0.0001, '.2f', '-0.00'],
  [1234.5678, 'g', '1234.57'],
  [1.234e-5, 'g', '1.234e-05'],
  [exact('1000000.0'), 'g', '1e+06'],
  [999999.5, 'g', '1e+06'],
  [exact('100000.0'), '#g', '100000.'],
  [exact('123.0'), '.3', '1.23e+02'],
  [exact('123.0'), '.4', '123.0'],
  [exact('1e+20'), '#', '1.e+20'],
  [1.5, '#.0f', '2.'],
  [exact('3.0'), '#.0e', '3.e+00'],
  [1.5, '+010.2f', '+000001.50'],
  [Number.POSITIVE_INFINITY, '05', '00inf'],
  [-Number.POSITIVE_INFINITY, 'F', '-INF'],
  [Number.NaN, 'G', 'NAN'],
  [5e-324, '.3e', '4.941e-324'],
  [exact('1.7976931348623157e+308'), '.5g', '1.7977e+308'],
  [1.5, 'E', '1.500000E+00'],
  [1234.5, '010,.1f', '0,001,234.5'],
  [0.1, '.55f', '0.1000000000000000055511151231257827021181583404541015625'],
  ['abc', '', 'abc'],
  ['abc', '5', 'abc  '],
  ['abc', '>5', '  abc'],
  ['abc', '^6', ' abc  '],
  ['abc', '.2', 'ab'],
  ['abc', '*<5', 'abc**'],
  ['abc', '05', 'abc00'],
  ['é😀x', '.2', 'é😀'],
  ['é😀x', '😀^7', '😀😀é😀x😀😀'],
  ['abc', 's', 'abc'],
  ['abc', '2', 'abc'],
  [null, '', 'None'],
  [[1, 'a'], '', "[1, 'a']"],
  [{ a: exact('1.0') }, '', "{'a': 1.0}"],
];

describe('formatting', () => {
  for (const [value, spec, expected] of formatted) {
    test(`${typeof value === 'object' ? JSON.stringify(String(value)) : String(value)} formatted by ${JSON.stringify(spec)} is ${JSON.stringify(expected)}`, () => {
      expect(formatValue(value, spec)).toBe(expected);
    });
  }
});

const refused: [value: unknown, spec: string, type: string, message: string][] = [
  [1, 'q', 'ValueError', "Unknown format code 'q' for object of type 'int'"],
  [1, '5.2', 'ValueError', 'Precision not allowed in integer format specifier'],
  ['a', 'd', 'ValueError', "Unknown format code 'd' for object of type 'str'"],
  ['a', '=5', 'ValueError', "'=' alignment not allowed in string format specifier"],
  ['a', '+', 'ValueError', 'Sign not allowed in string format specifier'],
  ['a', ' ', 'ValueError', 'Space not allowed in string format specifier'],
  ['a', '#', 'ValueError', 'Alternate form (#) not allowed in string format specifier'],
  ['a', ',', 'ValueError', "Cannot specify ',' with 's'."],
  ['a', 'z', 'ValueError', 'Negative zero coercion (z) not allowed in string format specifier'],
  [1, 'z', 'ValueError', 'Negative zero coercion (z) not allowed in integer format specifier'],
  [1, ',x', 'ValueError', "Cannot specify ',' with 'x'."],
  [1, '_,', 'ValueError', "Cannot specify both ',' and '_'."],
  [1, ',_', 'ValueError', "Cannot specify both ',' and '_'."],
  [1, ',,', 'ValueError', "Cannot specify ',' with ','."],
  [1, '+c', 'ValueError', "Sign not allowed with integer format specifier 'c'"],
  [1, '#c', 'ValueError', "Alternate form (#) not allowed with integer format specifier 'c'"],
  [1, ',c', 'ValueError', "Cannot specify ',' with 'c'."],
  [1, ',n', 'ValueError', "Cannot specify ',' with 'n'."],
  [null, '5', 'TypeError', 'unsupported format string passed to NoneType.__format__'],
  [[], 's', 'TypeError', 'unsupported format string passed to list.__format__'],
  [{}, 's', 'TypeError', 'unsupported format string passed to dict.__format__'],
  [1.5, 'd', 'ValueError', "Unknown format code 'd' for object of type 'float'"],
  [1, '.', 'ValueError', 'Format specifier missing precision'],
  [1, 'abc', 'ValueError', "Invalid format specifier 'abc' for object of type 'int'"],
  [exact(`1${'0'.repeat(400)}`), 'f', 'OverflowError', 'int too large to convert to float'],
  ['a', '.1,', 'ValueError', "Unknown format code ',' for object of type 'str'"],
  [1114112, 'c', 'OverflowError', '%c arg not in range(0x110000)'],
  [-1, 'c', 'OverflowError', '%c arg not in range(0x110000)'],
  ['x', '_', 'ValueError', "Cannot specify '_' with 's'."],
  [1.5, '_x', 'ValueError', "Unknown format code 'x' for object of type 'float'"],
  [true, 'q', 'ValueError', "Unknown format code 'q' for object of type 'bool'"],
  [1, '\n', 'ValueError', "Unknown format code '\\xa' for object of type 'int'"],
];

describe('refused specs', () => {
  for (const [value, spec, type, message] of refused) {
    test(`the spec ${JSON.stringify(spec)} raises ${type}: ${message}`, () => {
      let raised: unknown;
      try {
        formatValue(value, spec);
      } catch (error) {
        raised = error;
      }
      expect(raised).toBeInstanceOf(PythonError);
      expect(raised).toMatchObject({ type, message });
    });
  }
});

describe('limits', () => {
  test('a width or a precision above 10000 is refused', () => {
    expect(formatValue('a', '10000')).toHaveLength(10_000);
    expect(formatValue(0.1, '.10000f')).toHaveLength(10_002);
    for (const spec of ['10001', '.10001', '99999999999999999999', `${'9'.repeat(100_000)}`]) {
      expect(() => formatValue('a', spec)).toThrow(/^the number .{1,40} in a format specifier is larger than 10000$/);
    }
  });

  test('any text as a spec gives a text or a PythonError', () => {
    const value = fc.oneof(fc.string(), fc.double(), fc.integer(), fc.boolean(), fc.constant(null));
    const spec = fc.oneof(fc.string(), fc.stringMatching(/^[*<>^=]{0,2}[+ -]?z?#?0?\d{0,2}[,_]?(\.\d)?[a-zA-Z%]?$/));
    fc.assert(
      fc.property(value, spec, (given, text) => {
        try {
          expect(formatValue(given, text)).toBeTypeOf('string');
        } catch (error) {
          expect(error).toBeInstanceOf(PythonError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
