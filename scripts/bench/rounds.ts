// Alternating rounds of contenders that are all kept up: what disturbs the machine disturbs all of them. The order is
// reversed on odd rounds; each figure is the median of its rounds, and each ratio the median of the rounds' ratios.

import type { Bench } from './bench.ts';
import type { LoadGenerator, LoadResult, LoadTarget } from './load/load.ts';
import { median } from './statistics.ts';

export interface Contender {
  target: LoadTarget;
  /** Requests that are on disk; null where nothing is stored. */
  countStored: (() => number) | null;
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

/** Rejects when any answer was wrong, or an acknowledged run is not stored. */
export async function compare(
  { options }: Bench,
  generator: LoadGenerator,
  [ours, baseline]: [ours: Contender, baseline: Contender],
  connections: number,
): Promise<Comparison> {
  const rounds = [ours, baseline].map((contender) => () => runRound(generator, contender, connections, options));
  const [ourResults = [], baselineResults = []] = await alternate(options.rounds, rounds);
  return summarize(connections, ourResults, baselineResults);
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

function summarize(connections: number, ours: LoadResult[], baseline: LoadResult[]): Comparison {
  const ratios = (key: keyof Figures): number[] => ours.map((result, round) => result[key] / (baseline[round] as LoadResult)[key]);
  const rateRatios = ratios('requestsPerSecond');
  return {
    connections,
    ours: medians(ours),
    baseline: medians(baseline),
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
