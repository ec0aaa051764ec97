// Durable runs on a slow disk, against a handler that commits each request by itself. The disk is modelled: every
// fsync becomes a sleep, so that the disk of the machine does not matter.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { makeDirectory, type Part } from '../bench.ts';
import { acknowledgedLine, comparisonTable } from '../comparison-table.ts';
import { startHelper } from '../helper-process.ts';
import { startLoadGenerator } from '../load/load.ts';
import { type Contender, compare, warmUp } from '../rounds.ts';
import { startSluice } from '../sluice-process.ts';
import { fixed, whole } from '../table.ts';

const FSYNC_MS = 5;
const CONNECTIONS = 64;
const FLOOR = 10;
const MEMORY_DISK = '/dev/shm';
const TARGET = `${FSYNC_MS} ms fsync, ${CONNECTIONS} connections, against one transaction per request`;

export const runSlowFsyncPart: Part = async (bench) => {
  const directory = makeDirectory(bench, existsSync(MEMORY_DISK) ? MEMORY_DISK : bench.options.directory);
  const shim = compileShim(directory);
  if (shim === null) {
    bench.print('  not measured: there is no C compiler (cc) to build slow-fsync.c with');
    return { figures: {}, targets: [{ name: TARGET, wanted: `at least ${FLOOR} times`, figure: 'not measured', isMet: false }] };
  }
  bench.print(`  data in ${directory}; every fsync sleeps ${FSYNC_MS} ms (slow-fsync.c, preloaded)`);
  const env = { LD_PRELOAD: shim, BENCH_FSYNC_MICROS: String(FSYNC_MS * 1000) };
  const generator = startLoadGenerator(bench);
  const server = await startSluice(bench, directory, { env });
  const databaseFile = join(directory, 'one-commit-a-request.db');
  const baseline = startHelper<{ databaseFile: string }, { port: number }>(
    bench,
    new URL('../baselines/one-commit-a-request.ts', import.meta.url),
    env,
  );
  const { port } = await baseline.ask({ databaseFile });
  const contenders: [Contender, Contender] = [
    { target: server.target, countStored: server.countCompleted },
    { target: { port, path: '/', kind: 'json', pid: baseline.pid }, countStored: () => countRequests(databaseFile) },
  ];
  await warmUp(bench, generator, contenders);
  const comparison = await compare(bench, generator, contenders, CONNECTIONS);
  bench.print(comparisonTable([comparison], ['sluice', 'one commit a request']));
  bench.print(acknowledgedLine([comparison]));
  const { ours, baseline: base, ratio } = comparison;
  if (Math.min(ours.minMs, base.minMs) < FSYNC_MS)
    throw new Error('an answer came sooner than one fsync takes: slow-fsync.so had no effect');
  const figure = `${fixed(ratio, 1)} times, p99 ${fixed(ours.p99Ms, 1)} ms (of one transaction per request ${whole(base.p99Ms)} ms)`;
  return { figures: comparison, targets: [{ name: TARGET, wanted: `at least ${FLOOR} times`, figure, isMet: ratio >= FLOOR }] };
};

/** Returns the path of the library, or null when there is no compiler. */
function compileShim(directory: string): string | null {
  const library = join(directory, 'slow-fsync.so');
  const source = fileURLToPath(new URL('../slow-fsync.c', import.meta.url));
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source]);
    return library;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function countRequests(databaseFile: string): number {
  const database = new Database(databaseFile, { readonly: true });
  try {
    return database.prepare('SELECT count(*) FROM requests').pluck().get() as number;
  } finally {
    database.close();
  }
}
