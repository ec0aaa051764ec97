// How addresses and CIDRs of settings are read: in one spelling, and none that means nothing when something is sent.

import { expect, test } from 'vitest';
import { formatAddressRange, parseAddressRange } from '../../src/address-range.ts';
import { parseOutboundAllow } from '../../src/config/config-values.ts';
import { createAddressPolicy } from '../../src/delivery/address-policy.ts';

test.each([
  ['127.0.0.1', '127.0.0.1/32'],
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['::1', '::1/128'],
  ['FD00:0::/8', 'fd00::/8'],
  ['::1.2.3.4', '::102:304/128'],
  ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
  ['::ffff:a00:1', '10.0.0.1/32'],
  ['0:0:0:0:0:ffff:10.0.0.1', '10.0.0.1/32'],
  ['::ffff:10.0.0.0/95', '::ffff:a00:0/95'],
  ['64:ff9b::10.0.0.1', '64:ff9b::a00:1/128'],
])('%s is read as %s', (text, range) => {
  expect(formatAddressRange(parseAddressRange(text) ?? { address: 'none', prefix: 0 })).toBe(range);
});

const NONE = [
  ...['', '10', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0.0 /8', '0x0a.0.0.0/8', '010.0.0.1'],
  ...['::/129', '::ffff:10.0.0.0/129', '::ffff:01.2.3.4', '1::2::3', '[::1]', '::1/', 'example.org', '127.0.0.1:80'],
  ...['fe80::1%eth0', 'fe80::1%eth0/64', 'fe80::%25eth0/10', 'fe80::1%', '10.0.0.0/255.0.0.0'],
];

test.each(NONE)('%j is none', (text) => {
  expect(parseAddressRange(text)).toBeNull();
});

test.each(NONE)('whatever may be sent to is known at the start: %j is refused there', (text) => {
  if (text !== '') expect(() => parseOutboundAllow(`127.0.0.1,${text}`)).toThrow(/is neither$|has a zone; write "[0-9a-f:/]+"$/);
});

test.each(['10.0.0.0/8', '::ffff:10.0.0.0/104', '::ffff:10.0.0.0/100', '0:0:0:0:0:FFFF:A00:0/104', '10.9.9.9/8'])(
  'whatever is taken at the start counts when something is sent: %s',
  (text) => {
    expect(createAddressPolicy(parseOutboundAllow(text)).refuses('10.1.2.3')).toBeNull();
  },
);
