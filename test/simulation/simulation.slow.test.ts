// Simulated histories of two servers on one storage: a fixed few hundred without a violation, each of which can be played
// again, and faults built in on purpose, each of which is found.

import { describe, expect, test } from 'vitest';
import { BREAKS, type Break } from '../../scripts/simulate/breaks.ts';
import { type History, playHistory } from '../../scripts/simulate/history.ts';

const HISTORIES = 200;
const MAX_SEARCHED = 1000;

async function findViolation(broken: Break): Promise<History | null> {
  for (let seed = 1; seed <= MAX_SEARCHED; seed += 1) {
    const history = await playHistory(seed, { broken });
    if (history.violation !== null) return history;
  }
  return null;
}

test('no history violates an invariant', async () => {
  const violated: Pick<History, 'seed' | 'violation'>[] = [];
  for (let seed = 1; seed <= HISTORIES; seed += 1) {
    const { violation } = await playHistory(seed);
    if (violation !== null) violated.push({ seed, violation });
  }
  expect(violated).toEqual([]);
});

test('a seed determines its history, and another seed gives another one', async () => {
  const seeds = Array.from({ length: 10 }, (_, index) => 5000 + index);
  const hashes: string[] = [];
  for (const seed of seeds) hashes.push((await playHistory(seed)).hash);
  for (const [index, seed] of seeds.entries()) {
    const again = await playHistory(seed, { isTraced: true });
    expect(again.hash).toBe(hashes[index]);
    expect(again.lines?.length).toBeGreaterThan(50);
  }
  expect(new Set(hashes).size).toBe(seeds.length);
});

test('a history leaves the timers, clocks and randomness of the process as they were', async () => {
  const timers = () => [setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate];
  const all = () => [...timers(), Date.now, performance.now, Math.random];
  const before = all();
  await playHistory(1);
  expect(all()).toEqual(before);
});

describe('a fault that is built in on purpose is found, and its seed finds it again', () => {
  /** What each fault breaks first. The turn of a stale lease may also make a leased run due, which another server then claims. */
  const INVARIANTS: Record<Break, string | string[]> = {
    'lease-check': 'no lease held by two',
    'lost-wake-up': 'every run ends',
    'forgotten-fence': ['no turn under a stale lease', 'no lease held by two'],
    'lost-place': 'flow control: max_concurrent',
    'lost-request': 'flow control: every request is in one batch',
    'lost-cooldown': 'flow control: cooldown',
    'lost-item': 'every run ends',
    'skipped-re-read': 'every watcher learns of the end',
  };

  for (const broken of Object.keys(BREAKS) as Break[]) {
    test(broken, async () => {
      const found = await findViolation(broken);
      expect([INVARIANTS[broken]].flat()).toContain(found?.violation?.invariant);
      const { seed, hash, violation } = found as History;
      expect(await playHistory(seed, { broken })).toMatchObject({ hash, violation });
      expect((await playHistory(seed)).violation).toBeNull();
    });
  }
});
