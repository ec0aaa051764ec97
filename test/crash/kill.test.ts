// kill -9 under load, at random moments and at chosen points: what was acknowledged is there, ends, and ends once.

import { Agent } from 'node:http';
import { setTimeout as after } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { account, letRunsEnd, soundAccount } from './account.ts';
import { type Ledger, type Load, post, startLoad } from './load.ts';
import { canTrace, injecting, tracedPid } from './strace.ts';
import { defineWorkload, PATHS } from './workload.ts';

const RANDOM_KILLS = 8;
const MOST_RUNS_BETWEEN_KILLS = 1000;
const LEAST_RUNS = 5000;
const report: string[] = [];
afterAll(() => void process.stdout.write(`${report.join('\n')}\n`));

interface Kill {
  /** What the server runs under. */
  under?: string[];
  /** Resolves when the server is as good as dead. */
  strike(server: ServerProcess, load: Load, acknowledged: number): Promise<unknown>;
}

async function preparedDirectory(): Promise<string> {
  const dataDir = tempDir();
  const server = await startServerProcess({ dataDir });
  await defineWorkload(server);
  server.kill('SIGTERM');
  expect(await server.exited).toBe(0);
  return dataDir;
}

/** Kills the server under load in each of the ways, then accounts for every run that any of its lives acknowledged. */
async function killAndAccount(title: string, dataDir: string, kills: Kill[]): Promise<number> {
  const ledger: Ledger = { acknowledged: new Set(), keys: new Map() };
  for (const { under = [], strike } of kills) {
    const server = await startServerProcess({ dataDir, under });
    const load = startLoad(server.url, PATHS, ledger);
    await Promise.race([strike(server, load, ledger.acknowledged.size), server.exited]);
    expect(await server.exited).toBe('SIGKILL');
    await load.stop();
  }
  const last = await startServerProcess({ dataDir });
  await expectSameRuns(last.url, ledger.keys);
  await letRunsEnd(last.url);
  last.kill('SIGTERM');
  expect(await last.exited).toBe(0);
  const found = await account(dataDir, ledger.acknowledged);
  report.push(`${title}: ${kills.length} kills, ${ledger.keys.size} idempotency keys, ${JSON.stringify(found)}`);
  expect(found).toEqual(soundAccount(ledger.acknowledged.size));
  return ledger.acknowledged.size;
}

/** A key that was acknowledged before a kill names the same run after it. */
async function expectSameRuns(url: string, keys: Ledger['keys']): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const again = [...keys].map(async ([request, runId]) => {
    const [path, key = null] = request.split(' ');
    return [await post(agent, `${url}${path}`, key), runId];
  });
  for (const [found, runId] of await Promise.all(again)) expect(found).toBe(runId);
  agent.destroy();
}

test('nothing that was acknowledged is lost, stuck or repeated when the server is killed at random moments', {
  timeout: 240_000,
}, async () => {
  // Under load from the first moment on, so that recovery itself is killed too.
  const atRandom: Kill = {
    async strike(server, load) {
      await load.acknowledge(1 + Math.floor(Math.random() * MOST_RUNS_BETWEEN_KILLS));
      await after(Math.random() * 50);
      server.kill('SIGKILL');
    },
  };
  const last: Kill = {
    async strike(server, load, acknowledged) {
      await load.acknowledge(Math.max(1, LEAST_RUNS - acknowledged));
      server.kill('SIGKILL');
    },
  };
  const kills = [...Array.from({ length: RANDOM_KILLS }, () => atRandom), last];
  expect(await killAndAccount('random moments', await preparedDirectory(), kills)).toBeGreaterThanOrEqual(LEAST_RUNS);
});

test('nor when it is killed at the points that random moments rarely hit', { timeout: 240_000 }, async () => {
  const dataDir = await preparedDirectory();
  const kills = canTrace() ? killsAtSystemCalls(dataDir) : killsAtAnswers();
  await killAndAccount(`chosen points (${canTrace() ? 'system calls' : 'answers'})`, dataDir, kills);
});

function killsAtSystemCalls(dataDir: string): Kill[] {
  const killing = (file: string, call: string, count: number): Kill => ({
    under: injecting(dataDir, file, call, String(count), 'signal=SIGKILL'),
    async strike(server) {
      tracedPid(server);
      await server.exited;
    },
  });
  return [
    // Half of a commit is written to the log.
    killing('sluice.db-wal', 'pwrite64', 301),
    // A commit is written but not synced.
    killing('sluice.db-wal', 'fsync', 25),
    // A commit is on the disk, and nobody was told.
    killing('sluice.witness', 'pwrite64', 25),
    // A stop has folded half of the log into the database.
    {
      under: injecting(dataDir, 'sluice.db', 'pwrite64', '20', 'signal=SIGKILL'),
      async strike(server, load) {
        const pid = tracedPid(server);
        await load.acknowledge(200);
        process.kill(pid, 'SIGTERM');
        await server.exited;
      },
    },
  ];
}

/** Where nothing can be traced: the moments at which an answer arrives. */
function killsAtAnswers(): Kill[] {
  return [1, 2, 24, 25].map((count) => ({
    async strike(server, load) {
      await load.acknowledge(count);
      server.kill('SIGKILL');
    },
  }));
}
