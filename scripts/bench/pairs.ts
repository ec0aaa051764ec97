// Against another checkout. Two processes of the same program differ by up to a seventh for as long as they run, so the
// rounds are spread over several pairs of processes.

import type { Bench, Target } from './bench.ts';
import { withCleanups } from './cleanups.ts';
import type { LoadGenerator } from './load/load.ts';
import { type Comparison, type Contender, type Round, runRounds, summarize, warmUp } from './rounds.ts';
import { fixed } from './table.ts';

/** Of the rate of the other checkout: a change costs at most so much. */
const FLOOR = 0.97;

/** Starts the server of a checkout, or of this one. */
export type StartContender = (bench: Bench, checkout?: string) => Promise<Contender>;

export async function comparePairs(
  bench: Bench,
  generator: LoadGenerator,
  start: StartContender,
  { checkout, connectionCounts }: { checkout: string; connectionCounts: number[] },
): Promise<Comparison[]> {
  const measured = connectionCounts.map((connections) => ({ connections, rounds: [] as Round[] }));
  for (let pair = 0; pair < bench.options.pairs; pair += 1)
    await withCleanups(async (onEnd) => {
      const benchOfPair = { ...bench, onEnd };
      const contenders: [Contender, Contender] = [await start(benchOfPair), await start(benchOfPair, checkout)];
      await warmUp(bench, generator, contenders);
      for (const { connections, rounds } of measured) rounds.push(...(await runRounds(bench, generator, contenders, connections)));
      for (const contender of contenders) await contender.verify?.();
    });
  return measured.map(({ connections, rounds }) => summarize(connections, rounds));
}

export function checkoutTarget(subject: string, { connections, ratio }: Comparison): Target {
  return {
    name: `${subject} against the other checkout, ${counted(connections)}`,
    wanted: `at least ${fixed(FLOOR)}`,
    figure: fixed(ratio),
    isMet: ratio >= FLOOR,
  };
}

export function counted(connections: number): string {
  return `${connections} connection${connections === 1 ? '' : 's'}`;
}
