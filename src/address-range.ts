// Parses IP addresses and CIDRs, for the settings at start and for deliveries alike, so that both accept the same.

import { isIP } from 'node:net';

/** Addresses with a common prefix. */
export interface AddressRange {
  /** As `canonicalAddress` spells it. */
  address: string;
  /** 0 to 32 for IPv4, 0 to 128 for IPv6. */
  prefix: number;
}

/**
 * Returns the address in canonical form: IPv4 as four decimal numbers, IPv6 by RFC 5952 without dots, and an IPv4-mapped
 * address (`::ffff:0:0/96`) as IPv4. Null when the text is not an address, or has a zone (`%eth0`), whose interface is
 * not known before the connection.
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

/** `127.0.0.1` is a range of one address. Null when the text is neither an address nor a CIDR. */
export function parseAddressRange(text: string): AddressRange | null {
  const [, addressText = '', prefixText] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = canonicalAddress(addressText);
  if (address === null) return null;
  const givenBits = addressText.includes(':') ? 128 : 32;
  const prefix = prefixText === undefined ? givenBits : Number(prefixText);
  if (prefix > givenBits) return null;
  const bits = address.includes(':') ? 128 : 32;
  if (bits === givenBits) return { address, prefix };
  // A prefix shorter than the 96 bits before the IPv4 address is a range of IPv6.
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
