// The addresses that messages may be sent to: public unicast addresses, and those that the operator allows. The policy
// checks addresses, never names.

import ipaddr from 'ipaddr.js';
import { type AddressRange, canonicalAddress } from '../address-range.ts';

export interface AddressPolicy {
  /** Null when the address is allowed; otherwise one line that names the address and the setting. */
  refuses(address: string): string | null;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

export function createAddressPolicy(allowed: readonly AddressRange[]): AddressPolicy {
  const ranges = allowed.map(({ address, prefix }): [Address, number] => [ipaddr.parse(address), prefix]);
  return {
    refuses(text) {
      // The zone of a link-local address names an interface, which the policy ignores.
      const canonical = canonicalAddress(text.replace(/%.*$/, ''));
      if (canonical === null) return `"${text}" is not an address`;
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

/** The allocated IPv6 addresses. NAT64, IPv4-compatible and SRv6 addresses lie outside. */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];
/** Azure's host agent, which answers in every virtual network although its address is a public one. */
const AZURE_AGENT = '168.63.129.16';

/** The kind of an address that is not public unicast, in words; null for public unicast. */
function specialKind(address: Address): string | null {
  const range = address.range();
  if (range !== 'unicast') return range.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  if (address instanceof ipaddr.IPv6 && !address.match(GLOBAL_UNICAST)) return 'reserved';
  return address.toString() === AZURE_AGENT ? 'cloud metadata' : null;
}
