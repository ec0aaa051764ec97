// Python's numbers: ints are exact at any size, floats stay floats, halves round to even, and ints and floats share one
// order.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson, stringifyJson } from '../../../src/core/json/json.ts';
import { addNumbers, divideNumbers, multiplyNumbers, toInteger } from '../../../src/core/python/arithmetic.ts';
import { isEqual } from '../../../src/core/python/equality.ts';
import { type PythonNumber, readNumber, toValue } from '../../../src/core/python/number.ts';
import { compareText, isOrdered, sortedByValue } from '../../../src/core/python/ordering.ts';
import { parseFloatText } from '../../../src/core/python/parse-float.ts';
import { roundTo } from '../../../src/core/python/rounding.ts';

const integer = fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n });
const float = fc.double({ noNaN: true, noDefaultInfinity: true });
const number: fc.Arbitrary<PythonNumber> = fc.oneof(integer, float, fc.integer().map(BigInt), fc.integer());

test('a number keeps its type and value when it is written and read', () => {
  fc.assert(
    fc.property(number, (given) => {
      const read = readNumber(toValue(given));
      expect(typeof read).toBe(typeof given);
      expect(Object.is(read, given) || read === given).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test('an integral float is 2.0 on the wire, and an int is 2', () => {
  expect(stringifyJson([toValue(2), toValue(2n), toValue(2n ** 70n), toValue(0.5)])).toBe('[2.0,2,1180591620717411303424,0.5]');
});

test('a large integral JavaScript number is read as the int of its digits', () => {
  expect(readNumber(12_345_678_901_234_567_000)).toBe(12_345_678_901_234_567_000n);
});

test.each([
  ['1', 'true', true],
  ['1', '1.0', true],
  ['1', '"1"', false],
  ['null', '0', false],
  ['9007199254740993', '9007199254740992', false],
  ['9007199254740993', '9007199254740992.0', false],
  ['9007199254740993', '9007199254740993', true],
  ['{"a":[1]}', '{"a":[1.0]}', true],
  ['{"a":1}', '{"b":1}', false],
  ['{"a":1}', '{"a":1,"b":null}', false],
])('%s == %s is %s', (left, right, expected) => {
  expect(isEqual(parseJson(left), parseJson(right))).toBe(expected);
  expect(isEqual(parseJson(right), parseJson(left))).toBe(expected);
});

test('NaN equals nothing', () => {
  expect(isEqual(Number.NaN, Number.NaN)).toBe(false);
});

describe('order', () => {
  test('the order of numbers is total and agrees with equality', () => {
    fc.assert(
      fc.property(number, number, (left, right) => {
        const [leftValue, rightValue] = [toValue(left), toValue(right)];
        const holding = [
          isOrdered(leftValue, '<', rightValue),
          isEqual(leftValue, rightValue),
          isOrdered(leftValue, '>', rightValue),
        ].filter(Boolean);
        expect(holding.length).toBe(1);
        expect(isOrdered(leftValue, '<=', rightValue)).toBe(!isOrdered(leftValue, '>', rightValue));
      }),
      { numRuns: 1000 },
    );
  });

  test('text is ordered by code point, and not by UTF-16 unit', () => {
    expect(compareText('\uff5e', '\u{1f600}')).toBeLessThan(0);
    expect('\uff5e' < '\u{1f600}').toBe(false);
    expect(compareText('a', 'ab')).toBeLessThan(0);
  });

  test('lists are ordered by their first different items', () => {
    expect(isOrdered([1, 2], '<', [1, 3])).toBe(true);
    expect(isOrdered([1, 'a'], '<', [2, 5])).toBe(true);
    expect(isOrdered([1], '<', [1, 0])).toBe(true);
    expect(() => isOrdered([1, 'a'], '<', [1, 5])).toThrow("'<' not supported between instances of 'str' and 'int'");
  });

  test('sorting is stable in both directions', () => {
    const items = [1, 2, 1, 2].map((rank, place) => ({ rank, place }));
    const places = (direction: 'ascending' | 'descending'): number[] =>
      sortedByValue(items, ({ rank }) => rank, direction).map(({ place }) => place);
    expect(places('ascending')).toEqual([0, 2, 1, 3]);
    expect(places('descending')).toEqual([1, 3, 0, 2]);
  });
});

describe('rounding', () => {
  test('rounding agrees with exact fractions, before and after the point', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(10 ** 9), max: 10 ** 9 }),
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: -10, max: 10 }),
        (units, halvings, digits) => {
          // Halves, quarters and so on are exact in binary, so ties are true ties.
          const rounded = roundTo(units / 2 ** halvings, digits) as number;
          expect(rounded === nearestEven(BigInt(units), 2n ** BigInt(halvings), digits)).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  /** Chooses between the two neighbours. */
  function nearestEven(numerator: bigint, denominator: bigint, digits: number): number {
    const scale = 10n ** BigInt(Math.abs(digits));
    const [top, bottom] = digits >= 0 ? [numerator * scale, denominator] : [numerator, denominator * scale];
    const remainder = ((top % bottom) + bottom) % bottom;
    const floor = (top - remainder) / bottom;
    const twice = 2n * remainder;
    const isFloor = twice < bottom || (twice === bottom && floor % 2n === 0n);
    return Number(`${isFloor ? floor : floor + 1n}e${-digits}`);
  }

  test.each([
    [0.5, 0, 0],
    [1.5, 0, 2],
    [2.675, 2, 2.67],
    [1e300, 5, 1e300],
    [-0.4, 0, -0],
    [123.456, -400, 0],
    [5e-324, 400, 5e-324],
  ])('the float %s rounded to %s digits is %s', (given, digits, expected) => {
    expect(Object.is(roundTo(given, digits), expected)).toBe(true);
  });

  test.each([
    [25n, -1, 20n],
    [35n, -1, 40n],
    [-25n, -1, -20n],
    [7n, 3, 7n],
    [9_007_199_254_740_993n, 0, 9_007_199_254_740_993n],
    [99n, -1_000_000_000, 0n],
  ])('the int %s rounded to %s digits is %s', (given, digits, expected) => {
    expect(roundTo(given, digits)).toBe(expected);
  });

  test('rounding beyond the largest float raises an OverflowError', () => {
    expect(() => roundTo(1.7e308, -308)).toThrow('rounded value too large to represent');
  });
});

describe('arithmetic', () => {
  test('ints are added and multiplied exactly', () => {
    expect(multiplyNumbers(9_007_199_254_740_993n, 3n)).toBe(27_021_597_764_222_979n);
    expect(addNumbers(2n ** 64n, 1n)).toBe(18_446_744_073_709_551_617n);
  });

  test('an int and a float multiply to a float', () => {
    expect(multiplyNumbers(2n, 1.5)).toBe(3);
    expect(() => multiplyNumbers(10n ** 400n, 1.5)).toThrow('int too large to convert to float');
  });

  test('the quotient of large ints is rounded once', () => {
    fc.assert(
      fc.property(integer, fc.bigInt({ min: 1n, max: 2n ** 70n }), (left, right) => {
        const quotient = divideNumbers(left * right, right);
        expect(quotient).toBe(Number(left));
      }),
    );
    expect(divideNumbers(10n ** 400n, 10n ** 399n)).toBe(10);
    expect(() => divideNumbers(10n ** 400n, 1n)).toThrow('integer division result too large for a float');
  });

  test.each([
    [1n, 0n, 'division by zero'],
    [1, 0n, 'float division by zero'],
  ])('%s / %s raises a ZeroDivisionError', (left, right, message) => {
    expect(() => divideNumbers(left, right)).toThrow(message);
  });

  test('int() truncates floats towards zero and refuses infinity and NaN', () => {
    expect(toInteger(-3.99)).toBe(-3n);
    expect(toInteger(1e22)).toBe(10_000_000_000_000_000_000_000n);
    expect(() => toInteger(Number.POSITIVE_INFINITY)).toThrow('cannot convert float infinity to integer');
    expect(() => toInteger(Number.NaN)).toThrow('cannot convert float NaN to integer');
  });
});

test.each([
  [' 42\n', 42],
  ['1_000', 1000],
  ['.5', 0.5],
  ['5.', 5],
  ['+1e3', 1000],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['NaN', Number.NaN],
  ['1e400', Number.POSITIVE_INFINITY],
  ['١٢', 12],
  ['𝟟', 7],
  ['', null],
  ['1__0', null],
  ['_1', null],
  ['0x10', null],
  ['1 2', null],
  ['\ufeff1', null],
  ['infinit', null],
])('float(%j) is %s', (text, expected) => {
  expect(parseFloatText(text)).toBe(expected);
});

test('a text with a hundred thousand inner spaces is refused in linear time', () => {
  const started = performance.now();
  expect(parseFloatText(`1${' '.repeat(100_000)}x`)).toBeNull();
  expect(performance.now() - started).toBeLessThan(1000);
});
