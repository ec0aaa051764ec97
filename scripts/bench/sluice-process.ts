// The server that is measured: started as `npm start` starts it, on a data directory and definitions of the bench.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { Bench } from './bench.ts';
import { stopProcess } from './helper-process.ts';
import type { LoadTarget } from './load/load.ts';
import { definitionFile, TRIGGER_PATHS } from './workload.ts';

const OUR_CHECKOUT = join(import.meta.dirname, '../..');
const ADMIN_TOKEN = 'admin-token-of-the-bench';
const START_LIMIT_MS = 60_000;

export interface SluiceProcess {
  port: number;
  pid: number;
  dataDir: string;
  /** Of requests that complete. */
  target: LoadTarget;
  /** By performance.now(). */
  spawnedAt: number;
  /** Calls the admin API and returns the parsed answer. */
  admin(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown>;
  /** Looks into the database, past the server: runs that completed, and deliveries that were delivered. */
  countCompleted(): number;
  countDelivered(): number;
  hasEnded(): boolean;
  stop(): Promise<void>;
}

export interface SluiceOptions {
  env?: Record<string, string>;
  /** Content of its definition file. */
  definitions?: string;
  /** Folder of the code that is started. */
  checkout?: string | undefined;
}

/** Does not wait until it listens. Its log goes to /dev/null, and what it says on stderr to ours. */
export async function spawnSluice(
  { signal, onEnd }: Bench,
  directory: string,
  { env = {}, definitions = definitionFile(), checkout = OUR_CHECKOUT }: SluiceOptions = {},
): Promise<SluiceProcess> {
  const definitionPath = join(directory, 'definitions.yaml');
  writeFileSync(definitionPath, definitions);
  const port = await freePort();
  const dataDir = join(directory, 'data');
  const spawnedAt = performance.now();
  const child = spawn(process.execPath, ['scripts/sluice.mjs', 'serve'], {
    cwd: checkout,
    env: {
      ...withoutSettings(process.env),
      SLUICE_DATA_DIR: dataDir,
      SLUICE_CONFIG: definitionPath,
      SLUICE_PORT: String(port),
      SLUICE_ADMIN_TOKEN: ADMIN_TOKEN,
      ...env,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
    signal,
  });
  child.on('error', () => undefined);
  const stop = (): Promise<void> => stopProcess(child);
  onEnd(stop);
  const pid = child.pid as number;
  return {
    port,
    pid,
    dataDir,
    spawnedAt,
    target: { port, path: TRIGGER_PATHS.threeSteps, kind: 'stream', pid },
    async admin(method, path, body) {
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
      const content = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, { method, headers, ...content });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
      return JSON.parse(text);
    },
    countCompleted: () => countRows(dataDir, "runs WHERE sink_no IN (SELECT no FROM sinks) AND status = 'completed'"),
    countDelivered: () => countRows(dataDir, "deliveries WHERE sink_no IN (SELECT no FROM sinks) AND status = 'delivered'"),
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    stop,
  };
}

/** Resolves when the server is ready. */
export async function startSluice(bench: Bench, directory: string, options: SluiceOptions = {}): Promise<SluiceProcess> {
  const server = await spawnSluice(bench, directory, options);
  for (const deadline = Date.now() + START_LIMIT_MS; Date.now() < deadline; await sleep(20)) {
    const response = await fetch(`http://127.0.0.1:${server.port}/readyz`, { signal: bench.signal }).catch(() => null);
    if (response?.ok === true) return server;
    if (server.hasEnded()) throw new Error('the server ended while it started');
  }
  throw new Error(`the server was not ready within ${START_LIMIT_MS / 1000} s`);
}

function countRows(dataDir: string, rows: string): number {
  const database = new Database(join(dataDir, 'sluice.db'), { readonly: true });
  try {
    return database.prepare(`SELECT count(*) FROM ${rows}`).pluck().get() as number;
  } finally {
    database.close();
  }
}

/** Settings of the caller's shell would change the server that is measured. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(SLUICE_.*|HOST|PORT)$/.test(name)));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
