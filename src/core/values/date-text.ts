// Dates as other systems write them: RFC 3339, RFC 2822 (mail, and HTTP's preferred form), and seconds or milliseconds
// since the epoch. Reading keeps the offset that was written; writing gives UTC.

import { ExactNumber } from '../json/json.ts';
import { parseTimestamp, Timestamp } from './timestamp.ts';

export type EpochUnit = 'seconds' | 'milliseconds';

const LONGEST_DATE = 100;
const RFC3339 = /^\d{4}-\d\d-\d\d[t ]\d\d:\d\d:\d\d(?:\.\d+)?(?:z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;
/** A comment may follow, as `(UTC)`. */
const RFC2822 =
  /^(?:([a-z]{3}),[ \t]*)?(\d{1,2})[ \t]+([a-z]{3})[ \t]+(\d{4})[ \t]+(\d\d:\d\d)(:\d\d)?[ \t]+([+-]\d{4}|[a-z]{1,3})(?:[ \t]*\([^()]*\))?$/i;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const OFFSET = /^[+-](?:[01]\d|2[0-3])[0-5]\d$/;
/** The names of RFC 2822, 4.3; other names are ambiguous. */
const ZONES: Readonly<Record<string, string>> = {
  ut: '+0000',
  utc: '+0000',
  gmt: '+0000',
  z: '+0000',
  est: '-0500',
  edt: '-0400',
  cst: '-0600',
  cdt: '-0500',
  mst: '-0700',
  mdt: '-0600',
  pst: '-0800',
  pdt: '-0700',
};

/** Null for other text, and for a date that does not exist. Digits after the microseconds are dropped. */
export function parseRfc3339(text: string): Timestamp | null {
  return text.length <= LONGEST_DATE && RFC3339.test(text) ? inRange(parseTimestamp(text.toUpperCase().replace(' ', 'T'))) : null;
}

/** Null for other text, for a date that does not exist, and for a day of another weekday than named. */
export function parseRfc2822(text: string): Timestamp | null {
  const match = text.length <= LONGEST_DATE ? RFC2822.exec(text) : null;
  if (match === null) return null;
  const [, weekday, day = '', month = '', year, minutes, seconds = ':00', zone = ''] = match;
  const offset = OFFSET.test(zone) ? zone : lookUp(ZONES, zone.toLowerCase());
  const monthNumber = String(MONTHS.indexOf(month.toLowerCase()) + 1).padStart(2, '0');
  const timestamp = offset === null ? null : parseTimestamp(`${year}-${monthNumber}-${day.padStart(2, '0')}T${minutes}${seconds}${offset}`);
  if (timestamp === null || (weekday !== undefined && weekday.toLowerCase() !== weekdayOf(timestamp))) return null;
  return inRange(timestamp);
}

function lookUp(table: Readonly<Record<string, string>>, key: string): string | null {
  return Object.hasOwn(table, key) ? (table[key] as string) : null;
}

function weekdayOf({ wallMicroseconds }: Timestamp): string {
  return WEEKDAYS[new Date(Number(wallMicroseconds / 1000n)).getUTCDay()] as string;
}

const DECIMAL = /^(-?)(\d{1,15})(?:\.(\d{1,30}))?$/;
/** Digits of a second's fraction that stand for whole units, and those that remain down to microseconds. */
const FRACTION_DIGITS: Readonly<Record<EpochUnit, number>> = { seconds: 6, milliseconds: 3 };

/** A number, or its text. Null for other values, and outside of the years 1 to 9999. */
export function parseEpoch(value: unknown, unit: EpochUnit): Timestamp | null {
  const match = DECIMAL.exec(decimalText(value));
  if (match === null) return null;
  const [, sign, whole = '', fraction = ''] = match;
  const digits = FRACTION_DIGITS[unit];
  const size = BigInt(whole + fraction.slice(0, digits).padEnd(digits, '0'));
  return inRange(new Timestamp(sign === '-' ? -size : size, 0));
}

/** Empty for any other value than a number or text. */
function decimalText(value: unknown): string {
  if (typeof value === 'string') return value.length <= LONGEST_DATE ? value : '';
  if (value instanceof ExactNumber) return /e/i.test(value.text) ? String(Number(value)) : value.text;
  return typeof value === 'number' ? String(value) : '';
}

export type DateForm = 'rfc3339' | 'rfc2822' | 'http';

/** In UTC: `2021-02-26T19:13:55.749Z`, `Fri, 26 Feb 2021 19:13:55 +0000`, `Fri, 26 Feb 2021 19:13:55 GMT`. */
export function formatDate(timestamp: Timestamp, form: DateForm): string {
  const { epochMicroseconds } = timestamp;
  const second = new Date(Number(floorDivide(epochMicroseconds, MICRO)) * 1000);
  switch (form) {
    case 'rfc3339':
      return `${second.toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)}${fractionText(timestamp.microsecond)}Z`;
    case 'rfc2822':
      return second.toUTCString().replace('GMT', '+0000');
    case 'http':
      return second.toUTCString();
  }
}

/** None, milliseconds or microseconds. */
function fractionText(microsecond: number): string {
  if (microsecond === 0) return '';
  const digits = String(microsecond).padStart(6, '0');
  return `.${digits.endsWith('000') ? digits.slice(0, 3) : digits}`;
}

/** Exact: seconds have as many digits after the point as needed, milliseconds are whole and rounded down. */
export function epochOf({ epochMicroseconds }: Timestamp, unit: EpochUnit): number | ExactNumber {
  if (unit === 'milliseconds') return Number(floorDivide(epochMicroseconds, 1000n));
  const size = epochMicroseconds < 0n ? -epochMicroseconds : epochMicroseconds;
  const fraction = String(size % MICRO)
    .padStart(6, '0')
    .replace(/0+$/, '');
  const text = `${epochMicroseconds < 0n ? '-' : ''}${size / MICRO}${fraction === '' ? '' : `.${fraction}`}`;
  return String(Number(text)) === text ? Number(text) : new ExactNumber(text);
}

const MICRO = 1_000_000n;

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value < 0n && quotient * divisor !== value ? quotient - 1n : quotient;
}

/** 0001-01-01T00:00:00Z and the last microsecond of the year 9999. */
const FIRST_MICROSECOND = -62_135_596_800_000_000n;
const LAST_MICROSECOND = 253_402_300_799_999_999n;

/** Whether the timestamp is in the years 1 to 9999 of UTC: other years have no text in these forms. */
export function isInYears({ epochMicroseconds }: Timestamp): boolean {
  return epochMicroseconds >= FIRST_MICROSECOND && epochMicroseconds <= LAST_MICROSECOND;
}

function inRange(timestamp: Timestamp | null): Timestamp | null {
  return timestamp !== null && isInYears(timestamp) ? timestamp : null;
}
