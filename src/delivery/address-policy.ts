// Which addresses may be sent to: public unicast ones, and those that the operator named. Names are not looked at here,
// only what they resolve to.

import ipaddr from 'ipaddr.js';
import { type AddressRange, canonicalAddress } from '../address-range.ts';

export interface AddressPolicy {
  /** Null: it may be sent to. Else one line of reason, which names the address and the setting. */
  refuses(address: string): string | null;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

export function createAddressPolicy(allowed: readonly AddressRange[]): AddressPolicy {
  const ranges = allowed.map(({ address, prefix }): [Address, number] => [ipaddr.parse(address), prefix]);
  return {
    refuses(text) {
      // Which interface of a link-local address a zone names makes no difference to what may be sent to.
      const canonical = canonicalAddress(text.replace(/%.*$/, ''));
      if (canonical === null) return `"${text}" is no address`;
      const address = ipaddr.parse(canonical);
      const kind = specialKind(address);
      if (kind === null || ranges.some((range) => isWithin(address, range))) return null;
      return `${text} is not a public address (${kind}), and SLUICE_OUTBOUND_ALLOW does not name it`;
    },
  };
}

function isWithin(address: Address, [network, prefix]: [Address, number]): boolean {
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
