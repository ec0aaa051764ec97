// The key of a client, for everything that is counted or blocked by client: the address, and for IPv6 its /64, which is the
// smallest network that one customer gets.

import ipaddr from 'ipaddr.js';

/** A trusted proxy may report anything as an address. */
const MAX_LENGTH = 64;

/** `203.0.113.9`, `2001:db8:0:1::/64`; other text is its own key. */
export function clientKeyOf(address: string): string {
  if (!address.includes(':') || !ipaddr.isValid(address)) return address.slice(0, MAX_LENGTH);
  // An IPv4-mapped address becomes the IPv4 address.
  const parsed = ipaddr.process(address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString();
  const [a = 0, b = 0, c = 0, d = 0] = parsed.parts;
  return `${new ipaddr.IPv6([a, b, c, d, 0, 0, 0, 0]).toRFC5952String()}/64`;
}
