// Which scheduled times start a run: each once however often the clock is looked at, and of missed ones those of the rule.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CronTimes } from '../../../src/core/schedule/cron-times.ts';
import { CATCH_UPS, dueTimes, LATE_MS, MAX_CATCH_UP } from '../../../src/core/schedule/due-times.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-10-24T22:00:30Z');
const berlin = (cron: string): CronTimes => new CronTimes(cron, 'Europe/Berlin');

test('looks at any moments find each time once, through the repeated hour too', () => {
  const gaps = fc.array(fc.nat(90 * MINUTE), { minLength: 1, maxLength: 12 });
  const crons = fc.constantFrom('30 2 * * *', '*/20 * * * *', '0,15 1-3 * * *');
  fc.assert(
    fc.property(crons, gaps, (text, moments) => {
      const cron = berlin(text);
      let [now, handledTo] = [START, START];
      const found: number[] = [];
      for (const gap of moments) {
        now += gap;
        const due = dueTimes(cron, 'all', handledTo, now);
        expect(due.leftOut).toBe(0);
        found.push(...due.times);
        handledTo = due.handledTo;
      }
      const expected: number[] = [];
      for (let at = cron.after(START); at !== null && at <= now; at = cron.after(at)) expected.push(at);
      expect(found).toEqual(expected);
    }),
    { numRuns: 30 },
  );
});

test('two missed times of a year cost no search through the centuries', () => {
  const cron = berlin('0 0 29 2 *');
  const [from, to] = [Date.parse('2023-01-01T00:00Z'), Date.parse('2029-01-01T00:00Z')];
  const begin = performance.now();
  for (const catchUp of CATCH_UPS) expect(dueTimes(cron, catchUp, from, to).handledTo).toBe(Date.parse('2028-02-28T23:00Z'));
  expect(performance.now() - begin).toBeLessThan(1000);
});

describe('of several due times', () => {
  const cron = berlin('*/30 * * * *');
  const first = START + 29.5 * MINUTE;
  const latest = first + 90 * MINUTE;

  test.each([
    ['skip', 0, [latest]],
    ['skip', LATE_MS, [latest]],
    ['skip', LATE_MS + 1, []],
    ['last', 20 * MINUTE, [latest]],
    ['all', 20 * MINUTE, [first, first + 30 * MINUTE, first + 60 * MINUTE, latest]],
  ] as const)('%s starts, %i ms after the latest, %j', (catchUp, lateMs, times) => {
    expect(dueTimes(cron, catchUp, START, latest + lateMs)).toEqual({ times, leftOut: 4 - times.length, isMore: false, handledTo: latest });
  });

  test('only so many are caught up, and only so many are counted', () => {
    const minutely = berlin('* * * * *');
    const twoDays = dueTimes(minutely, 'all', START, START + 2880 * MINUTE);
    expect([twoDays.times.length, twoDays.leftOut, twoDays.isMore]).toEqual([MAX_CATCH_UP, 1880, false]);
    expect(twoDays.times.at(-1)).toBe(START + 2879.5 * MINUTE);
    const month = dueTimes(minutely, 'all', START, START + 44_640 * MINUTE);
    expect([month.times.length, month.leftOut, month.isMore]).toEqual([MAX_CATCH_UP, 2000, true]);
  });

  test.each(CATCH_UPS)('none is due before its time: %s', (catchUp) => {
    expect(dueTimes(cron, catchUp, START, first - 1)).toEqual({ times: [], leftOut: 0, isMore: false, handledTo: START });
    expect(dueTimes(cron, catchUp, START, first)).toEqual({ times: [first], leftOut: 0, isMore: false, handledTo: first });
  });
});
