// Durable deliveries, against a bare undici pool that posts the same body to the same receiver: of runs that store ten
// each, of runs that store one each, and of a backlog alone.

import { makeDirectory, type Part } from '../bench.ts';
import {
  type DeliveryRound,
  type Senders,
  type Span,
  sendBacklog,
  sendByPool,
  sendMany,
  sendWhileTriggered,
} from '../deliveries/rounds.ts';
import { startDeliveringServer } from '../deliveries/server.ts';
import { startHelper } from '../helper-process.ts';
import { startLoadGenerator } from '../load/load.ts';
import { alternate } from '../rounds.ts';
import { median } from '../statistics.ts';
import { fixed, formatTable, whole } from '../table.ts';

const FLOOR = 0.25;

type Four = [Comparison, Comparison, Comparison, Comparison];

type Figures = Omit<DeliveryRound, 'delivered'>;

interface Comparison {
  figures: Figures;
  /** To the bare pool, of deliveries a second; then the lowest and highest of single rounds. */
  ratio: number;
  ratioRange: [number, number];
  cpuRatio: number;
  delivered: number;
}

export const runDeliveryPart: Part = async (bench) => {
  const { options, signal } = bench;
  const { server, receiver } = await startDeliveringServer(bench, makeDirectory(bench));
  const pool: Senders['pool'] = startHelper(bench, new URL('../baselines/bare-undici.ts', import.meta.url));
  const senders: Senders = { server, receiver, pool, generator: startLoadGenerator(bench), signal };
  const kinds = [sendMany, sendWhileTriggered, sendBacklog, sendByPool];
  const compile: Span = { warmupSeconds: 0, seconds: options.compileSeconds };
  for (const send of [sendWhileTriggered, sendByPool]) await send(senders, compile);
  const [many = [], triggered = [], backlog = [], bare = []] = await alternate(
    options.rounds,
    kinds.map((send) => () => send(senders, options)),
  );
  const [ten, one, rest, baseline] = [many, triggered, backlog, bare].map((rounds) => summarize(rounds, bare)) as Four;
  const comparisons = { many: ten, triggered: one, backlog: rest, baseline };
  bench.print(comparisonTable(comparisons));
  bench.print(`  ${whole(ten.delivered + one.delivered + rest.delivered)} deliveries, each once under a key of its own, and recorded`);
  return {
    figures: comparisons,
    targets: [
      {
        name: 'durable deliveries a second, against a bare undici pool',
        wanted: `at least ${fixed(FLOOR)}`,
        figure: `${fixed(ten.ratio)} (one a run ${fixed(one.ratio)}, of a backlog ${fixed(rest.ratio)})`,
        isMet: ten.ratio >= FLOOR,
      },
    ],
  };
};

function summarize(rounds: DeliveryRound[], baseline: DeliveryRound[]): Comparison {
  const ratios = (key: keyof Figures): number[] => rounds.map((result, round) => result[key] / (baseline[round] as DeliveryRound)[key]);
  const of = (key: keyof Figures): number => median(rounds.map((result) => result[key]));
  const rateRatios = ratios('deliveriesPerSecond');
  return {
    figures: {
      deliveriesPerSecond: of('deliveriesPerSecond'),
      acceptedPerSecond: of('acceptedPerSecond'),
      cpuMicrosEach: of('cpuMicrosEach'),
      receiverBusy: of('receiverBusy'),
    },
    ratio: median(rateRatios),
    ratioRange: [Math.min(...rateRatios), Math.max(...rateRatios)],
    cpuRatio: median(ratios('cpuMicrosEach')),
    delivered: rounds.reduce((sum, { delivered }) => sum + delivered, 0),
  };
}

function comparisonTable({
  many,
  triggered,
  backlog,
  baseline,
}: Record<'many' | 'triggered' | 'backlog' | 'baseline', Comparison>): string {
  const rows = Object.entries({
    'sluice, ten a run': many,
    'sluice, one a run': triggered,
    'sluice, a backlog': backlog,
    'bare undici pool': baseline,
  });
  return formatTable(
    ['', 'delivered/s', 'ratio', 'of rounds', 'accepted/s', 'CPU us each', 'CPU ratio', 'receiver'],
    rows.map(([name, { figures, ratio, ratioRange, cpuRatio }]) => [
      name,
      whole(figures.deliveriesPerSecond),
      fixed(ratio),
      ratioRange.map((value) => fixed(value)).join('-'),
      figures.acceptedPerSecond === 0 ? '' : whole(figures.acceptedPerSecond),
      whole(figures.cpuMicrosEach),
      fixed(cpuRatio),
      `${whole(figures.receiverBusy * 100)} %`,
    ]),
  );
}
