// The address policy: what is public, what is not, and what the operator may allow.

import { describe, expect, test } from 'vitest';
import { parseOutboundAllow } from '../../src/config/config-values.ts';
import { createAddressPolicy } from '../../src/delivery/address-policy.ts';
import { REFUSED_ADDRESSES } from './refused-addresses.ts';

const strict = createAddressPolicy([]);

describe('without an allowance', () => {
  for (const [address, kind] of REFUSED_ADDRESSES) {
    test(`${address} is refused (${kind})`, () => {
      expect(strict.refuses(address)).toMatch(/^.+ is not a public address \([a-z0-9 ]+\), and SLUICE_OUTBOUND_ALLOW does not name it$/);
      expect(strict.refuses(address)).toContain(address);
    });
  }

  test.each(['1.1.1.1', '8.8.8.8', '172.15.255.255', '172.32.0.0', '100.63.255.255', '169.253.255.255', '11.0.0.1', '192.167.0.1'])(
    '%s is public',
    (address) => {
      expect(strict.refuses(address)).toBeNull();
    },
  );

  test.each(['2606:4700:4700::1111', '2a00:1450:4001:830::200e', '::ffff:8.8.8.8', '::ffff:808:808'])('%s is public', (address) => {
    expect(strict.refuses(address)).toBeNull();
  });

  test.each(['', 'localhost', '127.1', '0x7f.0.0.1', '0177.0.0.1', '2130706433', '1.2.3.4.5', ':::', '127.0.0.1 '])(
    '%j is not an address, which is refused too',
    (text) => {
      expect(strict.refuses(text)).toContain('is not an address');
    },
  );
});

describe('an allowance', () => {
  test('of an IPv4 range holds for its addresses, in their IPv4-mapped form too, and for no other', () => {
    const policy = createAddressPolicy(parseOutboundAllow('10.1.0.0/16,127.0.0.1'));
    expect(['10.1.2.3', '::ffff:10.1.2.3', '::ffff:a01:203', '127.0.0.1'].map((address) => policy.refuses(address))).toEqual([
      null,
      null,
      null,
      null,
    ]);
    for (const address of ['10.2.0.1', '127.0.0.2', '::10.1.2.3', '64:ff9b::a01:203', '169.254.169.254', '::1']) {
      expect(policy.refuses(address), address).toContain('SLUICE_OUTBOUND_ALLOW');
    }
  });

  test('of an IPv6 range holds for its addresses, and one of IPv4-mapped addresses is one of IPv4', () => {
    const policy = createAddressPolicy(parseOutboundAllow('fd00::/8,::ffff:192.168.0.0/112'));
    expect(['fd12::1', '192.168.77.1', '::ffff:192.168.0.1'].map((address) => policy.refuses(address))).toEqual([null, null, null]);
    expect(policy.refuses('fc00::1')).not.toBeNull();
    expect(policy.refuses('192.169.0.1')).toBeNull();
    expect(policy.refuses('10.0.0.1')).not.toBeNull();
  });

  test('of everything is possible, and has to be said of both families', () => {
    const policy = createAddressPolicy(parseOutboundAllow('0.0.0.0/0'));
    expect(policy.refuses('127.0.0.1')).toBeNull();
    expect(policy.refuses('::1')).not.toBeNull();
  });
});

test('a link-local address is what the allowance says, on whichever interface it was found', () => {
  expect(strict.refuses('fe80::1%eth0')).toMatch(/^fe80::1%eth0 is not a public address/);
  expect(createAddressPolicy(parseOutboundAllow('fe80::/10')).refuses('fe80::1%eth0')).toBeNull();
});
