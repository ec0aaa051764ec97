// Durable runs of a sink that verifies the sender's signature, against a sink of the same server that does not.

import { type Bench, makeDirectory, type Part } from '../bench.ts';
import { acknowledgedLine, comparisonTable } from '../comparison-table.ts';
import { startLoadGenerator } from '../load/load.ts';
import { counted } from '../pairs.ts';
import { type Comparison, type Contender, compare, warmUp } from '../rounds.ts';
import { startSluice } from '../sluice-process.ts';
import { fixed } from '../table.ts';
import { TRIGGER_PATHS, verifiedDefinitionFile } from '../workload.ts';

/** Of the rate without verification, at this number of connections. */
const FLOOR = 0.92;
const CONNECTIONS = 64;

export const runVerifiedPart: Part = async (bench) => {
  const contenders = await startContenders(bench);
  const generator = startLoadGenerator(bench);
  await warmUp(bench, generator, contenders);
  const comparisons: Comparison[] = [];
  for (const connections of bench.options.connections) comparisons.push(await compare(bench, generator, contenders, connections));
  bench.print(comparisonTable(comparisons, ['verified', 'not verified']));
  bench.print(acknowledgedLine(comparisons));
  const targets = comparisons
    .filter(({ connections }) => connections === CONNECTIONS)
    .map(({ ratio }) => ({
      name: `verified against unverified, ${counted(CONNECTIONS)}`,
      wanted: `at least ${fixed(FLOOR)}`,
      figure: fixed(ratio),
      isMet: ratio >= FLOOR,
    }));
  return { figures: { comparisons }, targets };
};

/** One process for both: two processes of the same program differ by more than the signature costs. */
async function startContenders(bench: Bench): Promise<[verified: Contender, unverified: Contender]> {
  const { target, countCompleted: countStored } = await startSluice(bench, makeDirectory(bench), {
    definitions: verifiedDefinitionFile(),
  });
  return [
    { target: { ...target, path: TRIGGER_PATHS.verified }, countStored },
    { target, countStored },
  ];
}
