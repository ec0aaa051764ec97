// The buckets of rate limits: exact by the clock, and bounded whatever addresses come.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientKeyOf } from '../../src/http/limits/client-key.ts';
import { BucketPool } from '../../src/http/limits/token-buckets.ts';

const buckets = (perSecond: number, burst: number, maxBuckets?: number) => {
  const time = { now: 1_767_225_600_000 };
  const pool = new BucketPool(() => time.now, maxBuckets);
  return { time, pool, of: pool.add({ perSecond, burst }) };
};

describe('a bucket', () => {
  test('has its burst at once, then its rate, and names the second of the next token', () => {
    const { time, of } = buckets(5, 3);
    expect([1, 2, 3, 4].map(() => of.take('a'))).toEqual([0, 0, 0, 1]);
    expect(of.left('a')).toEqual({ tokens: 0, fullInSeconds: 1 });
    expect(of.take('b')).toBe(0);
    time.now += 200;
    expect([of.take('a'), of.take('a')]).toEqual([0, 1]);
    time.now += 3_600_000;
    expect(of.left('a')).toEqual({ tokens: 3, fullInSeconds: 0 });
  });

  test('of a slow rate says how long it takes, and a clock that is set back makes nobody wait longer', () => {
    const { time, of } = buckets(0.01, 1);
    expect([of.take('a'), of.take('a')]).toEqual([0, 100]);
    time.now -= 86_400_000;
    expect(of.wait('a')).toBe(100);
  });

  test('never lets more pass than burst and rate, for any rate and any arrivals', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 500, noNaN: true }),
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 }),
        (perSecond, burst, gaps) => {
          const { time, of } = buckets(perSecond, burst);
          const began = time.now;
          let passed = 0;
          for (const gap of gaps) {
            time.now += gap;
            if (of.wait('a') === 0) passed += of.take('a') === 0 ? 1 : Number.NaN;
            expect(passed).toBeLessThanOrEqual(burst + ((time.now - began) / 1000) * perSecond + 1e-3);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a hundred thousand addresses', () => {
  test('fill no memory, push out no bucket that is empty, and take nobody a token', () => {
    const { time, pool, of } = buckets(5, 20);
    const passed = { strangers: 0, good: 0, offender: 0 };
    const count = (name: keyof typeof passed, key: string = name) => {
      if (of.take(key) === 0) passed[name] += 1;
    };
    for (let client = 0; client < 100_000; client += 1) {
      count('strangers', `2001:db8:${client.toString(16)}::/64`);
      if (client % 5000 === 0) count('good');
      if (client % 100 === 0) time.now += 1;
      if (client % 500 === 0) count('offender');
    }
    // In one second.
    expect(passed).toEqual({ strangers: 100_000, good: 20, offender: 24 });
    expect(pool.size).toBeLessThanOrEqual(20_000);
    expect(of.size).toBe(pool.size);
  });

  test('share one bound over all sinks, whose buckets are counted by the share that is used', () => {
    const { pool, of: slow } = buckets(0.01, 100, 1000);
    const fast = pool.add({ perSecond: 100, burst: 2 });
    fast.take('offender');
    fast.take('offender');
    for (let client = 0; client < 5000; client += 1) slow.take(`192.0.2.${client}`);
    expect(fast.wait('offender')).toBe(1);
    expect(pool.size).toBeLessThanOrEqual(1000);
    pool.remove(slow);
    expect(pool.size).toBe(1);
  });
});

test('the key of a client is its address, the /64 of an IPv6 address, and never long', () => {
  const cases: [string, string][] = [
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8:0:1:aaaa::1', '2001:db8:0:1::/64'],
    ['2001:DB8:0:1:bbbb:cccc:dddd:eeee', '2001:db8:0:1::/64'],
    ['2001:db8:0:2::1', '2001:db8:0:2::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['::1', '::/64'],
    ['', ''],
    ['unknown', 'unknown'],
    ['203.0.113.9:8080', '203.0.113.9:8080'],
    ['x'.repeat(10_000), 'x'.repeat(64)],
    [':'.repeat(10_000), ':'.repeat(64)],
  ];
  for (const [address, key] of cases) expect(clientKeyOf(address), address.slice(0, 80)).toBe(key);
});
