// What is remembered of an origin is forgotten once nothing depends on it, or every address ever tried would stay.

import { expect, test } from 'vitest';
import { afterFailure } from '../../src/core/delivery/circuit-breaker.ts';
import { OriginLane } from '../../src/delivery/queue/origin-queue.ts';

const NOW = 1_800_000_000_000;

test('an origin without deliveries is forgotten', () => {
  expect(new OriginLane('http://receiver.test').isIdle(NOW)).toBe(true);
});

test('one that failed is remembered for its pause and a while longer, and forgotten then', () => {
  const lane = new OriginLane('http://receiver.test');
  for (let failure = 0; failure < 5; failure += 1) lane.circuit = afterFailure(lane.circuit, NOW, 0.5);
  expect(lane.circuit.openUntil).toBeGreaterThan(NOW);
  expect([0, 1000, 30_000, 3_600_000].map((passed) => lane.isIdle(NOW + passed))).toEqual([false, false, false, true]);
});

test('one that failed too seldom to be paused is forgotten with its last delivery', () => {
  const lane = new OriginLane('http://receiver.test');
  lane.circuit = afterFailure(lane.circuit, NOW, 0.5);
  lane.held = 1;
  expect(lane.isIdle(NOW)).toBe(false);
  lane.held = 0;
  expect(lane.isIdle(NOW)).toBe(true);
});
