// Names with brackets become objects and lists; what cannot be both is refused.

import { expect, test } from 'vitest';
import { nestNames } from '../../../src/core/form/nested-names.ts';

test('names with brackets are nested', () => {
  expect(nestNames({ 'a[b]': '1', 'a[c][]': ['2', '3'], 'd[]': '4', e: '5', f: ['6', '7'], 'g[0]': '8', 'a[x][y]': '9' })).toEqual({
    a: { b: '1', c: ['2', '3'], x: { y: '9' } },
    d: ['4'],
    e: '5',
    f: ['6', '7'],
    g: { 0: '8' },
  });
});

test('a name of another form stays as it is', () => {
  const names = ['a[', 'a]', '[b]', 'a[b', 'a[b]c', 'a[[b]]', '', '[]'];
  const flat = Object.fromEntries(names.map((name) => [name, '1']));
  expect(nestNames(flat)).toEqual(flat);
});

test('no name reaches a prototype', () => {
  for (const name of ['__proto__[x]', 'a[__proto__]', 'a[__proto__][x]', 'constructor[prototype][x]', 'a[prototype]'])
    expect(() => nestNames({ [name]: '1' }), name).toThrow('has a name that is not accepted');
  const plain = nestNames(JSON.parse('{"__proto__": "1", "constructor": "2"}') as Record<string, unknown>);
  expect(Object.entries(plain)).toEqual([
    ['__proto__', '1'],
    ['constructor', '2'],
  ]);
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
});

test.each([[['a', 'a[b]']], [['a[b]', 'a']], [['a[]', 'a[b]']], [['a[b]', 'a[]']], [['a', 'a[]']], [['a[]', 'a']], [['a[b]', 'a[b][c]']]])(
  '%j conflict',
  (names) => {
    expect(() => nestNames(Object.fromEntries(names.map((name) => [name, '1'])))).toThrow('is both a value or a list and an object');
  },
);

test('depth is bounded, and a list of objects is refused', () => {
  expect(nestNames({ [`a${'[b]'.repeat(8)}`]: '1' })).toHaveProperty('a.b.b.b.b.b.b.b.b', '1');
  expect(() => nestNames({ [`a${'[b]'.repeat(9)}`]: '1' })).toThrow('is nested deeper than 8 levels');
  expect(() => nestNames({ [`a${'[b]'.repeat(100_000)}`]: '1' })).toThrow('is nested deeper than 8 levels');
  expect(() => nestNames({ 'a[][b]': '1' })).toThrow('has "[]" before its end');
});
