// Another process locks the database: callers hear so at once, the server stays responsive and recovers by itself.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { refusalOf } from './refusal.ts';
import { type Answer, defineSinks, health, statusOf, trigger } from './server-calls.ts';

const LOCKED_MS = 1500;
const PROMPT_MS = 300;

/** Locks the database from a process of its own; returns how to let go. */
async function lock(dataDir: string, mode: string): Promise<() => Promise<void>> {
  const code = `const database = new (require('better-sqlite3'))(${JSON.stringify(join(dataDir, 'sluice.db'))});
    database.exec('BEGIN ${mode}');
    process.stdout.write('locked');
    process.stdin.once('data', () => database.exec('ROLLBACK') && process.exit());`;
  const child = spawn(process.execPath, ['-e', code], { cwd: join(import.meta.dirname, '../..'), stdio: ['pipe', 'pipe', 'inherit'] });
  onTestEnd(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return async () => {
    child.stdin.write('go');
    await once(child, 'exit');
  };
}

test.each(['IMMEDIATE', 'EXCLUSIVE'])(
  'under a lock (BEGIN %s) callers get 503 within 300 ms, /healthz answers, and it passes',
  { timeout: 30_000 },
  async (mode) => {
    const dataDir = tempDir();
    const server = await startServerProcess({ dataDir });
    await defineSinks(server, 0.3);
    const stored = (await trigger(server)).runId as string;
    const waiting = (await trigger(server, '/fault/later')).runId as string;
    const unlock = await lock(dataDir, mode);

    const end = performance.now() + LOCKED_MS;
    const refused: Answer[] = [];
    const healthTimes: number[] = [];
    const callers = Array.from({ length: 4 }, async () => {
      while (performance.now() < end) refused.push(await trigger(server));
    });
    const watcher = (async () => {
      while (performance.now() < end) healthTimes.push((await health(server)).ms);
    })();
    expect(await statusOf(server, stored)).toBe('completed');
    await Promise.all([...callers, watcher]);

    expect(refused.length).toBeGreaterThan(10);
    expect(new Set(refused.map(({ status, retryAfter }) => `${status} ${retryAfter}`))).toEqual(new Set(['503 1']));
    expect(refused[0]?.message).toBe('the database is locked by another process; try again');
    expect(Math.max(...refused.map(({ ms }) => ms))).toBeLessThan(PROMPT_MS);
    expect(Math.max(...healthTimes)).toBeLessThan(PROMPT_MS);
    expect(['waiting', 'running']).toContain(await statusOf(server, waiting));

    await unlock();
    await until('new runs to be taken again', async () => (await trigger(server)).status === 202);
    await until('the waiting run to complete', async () => (await statusOf(server, waiting)) === 'completed');
  },
);

test('a server stops in order while the database is locked', { timeout: 30_000 }, async () => {
  const dataDir = tempDir();
  const server = await startServerProcess({ dataDir });
  await defineSinks(server);
  const { runId } = await trigger(server);
  const unlock = await lock(dataDir, 'IMMEDIATE');
  server.kill('SIGTERM');
  expect(await server.exited).toBe(0);
  expect(await refusalOf({ dataDir })).toContain('the database is locked by another process');
  await unlock();
  const again = await startServerProcess({ dataDir });
  expect(await statusOf(again, runId as string)).toBe('completed');
});
