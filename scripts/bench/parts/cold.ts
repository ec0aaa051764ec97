// Cold start: from the start of the process, on a fresh data directory, to the end of the first streamed answer.

import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, makeDirectory, type Part } from '../bench.ts';
import { withCleanups } from '../cleanups.ts';
import { openConnection } from '../load/connection.ts';
import { answerFault } from '../load/verify-answer.ts';
import { type SluiceProcess, spawnSluice } from '../sluice-process.ts';
import { median } from '../statistics.ts';
import { whole } from '../table.ts';
import { requestBytes } from '../workload.ts';

const CEILING_MS = 1000;
const RETRY_EVERY_MS = 3;
const HOST = '127.0.0.1';

export const runColdPart: Part = async (bench) => {
  const times: number[] = [];
  for (let start = 0; start < bench.options.coldStarts; start += 1)
    times.push(await withCleanups((onEnd) => timeColdStart({ ...bench, onEnd })));
  const middle = median(times);
  const range = `${whole(Math.min(...times))} to ${whole(Math.max(...times))} ms`;
  bench.print(`  median of ${times.length}: ${whole(middle)} ms (${range}) from spawn to the end of the first streamed answer`);
  return {
    figures: { milliseconds: times },
    targets: [
      {
        name: 'first answer after a cold start',
        wanted: `within ${CEILING_MS} ms`,
        figure: `${whole(middle)} ms (${range})`,
        isMet: middle <= CEILING_MS,
      },
    ],
  };
};

async function timeColdStart(bench: Bench): Promise<number> {
  const server = await spawnSluice(bench, makeDirectory(bench));
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
