// The one reading of IP addresses and CIDRs: what a setting takes at the start means the same when something is sent.

import { isIP } from 'node:net';

/** Addresses that share their first bits. */
export interface AddressRange {
  /** As `canonicalAddress` spells it. */
  address: string;
  /** 0 to 32 for IPv4, 0 to 128 for IPv6. */
  prefix: number;
}

/**
 * The address in one spelling: IPv4 as four decimal numbers, IPv6 as RFC 5952 writes it, without dots, and an IPv4-mapped
 * one (`::ffff:0:0/96`) as the IPv4 address that it stands for. Null where it is none, or has a zone: which interface a
 * zone (`%eth0`) means is not known before the connection.
 */
export function canonicalAddress(text: string): string | null {
  const family = isIP(text);
  if (family === 0 || text.includes('%')) return null;
  if (family === 4) return text;
  // The host of a URL is written in the canonical form (URL Standard, 3.5).
  const address = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address) ?? [];
  return high === undefined || low === undefined ? address : [high, low].flatMap(bytesOf).join('.');
}

/** `127.0.0.1` is the range of this one address; null where the text is neither an address nor a CIDR. */
export function parseAddressRange(text: string): AddressRange | null {
  const [, given = '', prefixText] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = canonicalAddress(given);
  if (address === null) return null;
  const givenBits = given.includes(':') ? 128 : 32;
  const prefix = prefixText === undefined ? givenBits : Number(prefixText);
  if (prefix > givenBits) return null;
  const bits = address.includes(':') ? 128 : 32;
  if (bits === givenBits) return { address, prefix };
  // Fewer than the 96 bits before an IPv4-mapped address make a range of IPv6 that it begins.
  return prefix >= 96 ? { address, prefix: prefix - 96 } : { address: mapped(address), prefix };
}

/** `10.0.0.0/8`. */
export function formatAddressRange({ address, prefix }: AddressRange): string {
  return `${address}/${prefix}`;
}

function bytesOf(group: string): number[] {
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 255];
}

function mapped(address: string): string {
  return new URL(`http://[::ffff:${address}]`).hostname.slice(1, -1);
}
