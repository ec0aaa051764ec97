// current_time: the local time in each of Roboflow's time zones.

import { describe, expect, test } from 'vitest';
import { Timestamp } from '../../../src/core/values/timestamp.ts';
import { currentTime } from '../../../src/steps/roboflow/current-time.ts';
import { TIME_ZONES, timeIn } from '../../../src/steps/roboflow/parts/time-zones.ts';
import { faultsOf, stepContext } from './step-context.ts';

describe('the time', () => {
  test('current_time is in UTC by default', () => {
    expect(currentTime.plan({}, stepContext({ now: Date.UTC(2026, 7, 21, 10, 30, 0) }))).toEqual({
      kind: 'completed',
      outputs: {
        timestamp: new Timestamp(BigInt(Date.UTC(2026, 7, 21, 10, 30, 0)) * 1000n, 0),
        iso_string: '2026-08-21T10:30:00+00:00',
        date: '2026-08-21',
        time: '10:30:00',
      },
    });
  });

  for (const [zone, summer, winter] of [
    ['UTC', '2026-07-15T12:00:00.007000+00:00', '2026-01-15T12:00:00.007000+00:00'],
    ['Europe/Berlin', '2026-07-15T14:00:00.007000+02:00', '2026-01-15T13:00:00.007000+01:00'],
    ['Europe/Kyiv', '2026-07-15T15:00:00.007000+03:00', '2026-01-15T14:00:00.007000+02:00'],
    ['America/St_Johns', '2026-07-15T09:30:00.007000-02:30', '2026-01-15T08:30:00.007000-03:30'],
    ['Asia/Kathmandu', '2026-07-15T17:45:00.007000+05:45', '2026-01-15T17:45:00.007000+05:45'],
    ['Australia/Lord_Howe', '2026-07-15T22:30:00.007000+10:30', '2026-01-15T23:00:00.007000+11:00'],
    ['Pacific/Chatham', '2026-07-16T00:45:00.007000+12:45', '2026-01-16T01:45:00.007000+13:45'],
    ['Pacific/Kiritimati', '2026-07-16T02:00:00.007000+14:00', '2026-01-16T02:00:00.007000+14:00'],
    ['Etc/GMT+12', '2026-07-15T00:00:00.007000-12:00', '2026-01-15T00:00:00.007000-12:00'],
    ['Pacific/Marquesas', '2026-07-15T02:30:00.007000-09:30', '2026-01-15T02:30:00.007000-09:30'],
  ] as const) {
    test(`the time in ${zone} is ${summer} in July and ${winter} in January`, () => {
      expect(timeIn(zone, Date.UTC(2026, 6, 15, 12, 0, 0, 7)).isoFormat()).toBe(summer);
      expect(timeIn(zone, Date.UTC(2026, 0, 15, 12, 0, 0, 7)).isoFormat()).toBe(winter);
    });
  }

  test('current_time knows all 55 zones', () => {
    expect(TIME_ZONES).toHaveLength(55);
    for (const zone of TIME_ZONES) {
      expect(currentTime.plan({ timezone: zone }, stepContext())).toMatchObject({
        kind: 'completed',
        outputs: { date: expect.stringMatching(/^2026-08-2[012]$/) },
      });
    }
  });
});

describe('unknown zones', () => {
  test('an unknown zone is refused when saved, and fails the step when selected', () => {
    for (const timezone of ['UTC', 'Asia/Tokyo', '$inputs.timezone']) expect(faultsOf(currentTime, { timezone })).toEqual([]);
    expect(faultsOf(currentTime, { timezone: 'Europe/Paris' })).toEqual([
      expect.stringMatching(/^timezone: must be one of Etc\/GMT\+12, /),
    ]);
    for (const timezone of ['Europe/Paris', 'Mars/Base', '', 'utc', '__proto__', null, 5, {}, ['UTC'], 'x'.repeat(100_000)]) {
      const plan = currentTime.plan({ timezone }, stepContext());
      expect(plan).toMatchObject({
        kind: 'failed',
        error: { message: expect.stringMatching(/^`roboflow_core\/current_time@v1` received unsupported timezone '/) },
      });
    }
  });
});
