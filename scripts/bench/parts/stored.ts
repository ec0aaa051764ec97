// What a long history costs: the rate of new runs against that of an empty server, and the time of the run lists.

import { makeDirectory, type Part } from '../bench.ts';
import { acknowledgedLine, comparisonTable } from '../comparison-table.ts';
import { type ListTiming, timeRunLists } from '../history/run-lists.ts';
import { HISTORY_DEFINITIONS, prepareHistory } from '../history/stored-runs.ts';
import { startLoadGenerator } from '../load/load.ts';
import { type Contender, compare, warmUp } from '../rounds.ts';
import { type SluiceProcess, startSluice } from '../sluice-process.ts';
import { fixed, formatTable, whole } from '../table.ts';

const CONNECTIONS = 64;
const FLOOR = 0.9;
const LIST_CEILING_MS = 50;

export const runStoredPart: Part = async (bench) => {
  const count = bench.options.storedRuns;
  const history = await prepareHistory(bench, count);
  const definitions = HISTORY_DEFINITIONS;
  const stored = await startSluice(bench, history.directory, { definitions });
  const lists = await timeRunLists(stored, history);
  bench.print(listTable(lists));

  const empty = await startSluice(bench, makeDirectory(bench), { definitions });
  const generator = startLoadGenerator(bench);
  const contender = ({ target, countCompleted }: SluiceProcess): Contender => ({ target, countStored: countCompleted });
  const contenders: [Contender, Contender] = [contender(stored), contender(empty)];
  await warmUp(bench, generator, contenders);
  const comparison = await compare(bench, generator, contenders, CONNECTIONS);
  bench.print(comparisonTable([comparison], [`${whole(count)} runs stored`, 'empty']));
  bench.print(acknowledgedLine([comparison]));

  const slowest = lists.reduce((worst, timing) => (timing.medianMs > worst.medianMs ? timing : worst));
  const longest = Math.max(...lists.map(({ maxMs }) => maxMs));
  return {
    figures: { comparison, lists },
    targets: [
      {
        name: `rate with ${whole(count)} runs stored against an empty server`,
        wanted: `at least ${fixed(FLOOR, 1)}`,
        figure: fixed(comparison.ratio),
        isMet: comparison.ratio >= FLOOR,
      },
      {
        name: `run lists with ${whole(count)} runs stored`,
        wanted: `within ${LIST_CEILING_MS} ms`,
        figure: `slowest median ${fixed(slowest.medianMs, 1)} ms, longest of all ${fixed(longest, 1)} ms`,
        isMet: longest <= LIST_CEILING_MS,
      },
    ],
  };
};

function listTable(lists: ListTiming[]): string {
  const rows = lists.map(({ query, runs, medianMs, maxMs }) => [
    query.replaceAll(/(run|snk)_\w+/g, '$1_...'),
    String(runs),
    fixed(medianMs, 1),
    fixed(maxMs, 1),
    maxMs <= LIST_CEILING_MS ? '' : `over ${LIST_CEILING_MS} ms`,
  ]);
  return formatTable(['GET /api/v1/runs?', 'runs', 'median ms', 'max ms', ''], rows);
}
