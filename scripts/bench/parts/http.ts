// Durable runs of three steps, answered as a stream, against a bare Fastify JSON handler.

import { startBareFastify } from '../baselines/start-bare-fastify.ts';
import { makeDirectory, type Part, type Target } from '../bench.ts';
import { acknowledgedLine, comparisonTable } from '../comparison-table.ts';
import { startLoadGenerator } from '../load/load.ts';
import { type Comparison, type Contender, compare, warmUp } from '../rounds.ts';
import { startSluice } from '../sluice-process.ts';
import { fixed } from '../table.ts';

const FLOORS = [
  { connections: 64, floor: 0.55, aim: 0.8 },
  { connections: 1, floor: 0.2, aim: 0.3 },
];
const CPU_CEILING = 2;

export const runHttpPart: Part = async (bench) => {
  const generator = startLoadGenerator(bench);
  const server = await startSluice(bench, makeDirectory(bench));
  const contenders: [Contender, Contender] = [{ target: server.target, countStored: server.countCompleted }, await startBareFastify(bench)];
  await warmUp(bench, generator, contenders);
  const comparisons: Comparison[] = [];
  for (const connections of bench.options.connections) comparisons.push(await compare(bench, generator, contenders, connections));
  bench.print(comparisonTable(comparisons, ['sluice', 'bare Fastify']));
  bench.print(acknowledgedLine(comparisons));
  return { figures: { comparisons }, targets: comparisons.flatMap(targetsOf) };
};

function targetsOf({ connections, ratio, cpuRatio }: Comparison): Target[] {
  const targets = FLOORS.filter((goal) => goal.connections === connections).map(({ floor, aim }) => ({
    name: `durable stream run against bare Fastify, ${connections} connection${connections === 1 ? '' : 's'}`,
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
