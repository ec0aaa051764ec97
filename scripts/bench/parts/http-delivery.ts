// Durable runs of three steps, of which one sends and waits for what the receiver says, answered as a stream to its end,
// against a bare Fastify JSON handler.

import { startBareFastify } from '../baselines/start-bare-fastify.ts';
import { makeDirectory, type Part } from '../bench.ts';
import { acknowledgedLine, comparisonTable } from '../comparison-table.ts';
import { startDeliveringServer } from '../deliveries/server.ts';
import { DELIVERY_PATHS } from '../deliveries/workload.ts';
import { startLoadGenerator } from '../load/load.ts';
import { type Contender, compare, warmUp } from '../rounds.ts';
import { fixed, whole } from '../table.ts';

const CONNECTIONS = 64;
const FLOOR = 0.25;

export const runHttpDeliveryPart: Part = async (bench) => {
  const generator = startLoadGenerator(bench);
  const { server, receiver } = await startDeliveringServer(bench, makeDirectory(bench));
  const { port, pid } = server;
  const contenders: [Contender, Contender] = [
    { target: { port, pid, path: DELIVERY_PATHS.awaited, kind: 'awaited' }, countStored: server.countCompleted },
    await startBareFastify(bench),
  ];
  await warmUp(bench, generator, contenders);
  const comparison = await compare(bench, generator, contenders, CONNECTIONS);
  bench.print(comparisonTable([comparison], ['sluice', 'bare Fastify']));
  bench.print(acknowledgedLine([comparison]));

  const [{ requests, keys }, runs, delivered] = [await receiver.ask('count'), server.countCompleted(), server.countDelivered()];
  if (requests !== runs || keys !== runs || delivered !== runs)
    throw new Error(`${runs} runs completed; ${requests} requests with ${keys} keys arrived, and ${delivered} deliveries are recorded`);
  bench.print(`  ${whole(runs)} deliveries with those of the warm-up, one for each run`);
  const { ours, ratio } = comparison;
  return {
    figures: { comparison },
    targets: [
      {
        name: `durable stream run with an awaited delivery against bare Fastify, ${CONNECTIONS} connections`,
        wanted: `at least ${fixed(FLOOR)}`,
        figure: `${fixed(ratio)}, p50 ${fixed(ours.p50Ms, 1)} ms, p99 ${fixed(ours.p99Ms, 1)} ms`,
        isMet: ratio >= FLOOR,
      },
    ],
  };
};
