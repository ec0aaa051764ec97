// Retry: how long a step waits before each further try.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NO_RETRY, readRetryPolicy, retryDelayMs } from '../../src/core/delivery/retry.ts';

const policy = fc.record({
  maxRetries: fc.nat(100),
  baseSeconds: fc.double({ min: 0, max: 86_400, noNaN: true }),
  maxSeconds: fc.double({ min: 0, max: 86_400, noNaN: true }),
});
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('a delay lies between nothing and the ceiling of its try, and never beyond the cap, however late the try', () => {
  fc.assert(
    fc.property(policy, fc.integer({ min: 1, max: 10_000 }), random, (retry, attempt, share) => {
      const ms = retryDelayMs(retry, attempt, share);
      const ceiling = Math.min(retry.baseSeconds * 2 ** Math.min(attempt - 1, 60), retry.maxSeconds) * 1000;
      expect(Number.isInteger(ms) && ms >= 0).toBe(true);
      expect(ms).toBeLessThanOrEqual(Math.round(ceiling));
      expect(ms).toBeLessThanOrEqual(Math.round(retry.maxSeconds * 1000));
    }),
    { numRuns: 1000 },
  );
});

test('the ceiling doubles from try to try until the cap', () => {
  const ceilings = [1, 2, 3, 4, 5, 6, 100].map((attempt) => retryDelayMs({ maxRetries: 9, baseSeconds: 1, maxSeconds: 10 }, attempt, 1));
  expect(ceilings).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
});

test('the whole range is used: jitter takes a share and no fixed part', () => {
  const delay = (share: number): number => retryDelayMs({ maxRetries: 9, baseSeconds: 4, maxSeconds: 300 }, 1, share);
  expect([delay(0), delay(0.25), delay(0.5)]).toEqual([0, 1000, 2000]);
});

test('a manifest gives what it names, and the rest comes from the default', () => {
  expect(readRetryPolicy(undefined, NO_RETRY)).toEqual({ maxRetries: 0, baseSeconds: 1, maxSeconds: 300 });
  expect(readRetryPolicy({ max_retries: 5 }, NO_RETRY)).toEqual({ maxRetries: 5, baseSeconds: 1, maxSeconds: 300 });
  expect(readRetryPolicy({ max_retries: 2, base_seconds: 0.5, max_seconds: 7 }, NO_RETRY)).toEqual({
    maxRetries: 2,
    baseSeconds: 0.5,
    maxSeconds: 7,
  });
});
