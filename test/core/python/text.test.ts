// str, repr and json.dumps write values character for character as Python does.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExactNumber, parseJson } from '../../../src/core/json/json.ts';
import { isEqual } from '../../../src/core/python/equality.ts';
import { floatText } from '../../../src/core/python/format/float-text.ts';
import { pythonJson, pythonJsonWithNaN } from '../../../src/core/python/json-text.ts';
import { classText } from '../../../src/core/python/kind.ts';
import { excerptOf, reprOf, strOf } from '../../../src/core/python/text.ts';
import { Tuple } from '../../../src/core/python/tuple.ts';
import { Bytes } from '../../../src/core/values/bytes.ts';
import { parseTimestamp } from '../../../src/core/values/timestamp.ts';

test.each([
  [0, '0.0'],
  [-0, '-0.0'],
  [1, '1.0'],
  [0.1, '0.1'],
  [0.0001, '0.0001'],
  [0.00001, '1e-05'],
  [1e15, '1000000000000000.0'],
  [1e16, '1e+16'],
  [9_999_999_999_999_998, '9999999999999998.0'],
  [1.5e300, '1.5e+300'],
  [5e-324, '5e-324'],
  [-123.456, '-123.456'],
  [Number.NaN, 'nan'],
  [Number.NEGATIVE_INFINITY, '-inf'],
])('the float %s is written %s', (float, text) => {
  expect(floatText(float)).toBe(text);
});

test('the text of any float parses to the same float', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (float) => {
      expect(Object.is(Number(floatText(float)), float)).toBe(true);
      expect(floatText(float)).toMatch(/[.e]/);
    }),
    { numRuns: 1000 },
  );
});

test.each(
  [
    [null, 'None'],
    [true, 'True'],
    [7, '7'],
    [new ExactNumber('9007199254740993'), '9007199254740993'],
    [new ExactNumber('1.0'), '1.0'],
    [new ExactNumber('1E5'), '100000.0'],
    [new ExactNumber('-0'), '0'],
    ["it's", '"it\'s"'],
    [`both ' and "`, `'both \\' and "'`],
    ['a\\b\n\t\0\x7f\xa0\u2028\ud800', "'a\\\\b\\n\\t\\x00\\x7f\\xa0\\u2028\\ud800'"],
    ['żółć 😀', "'żółć 😀'"],
    [Tuple.of<unknown>(new ExactNumber('8.0'), 'a', Tuple.of()), "(8.0, 'a', ())"],
    [[Tuple.of(1)], '[(1,)]'],
    [{ a: [1, null], b: {} }, "{'a': [1, None], 'b': {}}"],
    [new Bytes(Uint8Array.of(0, 39, 65, 255)), 'b"\\x00\'A\\xff"'],
    [
      parseTimestamp('2024-08-21T11:13:44.5+02:00'),
      'datetime.datetime(2024, 8, 21, 11, 13, 44, 500000, tzinfo=datetime.timezone(datetime.timedelta(seconds=7200)))',
    ],
    [
      parseTimestamp('2024-08-21T11:13:00-01:00'),
      'datetime.datetime(2024, 8, 21, 11, 13, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=82800)))',
    ],
  ].map(([value, text]) => [text, value] as const),
)('repr writes %s', (text, value) => {
  expect(reprOf(value)).toBe(text);
});

test('str leaves text unchanged and writes a timestamp with a space', () => {
  expect(strOf("it's")).toBe("it's");
  expect(strOf(parseTimestamp('2024-08-21T11:13:44Z'))).toBe('2024-08-21 11:13:44+00:00');
});

test('messages quote 128 code points and cut none in half', () => {
  expect(excerptOf('x'.repeat(128))).toBe('x'.repeat(128));
  expect(excerptOf('😀'.repeat(128))).toBe('😀'.repeat(128));
  expect(excerptOf('😀'.repeat(129))).toBe(`${'😀'.repeat(128)} [...]`);
});

test.each([
  ['null', null, "<class 'NoneType'>"],
  ['1e+21', 1e21, "<class 'float'>"],
  ['12345678901234567000', 12_345_678_901_234_567_000, "<class 'int'>"],
  ['2.0', new ExactNumber('2.0'), "<class 'float'>"],
  ['a timestamp', parseTimestamp('2024-08-21'), "<class 'datetime.datetime'>"],
])('the class of %s is named as Python does', (_title, value, text) => {
  expect(classText(value)).toBe(text);
});

describe('json.dumps', () => {
  test('json.dumps puts spaces after separators, escapes non-ASCII text and keeps ints and floats apart', () => {
    const value = parseJson('{"ż":"é\\u007f😀\\"","n":[1,1.0,1e20,0.00001,9007199254740993,-0]}');
    expect(pythonJson(value)).toBe('{"\\u017c": "\\u00e9\\u007f\\ud83d\\ude00\\"", "n": [1, 1.0, 1e+20, 1e-05, 9007199254740993, 0]}');
  });

  test('json.dumps writes ASCII that parses to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain = parseJson(JSON.stringify(value));
        const text = pythonJson(plain);
        expect(text).toMatch(/^[ -~]*$/);
        expect(isEqual(parseJson(text), plain)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['NaN', Number.NaN, 'Out of range float values are not JSON compliant'],
    ['infinity', Number.POSITIVE_INFINITY, 'Out of range float values are not JSON compliant'],
    ['bytes', new Bytes(new Uint8Array()), 'Object of type bytes is not JSON serializable'],
    ['a timestamp', parseTimestamp('2024-08-21'), 'Object of type datetime is not JSON serializable'],
  ])("json.dumps refuses %s with Python's message", (_title, value, message) => {
    expect(() => pythonJson({ nested: [value] })).toThrow(message);
  });

  test('pythonJsonWithNaN writes NaN and the infinities by name', () => {
    expect(pythonJsonWithNaN([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])).toBe('[NaN, Infinity, -Infinity]');
  });
});
