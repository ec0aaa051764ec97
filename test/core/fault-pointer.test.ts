// The path of a fault as a JSON Pointer into the document that has it, whatever its keys are.

import { expect, test } from 'vitest';
import type { Fault } from '../../src/core/fault.ts';
import { pointerOfFault } from '../../src/core/fault-pointer.ts';
import { compileSchemaCheck } from '../../src/core/schema.ts';

const pointer = (document: unknown, path: string, message = 'is wrong'): string => pointerOfFault(document, { path, message });

/** The value at a pointer, by RFC 6901. */
function valueAt(document: unknown, text: string): unknown {
  const keys = text.split('/').slice(1);
  return keys.reduce<any>((value, key) => value[key.replaceAll('~1', '/').replaceAll('~0', '~')], document);
}

test.each<[unknown, string, string]>([
  [{ steps: [{ a: { x: 1 } }] }, '', ''],
  [{ steps: [{}, {}, { values: { x: 1 } }] }, 'steps[2].values.x', '/steps/2/values/x'],
  [[[1, 2]], '[0][1]', '/0/1'],
  [{ 'a/b': { 'c~d': 1 } }, 'a/b.c~d', '/a~1b/c~0d'],
  [{ 'a.b': { 'c.d': 1 } }, 'a.b.c.d', '/a.b/c.d'],
  [{ a: { b: 1 }, 'a.b': { c: 1 } }, 'a.b.c', '/a.b/c'],
  [{ a: { x: 1 }, 'a.b': 1 }, 'a.x', '/a/x'],
  [{ 'a[0]': 1, a: [] }, 'a[0]', '/a[0]'],
  [{ '[': 1, ']': 2, 'x]': 3 }, '[', '/['],
  [{ '[a]': { b: 1 } }, '[a].b', '/[a]/b'],
  [{ a: { '5': { '007': 1 } } }, 'a[5][007]', '/a/5/007'],
  [{ a: { '5': 1 } }, 'a.5', '/a/5'],
  [{ '.': { '..': 1 } }, '....', '/./..'],
  [{ 'ключ ✓': [1] }, 'ключ ✓[0]', '/ключ ✓/0'],
  [{ constructor: { name: 1 } }, 'constructor.name', '/constructor/name'],
])('in %j, %j is %j', (document, path, expected) => {
  expect(pointer(document, path)).toBe(expected);
  if (path !== '') expect(valueAt(document, expected)).toBeDefined();
});

test.each<[unknown, string, string]>([
  [{ a: { b: 1 } }, 'a.c', '/a'],
  [{ a: [1] }, 'a[1]', '/a'],
  [{ a: [1] }, 'a.length', '/a'],
  [{ a: 'text' }, 'a[0]', '/a'],
  [{ a: null }, 'a.b', '/a'],
  [{}, 'constructor', ''],
  [{}, '__proto__.x', ''],
  [null, 'a.b', ''],
  ['text', 'length', ''],
  [{ a: { b: 1 }, 'a.b': {} }, 'a.b.c', '/a/b'],
])('in %j, %j leads no further than %j', (document, path, expected) => {
  expect(pointer(document, path)).toBe(expected);
});

test('an unknown field is the place itself, if it is one', () => {
  const document = { a: { 'x/y': 1, 'q"': 2 } };
  expect(pointer(document, 'a', 'unknown field "x/y"; known are b')).toBe('/a/x~1y');
  expect(pointer(document, 'a', 'unknown field "q""')).toBe('/a/q"');
  expect(pointer(document, 'a', 'unknown field "b"; known are c')).toBe('/a');
  expect(pointer(document, 'a', 'unknown field "toString"')).toBe('/a');
  expect(pointer([], '', 'unknown field "length"')).toBe('');
});

test('the paths of a schema check lead to what it refused, whatever the keys', () => {
  const deep = {
    type: 'object',
    additionalProperties: { type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } },
  };
  const check = compileSchemaCheck(deep);
  for (const key of ['a', '5', 'a.b', 'a[1]', '[1]', 'a/b', 'a~b', '~1', 'ä', ' ', 'constructor', '[', '.a', 'a.']) {
    for (const inner of ['x', '0', 'x.y', 'x]']) {
      const document = { [key]: { [inner]: ['fine', 1] } };
      const [fault] = check(document);
      expect(valueAt(document, pointerOfFault(document, fault as Fault)), `${key} ${inner}`).toBe(1);
    }
  }
});

test('a hostile document costs little', () => {
  const long = 'k'.repeat(1_000_000);
  expect(pointer({ [long]: { a: 1 } }, `${long}.a`)).toBe('');
  let deep: unknown = 1;
  for (let level = 0; level < 100; level += 1) deep = { 'a.a.a': {}, 'a.a': { 'a.a': {} }, a: deep };
  expect(pointer(deep, `${'a.'.repeat(300)}x`)).toMatch(/^\/a/);
});
