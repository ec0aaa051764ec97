// Parses the text of settings, one function per kind. Each throws an Error that names the correct form.

import { type AddressRange, formatAddressRange, parseAddressRange } from '../address-range.ts';
import { parseUrl } from '../parse-url.ts';

export interface Retention {
  /** Ended runs older than this are removed; null keeps them. */
  maxAgeMs: number | null;
  /** Above this size on disk the oldest ended runs are removed; null sets no bound. */
  maxBytes: number | null;
}

export function nonEmpty(text: string): string {
  if (text === '') throw new Error('must not be empty');
  return text;
}

export function parseHost(text: string): string {
  if (!/^[A-Za-z0-9.:_-]+$/.test(text)) throw new Error('must be a host name or an IP address, such as 127.0.0.1');
  return text;
}

export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) throw new Error(`must be a whole number from ${min} to ${max}`);
    return value;
  };
}

export function oneOf<Value extends string>(values: readonly Value[]): (text: string) => Value {
  return (text) => {
    if (!(values as readonly string[]).includes(text)) throw new Error(`must be one of ${values.join(', ')}`);
    return text as Value;
  };
}

export function parseBaseUrl(text: string): string | null {
  if (text === '') return null;
  const url = parseUrl(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username + url.password !== '') {
    throw new Error('must be an http or https URL without a query, such as https://hooks.example.org');
  }
  return url.href.replace(/\/$/, '');
}

export function parseAdminToken(text: string): string | null {
  if (text === '') return null;
  if (!/^[\x21-\x7e]{16,1024}$/.test(text)) throw new Error('must be 16 to 1024 visible ASCII characters without spaces');
  return text;
}

export function parseTrustProxy(text: string): boolean | string[] {
  if (text === 'false' || text === '') return false;
  if (text === 'true') return true;
  return rangesOf(text, 'must be "true", "false", or addresses and CIDRs').map((range) => {
    if (range.prefix === 0) throw new Error(`must be "true" to trust every address; "${formatAddressRange(range)}" means the same`);
    return formatAddressRange(range);
  });
}

export function parseOutboundAllow(text: string): readonly AddressRange[] {
  return rangesOf(text, 'must be addresses and CIDRs, such as 10.0.0.0/8,127.0.0.1');
}

export function parseSecretsAllow(text: string): readonly string[] {
  const names = listOf(text);
  const wrong = names.find((name) => !/^[A-Za-z_][A-Za-z0-9_]*\*?$/.test(name));
  if (wrong !== undefined) throw new Error(`must be names of environment variables, such as CRM_TOKEN,SLACK_*; "${wrong}" is not one`);
  return names;
}

export function parseSecretKey(text: string): string | null {
  if (text === '') return null;
  if (text.length < 32) throw new Error('must be at least 32 characters; create one with "openssl rand -hex 32"');
  return text;
}

const listOf = (text: string): string[] => (text.trim() === '' ? [] : text.split(',').map((item) => item.trim()));

/** `expected` starts the error message about an invalid item. */
function rangesOf(text: string, expected: string): AddressRange[] {
  return listOf(text).map((item) => {
    const range = parseAddressRange(item);
    if (range !== null) return range;
    const unzoned = item.replace(/%[^/]*/, '');
    const reason = unzoned !== item && parseAddressRange(unzoned) !== null ? `has a zone; write "${unzoned}"` : 'is neither';
    throw new Error(`${expected}; "${item}" ${reason}`);
  });
}

const BYTE_UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 };
const TIME_UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

export function parseBytes(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,9})(B|KB|MB|GB|TB)?$/.exec(text) ?? [];
  if (digits === undefined) throw new Error('must be a size, such as 128MB');
  return Number(digits) * (BYTE_UNITS[unit] as number);
}

export function parseRetention(text: string): Retention {
  const retention: Retention = { maxAgeMs: null, maxBytes: null };
  if (text === 'off') return retention;
  for (const part of text.split(',').map((item) => item.trim())) {
    const [, digits, unit = ''] = /^(\d{1,6})([mhd])$/.exec(part) ?? [];
    const isAge = digits !== undefined && Number(digits) > 0 && retention.maxAgeMs === null;
    const isSize = /^\d+(?:KB|MB|GB|TB)$/.test(part) && retention.maxBytes === null;
    if (isAge) retention.maxAgeMs = Number(digits) * (TIME_UNITS[unit] as number);
    else if (isSize) retention.maxBytes = parseBytes(part);
    else throw new Error('must be an age, a size or both, such as 30d,10GB, or "off"');
  }
  return retention;
}
