// The files of the database change under a running server: an operator copies a backup back, or cleans up. From then on
// nothing is acknowledged, the server says why and stops, and what it had acknowledged is still there.

import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test, vi } from 'vitest';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { defineSinks, trigger } from './server-calls.ts';

// Two servers are started in each.
vi.setConfig({ testTimeout: 90_000 });

const MAIN = 'sluice.db';
const LOG = 'sluice.db-wal';
const WITNESS = 'sluice.witness';

async function startServer(dataDir = tempDir()): Promise<{ server: ServerProcess; dataDir: string }> {
  const server = await startServerProcess({ dataDir });
  return { server, dataDir };
}

/** Triggers until the server does not take another, or so many; returns the ids of the runs that it acknowledged. */
async function acknowledged(server: ServerProcess, most = Number.POSITIVE_INFINITY): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < most) {
    const answer = await trigger(server).catch(() => null);
    if (answer === null || answer.status >= 300) return ids;
    ids.push(answer.runId as string);
  }
  return ids;
}

function runsIn(path: string): number {
  const database = new Database(path);
  try {
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    return database.prepare('SELECT count(*) FROM runs').pluck().get() as number;
  } finally {
    database.close();
  }
}

function replace(path: string): void {
  copyFileSync(path, `${path}.copy`);
  renameSync(`${path}.copy`, path);
}

const savedIn = (dataDir: string): string[] => readdirSync(dataDir).filter((name) => name.startsWith('sluice-saved-'));

describe.each([
  ['replaced by a copy', 'was replaced', replace],
  ['deleted', 'was deleted or moved', (path: string) => rmSync(path)],
  ['moved away', 'was deleted or moved', (path: string) => renameSync(path, `${path}.away`)],
])('a database that is %s', (_how, says, change) => {
  test('gets no further run; all that were acknowledged are saved, and the log is not left to another database', async () => {
    const { server, dataDir } = await startServer();
    await defineSinks(server);
    const before = await acknowledged(server, 20);
    expect(statSync(join(dataDir, LOG)).size).toBeGreaterThan(0);
    change(join(dataDir, MAIN));
    expect(await acknowledged(server)).toEqual([]);
    expect(await server.exited).toBe(1);
    expect(server.output()).toContain(`${MAIN} ${says} under the running server`);
    const [saved, ...others] = savedIn(dataDir);
    expect(others).toEqual([]);
    expect(server.output()).toContain(join(dataDir, saved as string));
    expect(statSync(join(dataDir, saved as string)).mode & 0o077).toBe(0);
    // The one that was refused may be there too: it was not acknowledged, and will run.
    expect(runsIn(join(dataDir, saved as string)) - before.length).toBeOneOf([0, 1]);
    expect(existsSync(join(dataDir, LOG))).toBe(false);
    renameSync(join(dataDir, saved as string), join(dataDir, MAIN));
    const { server: next } = await startServer(dataDir);
    expect((await trigger(next)).status).toBe(202);
  });
});

describe.each([
  [LOG, 'replaced by a copy', replace],
  [LOG, 'deleted', (path: string) => rmSync(path)],
  [WITNESS, 'replaced by a copy', replace],
])('when %s is %s', (name, _how, change) => {
  test('nothing more is acknowledged, and the database holds all that was', async () => {
    const { server, dataDir } = await startServer();
    await defineSinks(server);
    const before = await acknowledged(server, 20);
    change(join(dataDir, name));
    expect(await acknowledged(server)).toEqual([]);
    expect(await server.exited).toBe(1);
    expect(server.output()).toMatch(new RegExp(`${name} was (?:replaced|deleted or moved) under the running server`));
    expect(savedIn(dataDir)).toEqual([]);
    expect(runsIn(join(dataDir, MAIN)) - before.length).toBeOneOf([0, 1]);
    const { server: next } = await startServer(dataDir);
    expect((await trigger(next)).status).toBe(202);
  });
});

test('under load, every run that was acknowledged is in what was saved', async () => {
  const { server, dataDir } = await startServer();
  await defineSinks(server);
  const senders = Array.from({ length: 8 }, () => acknowledged(server));
  await acknowledged(server, 30);
  replace(join(dataDir, MAIN));
  const ids = (await Promise.all(senders)).flat();
  expect(await server.exited).toBe(1);
  const [saved] = savedIn(dataDir);
  renameSync(join(dataDir, saved as string), join(dataDir, MAIN));
  const { server: next } = await startServer(dataDir);
  for (const id of ids) expect((await fetch(`${next.url}/runs/${id}`)).status, id).toBe(200);
});

test('a server that has nothing to do notices it too', async () => {
  const { server, dataDir } = await startServer();
  replace(join(dataDir, MAIN));
  expect(await server.exited).toBe(1);
  expect(server.output()).toContain('was replaced under the running server');
});

test('a data directory that is deleted ends the server, and another one of its name is left alone', async () => {
  const dataDir = join(tempDir(), 'data');
  const { server } = await startServer(dataDir);
  await defineSinks(server);
  rmSync(dataDir, { recursive: true });
  expect(await acknowledged(server)).toEqual([]);
  mkdirSync(dataDir);
  expect(await server.exited).toBe(1);
  expect(server.output()).toContain(`${MAIN} was deleted or moved under the running server`);
  expect(existsSync(join(dataDir, MAIN))).toBe(false);
});
