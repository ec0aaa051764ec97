// What is remembered of an origin is forgotten once nothing depends on it, or every address ever tried would stay.

import { expect, test } from 'vitest';
import { afterFailure } from '../../src/core/delivery/circuit-breaker.ts';
import { OriginQueue } from '../../src/delivery/queue/origin-queue.ts';

const NOW = 1_800_000_000_000;

test('an origin without deliveries is forgotten', () => {
  expect(new OriginQueue('http://receiver.test').isIdle(NOW)).toBe(true);
});

test('an origin that failed is remembered for its pause and a while longer, then forgotten', () => {
  const origin = new OriginQueue('http://receiver.test');
  for (let failure = 0; failure < 5; failure += 1) origin.circuit = afterFailure(origin.circuit, NOW, 0.5);
  expect(origin.circuit.openUntil).toBeGreaterThan(NOW);
  expect([0, 1000, 30_000, 3_600_000].map((passed) => origin.isIdle(NOW + passed))).toEqual([false, false, false, true]);
});

test('an origin that failed too seldom for a pause is forgotten with its last delivery', () => {
  const origin = new OriginQueue('http://receiver.test');
  origin.circuit = afterFailure(origin.circuit, NOW, 0.5);
  origin.leased = 1;
  expect(origin.isIdle(NOW)).toBe(false);
  origin.leased = 0;
  expect(origin.isIdle(NOW)).toBe(true);
});
