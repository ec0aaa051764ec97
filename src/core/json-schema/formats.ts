// Formats of texts that are checked. Others describe the value only, as JSON Schema allows.

import { parseRfc3339 } from '../values/date-text.ts';

/** Longer texts are of no format. */
const MAX_LENGTH = 2048;

const DATE = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:z|[+-]\d\d:\d\d)$/i;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const URI = /^[a-z][a-z0-9+.-]*:[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+$/i;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
const LOCAL_PART = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i;
const OCTET = /^(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;

function isHostname(text: string): boolean {
  return text.length <= 253 && text.split('.').every((label) => LABEL.test(label));
}

function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@');
  return at > 0 && at <= 64 && LOCAL_PART.test(text.slice(0, at)) && isHostname(text.slice(at + 1));
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => OCTET.test(part));
}

function isIpv6(text: string): boolean {
  if (text.length > 45) return false;
  const lastColon = text.lastIndexOf(':');
  const hasIpv4 = text.includes('.');
  if (hasIpv4 && !isIpv4(text.slice(lastColon + 1))) return false;
  const groups = (hasIpv4 ? `${text.slice(0, lastColon + 1)}0:0` : text).split('::');
  if (groups.length > 2) return false;
  const counted = groups.flatMap((side) => (side === '' ? [] : side.split(':')));
  return counted.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) && (groups.length === 2 ? counted.length < 8 : counted.length === 8);
}

const TESTS: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) => text[10] !== ' ' && parseRfc3339(text) !== null,
  date: (text) => DATE.test(text) && parseRfc3339(`${text}T00:00:00Z`) !== null,
  time: (text) => TIME.test(text) && parseRfc3339(`2000-01-01T${text}`) !== null,
  email: isEmail,
  hostname: isHostname,
  ipv4: isIpv4,
  ipv6: isIpv6,
  uri: (text) => URI.test(text) && !/%(?![0-9a-f]{2})/i.test(text),
  uuid: (text) => UUID.test(text),
};

export const CHECKED_FORMATS: readonly string[] = Object.keys(TESTS);

/** True for a format that is not checked. */
export function isOfFormat(text: string, format: string): boolean {
  return !Object.hasOwn(TESTS, format) || (text.length <= MAX_LENGTH && (TESTS[format] as (text: string) => boolean)(text));
}
