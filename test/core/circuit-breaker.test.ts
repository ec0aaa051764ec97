// How much is sent to an origin that fails, and to one that has come back.

import { expect, test } from 'vitest';
import { afterFailure, afterSuccess, type Circuit, closedCircuit, freeSlots } from '../../src/core/delivery/circuit-breaker.ts';

const NOW = 1_000_000;
const WIDTH = 64;

function failing(times: number, now = NOW): Circuit {
  let circuit = closedCircuit(WIDTH);
  for (let count = 0; count < times; count += 1) circuit = afterFailure(circuit, Math.max(now, circuit.openUntil), 0.5);
  return circuit;
}

test('a few failures change nothing, and a success forgets them', () => {
  expect(freeSlots(failing(4), 0, NOW)).toBe(WIDTH);
  expect(afterSuccess(failing(4), WIDTH).failures).toBe(0);
});

test('the fifth failure in a row opens the circuit for about a second', () => {
  const circuit = failing(5);
  expect(circuit.openUntil).toBe(NOW + 1000);
  expect(freeSlots(circuit, 0, NOW + 999)).toBe(0);
});

test('when the pause is over one probe is sent, and nothing beside it', () => {
  const circuit = failing(5);
  expect(freeSlots(circuit, 0, NOW + 1000)).toBe(1);
  expect(freeSlots(circuit, 1, NOW + 1000)).toBe(0);
});

test('each probe that fails doubles the pause, up to half a minute', () => {
  const pauses = [5, 6, 7, 8, 9, 10, 11, 30].map((times) => {
    const before = failing(times - 1);
    const at = Math.max(NOW, before.openUntil);
    return afterFailure(before, at, 0.5).openUntil - at;
  });
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('the end of a pause is spread, so that many servers do not probe at once', () => {
  const before = failing(4);
  expect(afterFailure(before, NOW, 0).openUntil).toBe(NOW + 900);
  expect(afterFailure(before, NOW, 0.9999).openUntil).toBe(NOW + 1100);
});

test('failures of what was under way when the circuit opened do not lengthen the pause', () => {
  const circuit = failing(5);
  expect(afterFailure(circuit, NOW + 500, 0.5)).toEqual(circuit);
});

test('a receiver that has come back gets one message at a time more with each success', () => {
  let circuit = afterSuccess(failing(9), WIDTH);
  const widths = [circuit.width];
  for (let count = 0; count < 100; count += 1) {
    circuit = afterSuccess(circuit, WIDTH);
    widths.push(circuit.width);
  }
  expect(widths.slice(0, 4)).toEqual([1, 2, 3, 4]);
  expect(widths.at(-1)).toBe(WIDTH);
});
