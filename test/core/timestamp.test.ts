// Timestamps: read from ISO 8601 and written again as Python's datetime does.

import { expect, test } from 'vitest';
import { stringifyJson } from '../../src/core/json/json.ts';
import { isEqual } from '../../src/core/python/equality.ts';
import { isOrdered } from '../../src/core/python/ordering.ts';
import { parseTimestamp, Timestamp } from '../../src/core/values/timestamp.ts';

test.each([
  ['2024-08-21', '2024-08-21T00:00:00'],
  ['2024-08-21 11:13', '2024-08-21T11:13:00'],
  ['2024-08-21T11:13:44.313999', '2024-08-21T11:13:44.313999'],
  ['2024-08-21T11:13:44.1Z', '2024-08-21T11:13:44.100000+00:00'],
  ['2024-08-21T11:13:44.1234567', '2024-08-21T11:13:44.123456'],
  ['2024-08-21T11:13:44-0930', '2024-08-21T11:13:44-09:30'],
  ['1969-12-31T23:59:59.999999', '1969-12-31T23:59:59.999999'],
  ['0001-01-01T00:00:00', '0001-01-01T00:00:00'],
])('%s is %s', (text, expected) => {
  expect(parseTimestamp(text)?.isoFormat()).toBe(expected);
});

test.each([
  '',
  '2024-02-30',
  '2024-13-01',
  '2024-01-01T24:00',
  '2024-01-01T00:60',
  '0000-01-01',
  'now',
  '2024-01-01T00:00:00X',
  '20240101',
])('%j is no timestamp', (text) => {
  expect(parseTimestamp(text)).toBeNull();
});

test('two clocks that show the same instant are equal, and one without a zone equals neither', () => {
  const [utc, east, naive] = ['2024-01-01T10:00:00Z', '2024-01-01T12:00:00+02:00', '2024-01-01T10:00:00'].map((text) =>
    parseTimestamp(text),
  );
  expect(isEqual(utc, east)).toBe(true);
  expect(isEqual(utc, naive)).toBe(false);
  expect(isOrdered(utc, '<=', east)).toBe(true);
  expect(() => isOrdered(utc, '<', naive)).toThrow("can't compare offset-naive and offset-aware datetimes");
});

test('the time of a clock is in UTC', () => {
  expect(Timestamp.ofEpoch(1_700_000_000_123).isoFormat()).toBe('2023-11-14T22:13:20.123000+00:00');
});

test('nobody writes one as JSON by accident', () => {
  expect(() => stringifyJson({ at: parseTimestamp('2024-01-01') })).toThrow('a timestamp has no JSON form');
});
