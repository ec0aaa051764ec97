// Scheduled times, compared with a look at every minute around the days on which clocks change; and what an expression may be.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cronFault, timeZoneFault } from '../../../src/core/schedule/cron-faults.ts';
import { CronTimes } from '../../../src/core/schedule/cron-times.ts';
import { minutesOf, type PlainCron, scan } from './minute-scan.ts';

const DAY = 86_400_000;
/** Times that are compared on either side of a moment. */
const COUNT = 10;

/** Days on which clocks change, or any day. */
const DAYS: [zone: string, day: string][] = [
  ['UTC', '2026-02-28'],
  ['Asia/Kolkata', '2026-12-31'],
  ['Europe/Berlin', '2026-03-29'],
  ['Europe/Berlin', '2026-10-25'],
  ['America/New_York', '2026-03-08'],
  ['America/New_York', '2026-11-01'],
  ['Australia/Lord_Howe', '2026-10-04'],
  ['Australia/Lord_Howe', '2026-04-05'],
  ['America/Santiago', '2026-09-06'],
  ['Asia/Beirut', '2026-10-25'],
];

type Field = { text: string; values: readonly number[] | null; isWild: boolean };
const any: Field = { text: '*', values: null, isWild: true };
const listOf = (max: number): fc.Arbitrary<Field> =>
  fc.uniqueArray(fc.nat(max), { minLength: 1, maxLength: 3 }).map((values) => ({ text: values.join(), values, isWild: false }));
const stepsOf = (max: number): fc.Arbitrary<Field> =>
  fc.integer({ min: 2, max: Math.min(30, max) }).map((step) => {
    const values = Array.from({ length: max + 1 }, (_, value) => value).filter((value) => value % step === 0);
    return { text: `*/${step}`, values, isWild: true };
  });
const rangeOf = (max: number): fc.Arbitrary<Field> =>
  fc.tuple(fc.nat(max), fc.nat(3)).map(([from, more]) => {
    const to = Math.min(max, from + more);
    return { text: `${from}-${to}`, values: Array.from({ length: to - from + 1 }, (_, index) => from + index), isWild: false };
  });
const timeField = (max: number): fc.Arbitrary<Field> => fc.oneof(fc.constant(any), listOf(max), stepsOf(max), rangeOf(max));
const dayField = (fields: fc.Arbitrary<Field>): fc.Arbitrary<Field> => fc.oneof({ weight: 3, arbitrary: fc.constant(any) }, fields);
const days = fc.uniqueArray(fc.integer({ min: 1, max: 31 }), { minLength: 1, maxLength: 9 });

const crons = fc
  .tuple(
    timeField(59),
    fc.oneof(timeField(23), rangeOf(4)),
    dayField(days.map((values) => ({ text: values.join(), values, isWild: false }))),
    dayField(rangeOf(6)),
  )
  .map(([minute, hour, day, weekday]) => ({
    text: `${minute.text} ${hour.text} ${day.text} * ${weekday.text}`,
    plain: {
      minute: minute.values,
      hour: hour.values,
      day: day.values,
      weekday: weekday.values,
      isWild: minute.isWild || hour.isWild,
    } satisfies PlainCron,
  }));

describe('the times of an expression are those that a look at every minute finds', () => {
  test.each(DAYS)('in %s around %s', (zone, day) => {
    const noon = Date.parse(`${day}T12:00Z`);
    const [from, to] = [noon - DAY, noon + DAY];
    const minutes = minutesOf(zone, from, to);
    fc.assert(
      fc.property(crons, fc.integer({ min: from, max: to }), ({ text, plain }, start) => {
        const expected = scan(plain, minutes).filter((at) => at > from);
        const cron = new CronTimes(text, zone);
        const later = expected.filter((at) => at > start).slice(0, COUNT);
        const found: number[] = [];
        for (let at = cron.after(start); at !== null && at <= to && found.length < COUNT; at = cron.after(at)) found.push(at);
        expect(found.map(iso)).toEqual(later.map(iso));
        const before = cron.upTo(start, COUNT).filter((at) => at > from);
        expect(before.map(iso)).toEqual(
          expected
            .filter((at) => at <= start)
            .slice(-COUNT)
            .map(iso),
        );
      }),
      { numRuns: 20 },
    );
  });
});

const iso = (at: number): string => new Date(at).toISOString();

describe('when the clocks change', () => {
  const timesOf = (cron: string, zone: string, from: string, count: number): string[] => {
    const times = new CronTimes(cron, zone);
    const found: string[] = [];
    for (let at = times.after(Date.parse(from)); at !== null && found.length < count; at = times.after(at))
      found.push(iso(at).slice(0, 16));
    return found;
  };

  test.each([
    ['a time in the gap comes right after it', '30 2 * * *', '2026-03-28T12:00Z', ['2026-03-29T01:00', '2026-03-30T00:30']],
    ['several times in the gap are one', '0,30 2 * * *', '2026-03-28T12:00Z', ['2026-03-29T01:00', '2026-03-30T00:00']],
    ['a time of the repeated hour comes at its first pass', '30 2 * * *', '2026-10-24T12:00Z', ['2026-10-25T00:30', '2026-10-26T01:30']],
    [
      'every half hour goes on through both passes',
      '*/30 * * * *',
      '2026-10-25T00:00Z',
      ['2026-10-25T00:30', '2026-10-25T01:00', '2026-10-25T01:30'],
    ],
    [
      'every half hour of an hour that is skipped does not come',
      '*/30 2 * * *',
      '2026-03-28T12:00Z',
      ['2026-03-30T00:00', '2026-03-30T00:30'],
    ],
  ])('%s', (_rule, cron, from, expected) => {
    expect(timesOf(cron, 'Europe/Berlin', from, expected.length)).toEqual(expected);
  });
});

describe('an expression', () => {
  test.each([
    '* * * * *',
    '0 2 * * MON-FRI',
    '@daily',
    '@hourly',
    '0 0 L * *',
    '0 0 29 2 *',
    '0 9 * * mon#1',
    '0 9 15W * *',
    ' 5  4 * * *',
    '0 0 * * 7',
  ])('"%s" is valid', (cron) => {
    expect(cronFault(cron)).toBeNull();
  });

  test.each([
    ['', /has 0 fields; write five fields/],
    ['* * * *', /has 4 fields/],
    ['0 * * * * *', /has 6 fields: seconds and years are not supported/],
    ['0 * * * * * 2027', /has 7 fields/],
    ['60 * * * *', /"60" is not valid as minute: write 0 to 59/],
    ['* 24 * * *', /"24" is not valid as hour: write 0 to 23/],
    ['* * 0 * *', /"0" is not valid as day of the month: write 1 to 31/],
    ['* * * 13 *', /"13" is not valid as month/],
    ['* * * * 8', /"8" is not valid as day of the week/],
    ['* * * * MON#6', /"MON#6" is not valid as day of the week/],
    ['*/0 * * * *', /"\*\/0" is not valid as minute/],
    ['5/5 * * * *', /"5\/5" is not valid as minute/],
    ['9-5 * * * *', /"9-5" is not valid as minute/],
    ['1e1 * * * *', /"1e1" is not valid as minute/],
    ['٣ * * * *', /is not valid as minute/],
    ['0\t0 * * *', /has 4 fields/],
    ['0 0 30 2 *', /never comes/],
    ['0 0 31 4,6,9,11 *', /never comes/],
    ['@reboot', /"@reboot" is not known; known are @hourly/],
    ['@every 5m', /is not known/],
    ['2026-01-01T00:00:00', /has 1 fields/],
    ['1,'.repeat(200), /has more than 128 characters/],
  ])('"%s" is refused', (cron, fault) => {
    expect(cronFault(cron)).toMatch(fault);
  });
});

describe('a time zone', () => {
  test.each(['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])('"%s" is valid', (zone) => {
    expect(timeZoneFault(zone)).toBeNull();
  });

  test.each(['', 'Mars/Olympus', '+02:00', 'GMT+1', 'local', 'Europe/Berlin ', '../etc/passwd'])('"%s" is refused', (zone) => {
    expect(timeZoneFault(zone)).toContain(`"${zone}" is not a time zone; write an IANA name`);
  });

  test('that is misspelt gets a suggestion', () => {
    expect(timeZoneFault('Europe/Berln')).toContain('did you mean "Europe/Berlin"?');
  });
});
