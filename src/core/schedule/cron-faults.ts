// Finds faults of a cron expression and of a time zone, and says what would be right.

import { similarNames } from '../values/similar-names.ts';
import { CronTimes } from './cron-times.ts';

const FIELDS = [
  { name: 'minute', rule: '0 to 59, as "*", "0", "*/15" or "0,30"' },
  { name: 'hour', rule: '0 to 23, as "*", "2", "8-18" or "*/6"' },
  { name: 'day of the month', rule: '1 to 31 or "L", the last day' },
  { name: 'month', rule: '1 to 12 or "JAN" to "DEC"' },
  { name: 'day of the week', rule: '0 (Sunday) to 7 or "SUN" to "SAT", as "MON-FRI" or "MON#1"' },
] as const;

const NICKNAMES = ['@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually'];
const FORM = 'write five fields, minute, hour, day of the month, month and day of the week, as "30 2 * * *"';
const MAX_LENGTH = 128;
/** A fixed start, so that the same expression always has the same fault. */
const ANY_TIME = Date.UTC(2000, 0);

/** Returns what is wrong with the expression, or null. */
export function cronFault(cron: string): string | null {
  if (cron.length > MAX_LENGTH) return `has more than ${MAX_LENGTH} characters; ${FORM}`;
  const fields = cron.split(' ').filter((field) => field !== '');
  if (fields[0]?.startsWith('@') === true) return nicknameFault(cron);
  if (fields.length === 6 || fields.length === 7) return `has ${fields.length} fields: seconds and years are not supported; ${FORM}`;
  if (fields.length !== FIELDS.length) return `has ${fields.length} fields; ${FORM}, or one of ${NICKNAMES.join(', ')}`;
  for (const [index, { name, rule }] of FIELDS.entries()) {
    const alone = FIELDS.map((_, other) => (other === index ? fields[index] : '*')).join(' ');
    if (!isReadable(alone)) return `"${fields[index]}" is not valid as ${name}: write ${rule}`;
  }
  if (!isReadable(cron)) return `"${cron}" cannot be read; ${FORM}`;
  return new CronTimes(cron, 'UTC').after(ANY_TIME) === null ? `"${cron}" never comes: no such day exists` : null;
}

function nicknameFault(cron: string): string | null {
  return NICKNAMES.includes(cron) ? null : `"${cron}" is not known; known are ${NICKNAMES.join(', ')}, or ${FORM}`;
}

function isReadable(cron: string): boolean {
  try {
    return new CronTimes(cron, 'UTC') !== null;
  } catch {
    return false;
  }
}

/** Returns what is wrong with the name of a time zone, or null. */
export function timeZoneFault(timeZone: string): string | null {
  if (isTimeZone(timeZone)) return null;
  const near = similarNames(timeZone, Intl.supportedValuesOf('timeZone'));
  const meant = near.length === 0 ? '' : `; did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`;
  return `"${timeZone}" is not a time zone; write an IANA name, as "Europe/Berlin" or "UTC"${meant}`;
}

/** Newer versions of Node also accept offsets, which have no name. */
function isTimeZone(timeZone: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(timeZone)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}
