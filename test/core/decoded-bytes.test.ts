// The estimate of what a body takes once it is decoded: never less than it takes where it takes the most.

import { expect, test } from 'vitest';
import { decodedBytes } from '../../src/core/run/decoded-bytes.ts';

const estimate = (text: string): number => decodedBytes(new TextEncoder().encode(text));

test.each([
  ['empty objects', '{}', 64],
  ['empty lists', '[]', 16],
  ['numbers', '1.5', 8],
  ['short texts', '"ab"', 8],
  ['objects of one field', '{"a":1}', 32],
])('counts %s as many times their text', (_what, item, least) => {
  const text = `[${Array.from({ length: 1000 }, () => item).join(',')}]`;
  expect(estimate(text)).toBeGreaterThan(1000 * least);
});

test('counts a long text as itself, whatever it holds', () => {
  const text = JSON.stringify({ text: '{[,:\\"'.repeat(10_000) });
  expect(estimate(text)).toBeLessThan(text.length + 1000);
});

test.each(['', '"', '"\\', '{"a', '\\"'])('takes what is no JSON: %j', (text) => {
  expect(estimate(text)).toBeGreaterThanOrEqual(text.length);
});
