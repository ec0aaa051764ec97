// Durable runs of three steps, where one step sends a message and waits for the answer, answered as a stream to its end,
// against a bare Fastify JSON handler or the server of another checkout.

import { startBareFastify } from '../baselines/start-bare-fastify.ts';
import { type Bench, makeDirectory, type Part, type Target } from '../bench.ts';
import { acknowledgedLine, comparisonTable } from '../comparison-table.ts';
import { startDeliveringServer } from '../deliveries/server.ts';
import { DELIVERY_PATHS } from '../deliveries/workload.ts';
import { type LoadGenerator, startLoadGenerator } from '../load/load.ts';
import { checkoutTarget, comparePairs } from '../pairs.ts';
import { type Comparison, type Contender, compare, warmUp } from '../rounds.ts';
import { fixed, whole } from '../table.ts';

const CONNECTIONS = 64;
const FLOOR = 0.25;
const SUBJECT = 'durable stream run with an awaited delivery';

export const runHttpDeliveryPart: Part = async (bench) => {
  const { against } = bench.options;
  const generator = startLoadGenerator(bench);
  const [comparison] =
    against === null
      ? [await compareWithBareFastify(bench, generator)]
      : await comparePairs(bench, generator, startContender, { checkout: against, connectionCounts: [CONNECTIONS] });
  if (comparison === undefined) throw new Error('nothing was measured');
  bench.print(comparisonTable([comparison], ['sluice', against === null ? 'bare Fastify' : 'other checkout']));
  bench.print(acknowledgedLine([comparison]));
  return { figures: { comparison }, targets: [against === null ? targetOf(comparison) : checkoutTarget(SUBJECT, comparison)] };
};

async function compareWithBareFastify(bench: Bench, generator: LoadGenerator): Promise<Comparison> {
  const ours = await startContender(bench);
  const contenders: [Contender, Contender] = [ours, await startBareFastify(bench)];
  await warmUp(bench, generator, contenders);
  const comparison = await compare(bench, generator, contenders, CONNECTIONS);
  await ours.verify?.();
  return comparison;
}

async function startContender(bench: Bench, checkout?: string): Promise<Contender> {
  const { server, receiver } = await startDeliveringServer(bench, makeDirectory(bench), checkout);
  const { port, pid, countCompleted, countDelivered } = server;
  return {
    target: { port, pid, path: DELIVERY_PATHS.awaited, kind: 'awaited' },
    countStored: countCompleted,
    async verify() {
      const [{ requests, keys }, runs, delivered] = [await receiver.ask('count'), countCompleted(), countDelivered()];
      if (requests !== runs || keys !== runs || delivered !== runs)
        throw new Error(`${runs} runs completed; ${requests} requests with ${keys} keys arrived, and ${delivered} deliveries are recorded`);
      bench.print(`  ${whole(runs)} deliveries with those of the warm-up, one for each run`);
    },
  };
}

function targetOf({ ours, ratio }: Comparison): Target {
  return {
    name: `${SUBJECT} against bare Fastify, ${CONNECTIONS} connections`,
    wanted: `at least ${fixed(FLOOR)}`,
    figure: `${fixed(ratio)}, p50 ${fixed(ours.p50Ms, 1)} ms, p99 ${fixed(ours.p99Ms, 1)} ms`,
    isMet: ratio >= FLOOR,
  };
}
