// A list of addresses and CIDRs that clients are looked up in.

import { BlockList } from 'node:net';
import { type AddressRange, canonicalAddress, parseAddressRange } from '../../address-range.ts';

export class AddressList {
  readonly #list = new BlockList();

  /** `ranges` must be valid. */
  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const { address, prefix } = parseAddressRange(range) as AddressRange;
      this.#list.addSubnet(address, prefix, familyOf(address));
    }
  }

  /** False for text that is no address. */
  has(clientIp: string): boolean {
    const address = canonicalAddress(clientIp);
    return address !== null && this.#list.check(address, familyOf(address));
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}
