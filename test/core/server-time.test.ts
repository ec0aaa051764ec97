// Server time against the wall clock: what is shown of a moment, and where a start goes on.

import { describe, expect, test } from 'vitest';
import { fromWallTime, resumeServerTime, toWallTime } from '../../src/core/run/server-time.ts';

const HOUR = 3_600_000;
const MONTH = 31 * 24 * HOUR;
const NOW = 1_767_225_600_000;

describe('a moment', () => {
  const steps = [
    { at: NOW, aheadMs: HOUR },
    { at: NOW + 100, aheadMs: -HOUR },
  ];

  test('is shown as the wall clock showed it then', () => {
    expect([NOW - 1, NOW, NOW + 99, NOW + 100].map((at) => toWallTime(steps, at))).toEqual([
      NOW - 1,
      NOW + HOUR,
      NOW + 99 + HOUR,
      NOW + 100 - HOUR,
    ]);
    expect(toWallTime([], NOW)).toBe(NOW);
  });

  test('is found by what the wall clock showed', () => {
    expect(fromWallTime([], NOW)).toBe(NOW);
    const forward = [{ at: NOW, aheadMs: HOUR }];
    for (const at of [NOW - 5, NOW, NOW + 5000]) expect(fromWallTime(forward, toWallTime(forward, at)), `${at - NOW}`).toBe(at);
    expect(fromWallTime(forward, NOW + 5), 'never shown: the clock was set past it').toBe(NOW);
    const back = [{ at: NOW, aheadMs: -HOUR }];
    expect(fromWallTime(back, NOW + 5000), 'shown after the clock was set back alone').toBe(NOW + 5000 + HOUR);
    expect(fromWallTime(back, NOW - 5), 'shown twice').toBe(NOW - 5);
  });
});

describe('a start goes on', () => {
  test.each<[string, number | null, number, number, number]>([
    ['with the wall clock, the first time', null, 0, NOW, NOW],
    ['with the wall clock, as a rule', NOW, 0, NOW + 500, NOW + 500],
    ['where it stopped, when the clock was set back meanwhile', NOW, 0, NOW - HOUR, NOW],
    ['as far ahead of a wall clock that was set back before', NOW, -HOUR, NOW - HOUR + 500, NOW + 500],
    ['as far behind a wall clock that was set forward before', NOW, MONTH, NOW + MONTH + 500, NOW + 500],
    ['when a clock that was set forward was put right', NOW, MONTH, NOW + 500, NOW + 500],
    ['when a clock that was set back was put right', NOW, -MONTH, NOW + 500, NOW + 500],
    ['where it stopped, when nothing fits', NOW, MONTH, NOW - HOUR, NOW],
  ])('%s', (_name, seenAt, aheadMs, wall, expected) => {
    const steps = aheadMs === 0 ? [] : [{ at: NOW - 10, aheadMs }];
    expect(resumeServerTime(seenAt, steps, wall)).toBe(expected);
  });
});
