// Prints comparisons of the server with a baseline.

import type { Comparison } from './rounds.ts';
import { fixed, formatTable, whole } from './table.ts';

export function comparisonTable(comparisons: Comparison[], [name, baselineName]: [ours: string, baseline: string]): string {
  const rows = comparisons.flatMap(({ connections, ours, baseline, ratio, ratioRange, cpuRatio }) =>
    [
      { name, figures: ours, ratios: [fixed(ratio), ratioRange.map((value) => fixed(value)).join('-'), fixed(cpuRatio)] },
      { name: baselineName, figures: baseline, ratios: ['1.00', '', '1.00'] },
    ].map(({ name: contender, figures, ratios: [rate = '', range = '', cpu = ''] }) => [
      contender,
      String(connections),
      whole(figures.requestsPerSecond),
      rate,
      range,
      fixed(figures.p50Ms),
      fixed(figures.p99Ms),
      fixed(figures.maxMs),
      whole(figures.cpuMicrosPerRequest),
      cpu,
      `${whole(figures.generatorBusy * 100)} %`,
    ]),
  );
  return formatTable(['', 'conns', 'r/s', 'ratio', 'of rounds', 'p50 ms', 'p99 ms', 'max ms', 'CPU us/r', 'CPU ratio', 'generator'], rows);
}

export function acknowledgedLine(comparisons: Comparison[]): string {
  const sum = (pick: (comparison: Comparison) => number): string => whole(comparisons.reduce((total, item) => total + pick(item), 0));
  return `  ${sum(({ acknowledged }) => acknowledged)} runs acknowledged, all of them stored; ${sum(({ verified }) => verified)} answers read and checked in full`;
}
