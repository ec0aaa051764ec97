// JSON Merge Patch, by the examples of RFC 7396, appendix A.

import { expect, test } from 'vitest';
import { ExactNumber } from '../../src/core/json/json.ts';
import { mergePatch } from '../../src/core/json/merge-patch.ts';

test.each<[unknown, unknown, unknown]>([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j patched with %j is %j', (target, patch, expected) => {
  const before = JSON.stringify([target, patch]);
  expect(mergePatch(target, patch)).toEqual(expected);
  expect(JSON.stringify([target, patch])).toBe(before);
});

test('a number kept as it was written is a value, and nothing to merge into', () => {
  const exact = new ExactNumber('1.0');
  expect(mergePatch({ a: { b: 1 } }, { a: exact })).toEqual({ a: exact });
  expect(mergePatch({ a: exact }, { a: { b: exact } })).toEqual({ a: { b: exact } });
});
