// Races of two owners for the storage contract: both act at once, many times, and either may begin.
// RACE_ROUNDS chooses how many times.

import type { Owners, Workbench } from '../workbench.ts';

const ROUNDS = Number(process.env['RACE_ROUNDS'] ?? 20);

/** `act` is called with the owners in both orders, and has the first one begin. */
export async function race(
  { one, other }: Owners,
  act: (first: Workbench, second: Workbench, round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round % 2 === 0) await act(one(), other(), round);
    else await act(other(), one(), round);
  }
}
