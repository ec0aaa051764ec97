// The machine that the figures hold for, and how fast its disk syncs, which the durable figures hang on.

import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { percentile, sorted } from './statistics.ts';

const SYNCS = 200;

export interface Environment {
  node: string;
  fastify: string;
  cpu: string;
  cores: number;
  loadAverage: number;
  fsyncP50Ms: number;
  fsyncP99Ms: number;
}

export function describeEnvironment(directory: string): Environment {
  const syncs = timeSyncs(directory);
  const fastify = JSON.parse(readFileSync(new URL('../../node_modules/fastify/package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return {
    node: process.version,
    fastify: fastify.version,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    loadAverage: loadavg()[0] ?? 0,
    fsyncP50Ms: percentile(syncs, 0.5),
    fsyncP99Ms: percentile(syncs, 0.99),
  };
}

/** Milliseconds of appending 4 KiB and syncing, as a log does. */
function timeSyncs(directory: string): Float64Array {
  const path = join(directory, `sluice-bench-fsync-${process.pid}`);
  const file = openSync(path, 'w');
  const page = Buffer.alloc(4096, 1);
  try {
    return sorted(
      Array.from({ length: SYNCS }, () => {
        const startedAt = performance.now();
        writeSync(file, page);
        fsyncSync(file);
        return performance.now() - startedAt;
      }),
    );
  } finally {
    closeSync(file);
    rmSync(path);
  }
}
