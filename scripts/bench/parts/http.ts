// Durable runs of three steps, answered as a stream, against a bare Fastify JSON handler, or against
// the server of another checkout.

import { startBareFastify } from '../baselines/start-bare-fastify.ts';
import { type Bench, makeDirectory, type Part, type Target } from '../bench.ts';
import { withCleanups } from '../cleanups.ts';
import { acknowledgedLine, comparisonTable } from '../comparison-table.ts';
import { startLoadGenerator } from '../load/load.ts';
import { type Comparison, type Contender, compare, type Round, runRounds, summarize, warmUp } from '../rounds.ts';
import { type SluiceOptions, startSluice } from '../sluice-process.ts';
import { fixed } from '../table.ts';

const FLOORS = [
  { connections: 64, floor: 0.55, aim: 0.8 },
  { connections: 1, floor: 0.2, aim: 0.3 },
];
const CPU_CEILING = 2;
/** Of the rate of another checkout: a change costs at most so much. */
const CHECKOUT_FLOOR = 0.97;

export const runHttpPart: Part = async (bench) => {
  const { against } = bench.options;
  const comparisons = await (against === null ? compareWithBareFastify(bench) : compareWithCheckout(bench, against));
  bench.print(comparisonTable(comparisons, ['sluice', against === null ? 'bare Fastify' : 'other checkout']));
  bench.print(acknowledgedLine(comparisons));
  return { figures: { comparisons }, targets: comparisons.flatMap(against === null ? targetsOf : checkoutTarget) };
};

async function compareWithBareFastify(bench: Bench): Promise<Comparison[]> {
  const generator = startLoadGenerator(bench);
  const contenders: [Contender, Contender] = [await startContender(bench), await startBareFastify(bench)];
  await warmUp(bench, generator, contenders);
  const comparisons: Comparison[] = [];
  for (const connections of bench.options.connections) comparisons.push(await compare(bench, generator, contenders, connections));
  return comparisons;
}

/**
 * Two processes of the same program differ by up to a seventh for as long as they run, because each is compiled in its own
 * way. So the rounds are spread over several pairs of processes.
 */
async function compareWithCheckout(bench: Bench, checkout: string): Promise<Comparison[]> {
  const generator = startLoadGenerator(bench);
  const measured = bench.options.connections.map((connections) => ({ connections, rounds: [] as Round[] }));
  for (let pair = 0; pair < bench.options.pairs; pair += 1)
    await withCleanups(async (onEnd) => {
      const benchOfPair = { ...bench, onEnd };
      const contenders: [Contender, Contender] = [await startContender(benchOfPair), await startContender(benchOfPair, { checkout })];
      await warmUp(bench, generator, contenders);
      for (const { connections, rounds } of measured) rounds.push(...(await runRounds(bench, generator, contenders, connections)));
    });
  return measured.map(({ connections, rounds }) => summarize(connections, rounds));
}

async function startContender(bench: Bench, options?: SluiceOptions): Promise<Contender> {
  const server = await startSluice(bench, makeDirectory(bench), options);
  return { target: server.target, countStored: server.countCompleted };
}

function checkoutTarget({ connections, ratio }: Comparison): Target {
  return {
    name: `durable stream run against the other checkout, ${counted(connections)}`,
    wanted: `at least ${fixed(CHECKOUT_FLOOR)}`,
    figure: fixed(ratio),
    isMet: ratio >= CHECKOUT_FLOOR,
  };
}

function targetsOf({ connections, ratio, cpuRatio }: Comparison): Target[] {
  const targets = FLOORS.filter((goal) => goal.connections === connections).map(({ floor, aim }) => ({
    name: `durable stream run against bare Fastify, ${counted(connections)}`,
    wanted: `at least ${fixed(floor)} (aim ${fixed(aim)})`,
    figure: fixed(ratio),
    isMet: ratio >= floor,
  }));
  if (connections !== 64) return targets;
  return [
    ...targets,
    {
      name: 'CPU per run against bare Fastify, 64 connections',
      wanted: `at most ${fixed(CPU_CEILING, 1)} times`,
      figure: fixed(cpuRatio),
      isMet: cpuRatio <= CPU_CEILING,
    },
  ];
}

function counted(connections: number): string {
  return `${connections} connection${connections === 1 ? '' : 's'}`;
}
