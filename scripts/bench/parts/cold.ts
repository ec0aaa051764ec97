// Cold start: from the start of the process, on a fresh data directory, to the end of the first streamed answer.

import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, makeDirectory, type Part, type Target } from '../bench.ts';
import { withCleanups } from '../cleanups.ts';
import { openConnection } from '../load/connection.ts';
import { answerFault } from '../load/verify-answer.ts';
import { alternate } from '../rounds.ts';
import { type SluiceProcess, spawnSluice } from '../sluice-process.ts';
import { median } from '../statistics.ts';
import { fixed, whole } from '../table.ts';
import { requestBytes } from '../workload.ts';

const CEILING_MS = 1000;
/** Of the time of the other checkout. */
const CHECKOUT_CEILING = 1.03;
const RETRY_EVERY_MS = 3;
const HOST = '127.0.0.1';

export const runColdPart: Part = async (bench) => {
  const { against, coldStarts } = bench.options;
  const checkouts = against === null ? [undefined] : [undefined, against];
  const [ours = [], others = []] = await alternate(
    coldStarts,
    checkouts.map((checkout) => () => withCleanups((onEnd) => timeColdStart({ ...bench, onEnd }, checkout))),
  );
  bench.print(`  ${described(ours)} from spawn to the end of the first streamed answer`);
  if (against === null) return { figures: { milliseconds: ours }, targets: [targetOf(ours)] };
  bench.print(`  ${described(others)} of the other checkout`);
  return { figures: { milliseconds: ours, otherMilliseconds: others }, targets: [checkoutTarget(ours, others)] };
};

function described(times: number[]): string {
  return `median of ${times.length}: ${whole(median(times))} ms (${whole(Math.min(...times))} to ${whole(Math.max(...times))} ms)`;
}

function targetOf(times: number[]): Target {
  return {
    name: 'first answer after a cold start',
    wanted: `within ${CEILING_MS} ms`,
    figure: described(times),
    isMet: median(times) <= CEILING_MS,
  };
}

function checkoutTarget(ours: number[], others: number[]): Target {
  const ratio = median(ours.map((time, start) => time / (others[start] as number)));
  return {
    name: 'time of a cold start against the other checkout',
    wanted: `at most ${fixed(CHECKOUT_CEILING)}`,
    figure: fixed(ratio),
    isMet: ratio <= CHECKOUT_CEILING,
  };
}

async function timeColdStart(bench: Bench, checkout?: string): Promise<number> {
  const server = await spawnSluice(bench, makeDirectory(bench), { checkout });
  const request = requestBytes(server.target.path, `${HOST}:${server.port}`);
  while (!server.hasEnded()) {
    const answer = await firstAnswer(server, request);
    const elapsedMs = performance.now() - server.spawnedAt;
    if (answer === null) {
      await sleep(RETRY_EVERY_MS);
      continue;
    }
    const fault = answerFault('stream', answer);
    if (fault !== null) throw new Error(fault);
    return elapsedMs;
  }
  throw new Error('the server ended while it started');
}

/** Null when nobody listens yet. */
async function firstAnswer({ port }: SluiceProcess, request: Buffer): Promise<Buffer | null> {
  return await new Promise((resolve, reject) => {
    const events = {
      onAnswer: (connection: { close(): void }, _status: number, kept: Buffer | null): void => {
        connection.close();
        resolve(kept);
      },
      onFault: (_connection: unknown, message: string): void => reject(new Error(message)),
    };
    openConnection(HOST, port, request, events).then(
      (connection) => connection.send(true),
      () => resolve(null),
    );
  });
}
