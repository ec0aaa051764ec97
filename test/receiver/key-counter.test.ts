// Keys are counted in bounded memory: the first to come is the first to be forgotten.

import { expect, test } from 'vitest';
import { createKeyCounter } from '../../src/receiver/key-counter.ts';

test('beyond the limit the key that came first is forgotten', () => {
  const keys = createKeyCounter(2);
  expect(['a', 'b', 'a', 'c', 'b', 'a'].map((key) => keys.count(key))).toEqual([1, 1, 2, 1, 2, 1]);
  expect(keys.repeated).toBe(2);
});
