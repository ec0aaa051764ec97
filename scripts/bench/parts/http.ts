// Durable runs of three steps, answered as a stream, against a bare Fastify JSON handler, or against
// the server of another checkout.

import { startBareFastify } from '../baselines/start-bare-fastify.ts';
import { type Bench, makeDirectory, type Part, type Target } from '../bench.ts';
import { acknowledgedLine, comparisonTable } from '../comparison-table.ts';
import { type LoadGenerator, startLoadGenerator } from '../load/load.ts';
import { checkoutTarget, comparePairs, counted } from '../pairs.ts';
import { type Comparison, type Contender, compare, warmUp } from '../rounds.ts';
import { startSluice } from '../sluice-process.ts';
import { fixed } from '../table.ts';

const FLOORS = [
  { connections: 64, floor: 0.55, aim: 0.8 },
  { connections: 1, floor: 0.2, aim: 0.3 },
];
const CPU_CEILING = 2;

export const runHttpPart: Part = async (bench) => {
  const { against, connections } = bench.options;
  const generator = startLoadGenerator(bench);
  const comparisons =
    against === null
      ? await compareWithBareFastify(bench, generator)
      : await comparePairs(bench, generator, startContender, { checkout: against, connectionCounts: connections });
  bench.print(comparisonTable(comparisons, ['sluice', against === null ? 'bare Fastify' : 'other checkout']));
  bench.print(acknowledgedLine(comparisons));
  const targets = comparisons.flatMap((comparison) =>
    against === null ? targetsOf(comparison) : checkoutTarget('durable stream run', comparison),
  );
  return { figures: { comparisons }, targets };
};

async function compareWithBareFastify(bench: Bench, generator: LoadGenerator): Promise<Comparison[]> {
  const contenders: [Contender, Contender] = [await startContender(bench), await startBareFastify(bench)];
  await warmUp(bench, generator, contenders);
  const comparisons: Comparison[] = [];
  for (const connections of bench.options.connections) comparisons.push(await compare(bench, generator, contenders, connections));
  return comparisons;
}

async function startContender(bench: Bench, checkout?: string): Promise<Contender> {
  const server = await startSluice(bench, makeDirectory(bench), { checkout });
  return { target: server.target, countStored: server.countCompleted };
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
