// Alternating rounds of contenders that are all kept up: what disturbs the machine disturbs all of them. The order is
// reversed on odd rounds; each figure is the median of its rounds, and each ratio the median of the rounds' ratios.

import type { Bench } from './bench.ts';
import type { LoadGenerator, LoadResult, LoadTarget } from './load/load.ts';
import { median } from './statistics.ts';

export interface Contender {
  target: LoadTarget;
  /** Requests that are on disk; null where nothing is stored. */
  countStored: (() => number) | null;
  /** Called after the last round; rejects when something that was acknowledged did not come to its end. */
  verify?: () => Promise<void>;
}

export type Figures = Omit<LoadResult, 'acknowledged' | 'verified'>;

export interface Comparison {
  connections: number;
  ours: Figures;
  baseline: Figures;
  /** Of requests a second; then the lowest and highest of single rounds. */
  ratio: number;
  ratioRange: [number, number];
  cpuRatio: number;
  /** Requests that were acknowledged, all of them found on disk, and those whose answer was read in full. */
  acknowledged: number;
  verified: number;
}

/** One of each contender: they ran one right after the other. */
export interface Round {
  ours: LoadResult;
  baseline: LoadResult;
}

export async function compare(
  bench: Bench,
  generator: LoadGenerator,
  contenders: [ours: Contender, baseline: Contender],
  connections: number,
): Promise<Comparison> {
  return summarize(connections, await runRounds(bench, generator, contenders, connections));
}

/** Rejects when any answer was wrong, or an acknowledged run is not stored. */
export async function runRounds(
  { options }: Bench,
  generator: LoadGenerator,
  contenders: [ours: Contender, baseline: Contender],
  connections: number,
): Promise<Round[]> {
  const runOne = contenders.map((contender) => () => runRound(generator, contender, connections, options));
  const [ours = [], baseline = []] = await alternate(options.rounds, runOne);
  return ours.map((result, round) => ({ ours: result, baseline: baseline[round] as LoadResult }));
}

/** Returns the results of each contender, in the order of its rounds. */
export async function alternate<Result>(count: number, contenders: (() => Promise<Result>)[]): Promise<Result[][]> {
  const results = contenders.map((runOne) => ({ runOne, ofRounds: [] as Result[] }));
  for (let round = 0; round < count; round += 1) {
    for (const { runOne, ofRounds } of round % 2 === 0 ? results : results.toReversed()) ofRounds.push(await runOne());
  }
  return results.map(({ ofRounds }) => ofRounds);
}

/**
 * Loads each contender, uncounted, until it gets no faster: the bare handler is compiled within two seconds, a server of a
 * hundred files within ten.
 */
export async function warmUp({ options }: Bench, generator: LoadGenerator, contenders: Contender[]): Promise<void> {
  for (const contender of contenders) await runRound(generator, contender, 64, { warmupSeconds: 0, seconds: options.compileSeconds });
}

async function runRound(
  generator: LoadGenerator,
  { target, countStored }: Contender,
  connections: number,
  { warmupSeconds, seconds }: { warmupSeconds: number; seconds: number },
): Promise<LoadResult> {
  const storedBefore = countStored?.() ?? 0;
  const result = await generator.ask({ target, connections, warmupSeconds, seconds });
  const stored = (countStored?.() ?? 0) - storedBefore;
  if (countStored !== null && stored !== result.acknowledged)
    throw new Error(`${result.acknowledged} requests were acknowledged, but ${stored} are stored (port ${target.port})`);
  return result;
}

export function summarize(connections: number, rounds: Round[]): Comparison {
  const ours = rounds.map((round) => round.ours);
  const ratios = (key: keyof Figures): number[] => rounds.map((round) => round.ours[key] / round.baseline[key]);
  const rateRatios = ratios('requestsPerSecond');
  return {
    connections,
    ours: medians(ours),
    baseline: medians(rounds.map((round) => round.baseline)),
    ratio: median(rateRatios),
    ratioRange: [Math.min(...rateRatios), Math.max(...rateRatios)],
    cpuRatio: median(ratios('cpuMicrosPerRequest')),
    acknowledged: ours.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    verified: ours.reduce((sum, { verified }) => sum + verified, 0),
  };
}

function medians(results: LoadResult[]): Figures {
  const of = (key: keyof Figures): number => median(results.map((result) => result[key]));
  return {
    requestsPerSecond: of('requestsPerSecond'),
    minMs: of('minMs'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    maxMs: of('maxMs'),
    cpuMicrosPerRequest: of('cpuMicrosPerRequest'),
    generatorBusy: of('generatorBusy'),
  };
}
