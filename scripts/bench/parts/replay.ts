// What a job costs the triggers: their latency while 10,000 runs are replayed, against that before and after.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, makeDirectory, type Part } from '../bench.ts';
import { type LoadGenerator, type LoadResult, startLoadGenerator } from '../load/load.ts';
import { type SluiceProcess, startSluice } from '../sluice-process.ts';
import { median } from '../statistics.ts';
import { fixed, formatTable, whole } from '../table.ts';

const RUNS = 10_000;
const QUICK_RUNS = 1000;
const RATE = 200;
const CONNECTIONS = 4;
const CEILING = 2;

interface Job {
  status: string;
  matched: number;
  replayed: number;
  created_at: string;
  finished_at: string;
}

export const runReplayPart: Part = async (bench) => {
  const server = await startSluice(bench, makeDirectory(bench));
  const generator = startLoadGenerator(bench);
  const until = await storeRuns(bench, server, generator);
  const before = await rounds(bench, server, generator);
  const order = { action: 'replay', filter: { status: 'completed', until }, rate_per_second: RATE };
  const { job_id: jobId } = (await server.admin('POST', '/jobs', order)) as { job_id: string };
  const during = await rounds(bench, server, generator);
  const job = await endOf(server, jobId);
  const after = await rounds(bench, server, generator);

  const without = [...before, ...after];
  const p99 = (results: LoadResult[]): number => median(results.map(({ p99Ms }) => p99Ms));
  const ratio = p99(during) / p99(without);
  const seconds = (Date.parse(job.finished_at) - Date.parse(job.created_at)) / 1000;
  bench.print(
    table([
      ['without a job', without],
      ['while it replays', during],
    ]),
  );
  bench.print(
    `${whole(job.replayed)} of ${whole(job.matched)} runs replayed in ${fixed(seconds, 1)} s, ${whole(job.replayed / seconds)} a second`,
  );
  return {
    figures: { without, during, job, ratio },
    targets: [
      {
        name: `p99 of triggers while ${whole(job.matched)} runs are replayed at ${RATE} a second`,
        wanted: `at most ${fixed(CEILING, 1)} times that without`,
        figure: fixed(ratio),
        isMet: ratio <= CEILING && job.replayed === job.matched,
      },
    ],
  };
};

/** Resolves to a time after the runs. */
async function storeRuns({ options }: Bench, { target, countCompleted }: SluiceProcess, generator: LoadGenerator): Promise<string> {
  const wanted = options.isQuick ? QUICK_RUNS : RUNS;
  while (countCompleted() < wanted) await generator.ask({ target, connections: CONNECTIONS, warmupSeconds: 0.1, seconds: 0.5 });
  return new Date().toISOString();
}

async function rounds({ options }: Bench, { target }: SluiceProcess, generator: LoadGenerator): Promise<LoadResult[]> {
  const { warmupSeconds, seconds } = options;
  const results: LoadResult[] = [];
  for (let round = 0; round < options.rounds; round += 1)
    results.push(await generator.ask({ target, connections: CONNECTIONS, warmupSeconds, seconds }));
  return results;
}

async function endOf(server: SluiceProcess, jobId: string): Promise<Job> {
  for (;;) {
    const job = (await server.admin('GET', `/jobs/${jobId}`)) as Job;
    if (job.status === 'completed') return job;
    await sleep(200);
  }
}

function table(rows: [name: string, results: LoadResult[]][]): string {
  const cells = rows.map(([name, results]) => [
    name,
    whole(median(results.map(({ requestsPerSecond }) => requestsPerSecond))),
    fixed(median(results.map(({ p50Ms }) => p50Ms))),
    fixed(median(results.map(({ p99Ms }) => p99Ms))),
    fixed(Math.max(...results.map(({ maxMs }) => maxMs))),
  ]);
  return formatTable([`${CONNECTIONS} connections`, 'triggers/s', 'p50 ms', 'p99 ms', 'max ms'], cells);
}
