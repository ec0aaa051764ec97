// Which addresses may be sent to: public unicast ones, and those that the operator named. Names are not looked at here,
// only what they resolve to.

import ipaddr from 'ipaddr.js';

export interface AddressPolicy {
  /** Null: it may be sent to. Else one line of reason, which names the address and the setting. */
  refuses(address: string): string | null;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

/** `allowed` holds addresses and CIDRs that `parseCidr` knows. */
export function createAddressPolicy(allowed: readonly string[]): AddressPolicy {
  const ranges = allowed.map((text) => {
    const range = readRange(text);
    if (range === null) throw new Error(`${text} is neither an address nor a CIDR`);
    return range;
  });
  return {
    refuses(text) {
      const address = readAddress(text);
      if (address === null) return `"${text}" is no address`;
      const kind = specialKind(address);
      if (kind === null || ranges.some((range) => isWithin(address, range))) return null;
      return `${text} is not a public address (${kind}), and SLUICE_OUTBOUND_ALLOW does not name it`;
    },
  };
}

/** The text as a CIDR (`127.0.0.1` as `127.0.0.1/32`), or null when it is neither an address nor a CIDR. */
export function parseCidr(text: string): string | null {
  const range = readRange(text);
  return range === null ? null : `${range[0].toString()}/${range[1]}`;
}

function readRange(text: string): Range | null {
  const [, addressText = '', prefixText] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parse(addressText);
  if (address === null) return null;
  const bits = address.kind() === 'ipv4' ? 32 : 128;
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  if (prefix > bits) return null;
  const isMapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && prefix >= 96;
  return isMapped ? [address.toIPv4Address(), prefix - 96] : [address, prefix];
}

/** Without the zone of a link-local address, and with an IPv4 address inside `::ffff:0:0/96` taken out. */
function readAddress(text: string): Address | null {
  const address = parse(text.replace(/%.*$/, ''));
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function parse(text: string): Address | null {
  if (!text.includes(':')) return ipaddr.IPv4.isValidFourPartDecimal(text) ? ipaddr.IPv4.parse(text) : null;
  // The parser takes `::1.2.3.4`, which is IPv4-compatible and leads nowhere, for the IPv4-mapped `::ffff:1.2.3.4`.
  const plain = /^::\d+\.\d+\.\d+\.\d+$/.test(text) ? `0:0:0:0:0:0:${text.slice(2)}` : text;
  return ipaddr.IPv6.isValid(plain) ? ipaddr.IPv6.parse(plain) : null;
}

function isWithin(address: Address, [network, prefix]: Range): boolean {
  return address.kind() === network.kind() && address.match(network, prefix);
}

/** IPv6 addresses that are given out at all; each NAT64, IPv4-compatible or SRv6 address lies outside. */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];
/** The host's agent of Azure, which answers in every virtual network: public by its number alone. */
const AZURE_AGENT = '168.63.129.16';

/** What the address is when it is no public unicast one, in words; null when it is. */
function specialKind(address: Address): string | null {
  const range = address.range();
  if (range !== 'unicast') return range.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  if (address instanceof ipaddr.IPv6 && !address.match(GLOBAL_UNICAST)) return 'reserved';
  return address.toString() === AZURE_AGENT ? 'cloud metadata' : null;
}
