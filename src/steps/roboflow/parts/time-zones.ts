// The time zones of Roboflow's current_time, and the local time in them.

import { Timestamp } from '../../../core/values/timestamp.ts';

export const TIME_ZONES = [
  'Etc/GMT+12',
  'Pacific/Pago_Pago',
  'Pacific/Honolulu',
  'Pacific/Marquesas',
  'America/Anchorage',
  'Pacific/Gambier',
  'America/Los_Angeles',
  'America/Denver',
  'America/Phoenix',
  'America/Chicago',
  'America/Mexico_City',
  'America/New_York',
  'America/Bogota',
  'America/Halifax',
  'America/Puerto_Rico',
  'America/St_Johns',
  'America/Sao_Paulo',
  'Atlantic/South_Georgia',
  'Atlantic/Azores',
  'Atlantic/Cape_Verde',
  'UTC',
  'Europe/London',
  'Europe/Berlin',
  'Africa/Lagos',
  'Europe/Kyiv',
  'Africa/Cairo',
  'Africa/Johannesburg',
  'Europe/Moscow',
  'Europe/Istanbul',
  'Africa/Nairobi',
  'Asia/Tehran',
  'Asia/Dubai',
  'Asia/Kabul',
  'Asia/Karachi',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Dhaka',
  'Asia/Yangon',
  'Asia/Bangkok',
  'Asia/Shanghai',
  'Australia/Eucla',
  'Asia/Tokyo',
  'Australia/Darwin',
  'Australia/Adelaide',
  'Australia/Sydney',
  'Pacific/Port_Moresby',
  'Australia/Lord_Howe',
  'Pacific/Guadalcanal',
  'Pacific/Norfolk',
  'Pacific/Fiji',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Pacific/Tongatapu',
  'Pacific/Apia',
  'Pacific/Kiritimati',
] as const;
export type TimeZone = (typeof TIME_ZONES)[number];

export function isTimeZone(name: unknown): name is TimeZone {
  return (TIME_ZONES as readonly unknown[]).includes(name);
}

/** Returns the local time in the zone. */
export function timeIn(zone: TimeZone, ms: number): Timestamp {
  const offsetSeconds = offsetOf(zone, ms);
  return new Timestamp(BigInt(Math.trunc(ms) + offsetSeconds * 1000) * 1000n, offsetSeconds);
}

/** Parsed from Intl's `GMT+05:45`; plain `GMT` is an offset of 0. */
function offsetOf(zone: TimeZone, ms: number): number {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(ms);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours, minutes] = /^GMT([+-])(\d\d):(\d\d)$/.exec(name) ?? [];
  const size = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60;
  return sign === '-' ? -size : size;
}
