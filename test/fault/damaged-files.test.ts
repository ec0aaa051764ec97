// Files that were damaged, cut, deleted or swapped while the server was down: loss is reported in one line and never
// silent; what is no loss starts.

import { appendFileSync, copyFileSync, cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeAll, expect, test } from 'vitest';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { refusalOf } from './refusal.ts';
import { defineSinks, statusOf, trigger } from './server-calls.ts';

const RUNS = 20;
const [DATABASE, LOG, INDEX, WITNESS] = ['sluice.db', 'sluice.db-wal', 'sluice.db-shm', 'sluice.witness'];
const file = (dataDir: string, name = ''): string => join(dataDir, name);

/** What a server that was killed left behind: one directory after half of the runs, and one after all. */
let earlier: string;
let killed: string;
let stopped: string;
let runIds: string[];

beforeAll(async () => {
  const cleanups: (() => void | Promise<void>)[] = [];
  const onEnd = (cleanup: () => void | Promise<void>): void => void cleanups.push(cleanup);
  [earlier, killed, stopped] = [tempDir(onEnd), tempDir(onEnd), tempDir(onEnd)];
  const server = await startServerProcess({ dataDir: killed, onEnd });
  await defineSinks(server);
  runIds = [];
  const add = async (): Promise<void> => {
    for (let count = 0; count < RUNS / 2; count += 1) runIds.push((await trigger(server)).runId as string);
  };
  await add();
  cpSync(killed, earlier, { recursive: true });
  await add();
  server.kill('SIGKILL');
  await server.exited;
  cpSync(killed, stopped, { recursive: true });
  const again = await startServerProcess({ dataDir: stopped, onEnd });
  again.kill('SIGTERM');
  expect(await again.exited).toBe(0);
  return async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  };
}, 30_000);

/** A copy of a directory, damaged. */
function damagedCopy(source: string, damage: (dataDir: string) => void): string {
  const dataDir = tempDir();
  cpSync(source, dataDir, { recursive: true });
  damage(dataDir);
  return dataDir;
}

/** `where` is a share of the file. */
function flipByte(path: string, where: number): void {
  const bytes = readFileSync(path);
  const at = Math.floor(bytes.length * where);
  bytes[at] = (bytes[at] as number) ^ 0x01;
  writeFileSync(path, bytes);
}

function cut(path: string, share: number): void {
  truncateSync(path, Math.floor(statSync(path).size * share));
}

async function runsLeft(dataDir: string, args: string[] = []): Promise<number> {
  const server = await startServerProcess({ dataDir, args });
  const statuses = await Promise.all(runIds.map((runId) => statusOf(server, runId)));
  expect((await trigger(server)).status).toBe(202);
  server.kill('SIGTERM');
  expect(await server.exited).toBe(0);
  return statuses.filter((status) => status === 'completed').length;
}

const LOSSES: Record<string, [RegExp, (dataDir: string) => void]> = {
  'a flipped byte in the middle of the log': [/the last \d+ of \d+ commits are missing/, (dataDir) => flipByte(file(dataDir, LOG), 0.5)],
  'a log that is cut in the middle': [/the last \d+ of \d+ commits are missing/, (dataDir) => cut(file(dataDir, LOG), 0.5)],
  'a log without its last commit': [/the last 1 of \d+ commits are missing/, (dataDir) => cut(file(dataDir, LOG), 0.999)],
  'an older copy of database and log': [
    /the last 10 of \d+ commits are missing/,
    (dataDir) => {
      for (const name of [DATABASE, LOG]) copyFileSync(file(earlier, name), file(dataDir, name));
    },
  ],
  'a deleted witness': [/the witness file is missing/, (dataDir) => rmSync(file(dataDir, WITNESS))],
  'a damaged witness': [/the witness file is damaged/, (dataDir) => flipByte(file(dataDir, WITNESS), 0)],
};

test.each(Object.entries(LOSSES))('%s is reported, and the files stay as they are', async (_what, [reason, damage]) => {
  const dataDir = damagedCopy(killed, damage);
  const before = readFileSync(file(dataDir, LOG));
  const line = await refusalOf({ dataDir });
  expect(line).toMatch(reason);
  expect(line).toContain('start once with --accept-loss');
  expect(readFileSync(file(dataDir, LOG)).equals(before)).toBe(true);
});

test('--accept-loss goes on with what is left, and the next start is like any other', { timeout: 30_000 }, async () => {
  // Among the later half of the runs: what the first half needs is in the log before them.
  const sizes = [earlier, killed].map((directory) => statSync(file(directory, LOG)).size) as [number, number];
  const where = (sizes[0] / sizes[1] + 1) / 2;
  const dataDir = damagedCopy(killed, (copy) => flipByte(file(copy, LOG), where));
  const left = await runsLeft(dataDir, ['--accept-loss']);
  expect(left).toBeGreaterThanOrEqual(RUNS / 2);
  expect(left).toBeLessThan(RUNS);
  expect(await runsLeft(dataDir)).toBe(left);
});

test('a deleted log is reported: all that was in it is missing', async () => {
  const line = await refusalOf({ dataDir: damagedCopy(killed, (dataDir) => rmSync(file(dataDir, LOG))) });
  expect(line).toMatch(/the (?:database is missing or empty, but|last) \d+ (?:of \d+ )?commits/);
});

test.each<[string, RegExp, (dataDir: string) => void]>([
  [
    'garbage in place of the first page',
    /cannot open the database in .*: file is not a database/,
    (dataDir) => writeFileSync(file(dataDir, DATABASE), 'garbage!'.repeat(4096), { flag: 'r+' }),
  ],
  ['a database that is cut to nothing', /the database is missing or empty/, (dataDir) => truncateSync(file(dataDir, DATABASE))],
  ['a deleted database', /the database is missing or empty/, (dataDir) => rmSync(file(dataDir, DATABASE))],
  [
    'garbage in place of every page but the first',
    /malformed|commits|missing/,
    (dataDir) => {
      const bytes = readFileSync(file(dataDir, DATABASE));
      writeFileSync(file(dataDir, DATABASE), bytes.fill('garbage!', 8192));
    },
  ],
  [
    'garbage in place of an index that the start reads',
    /the database failed \(SQLITE_CORRUPT.*the server stops/,
    (dataDir) => {
      const database = new Database(file(dataDir, DATABASE), { readonly: true });
      const page = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'runs_by_wake'").pluck().get() as number;
      database.close();
      const bytes = readFileSync(file(dataDir, DATABASE));
      writeFileSync(file(dataDir, DATABASE), bytes.fill('garbage!', (page - 1) * 8192, page * 8192));
    },
  ],
])('%s is reported', { timeout: 30_000 }, async (_what, reason, damage) => {
  expect(await refusalOf({ dataDir: damagedCopy(stopped, damage) })).toMatch(reason);
});

test.each<[string, (dataDir: string) => void]>([
  [
    'the beginning of a commit that was never finished',
    (dataDir) => appendFileSync(file(dataDir, LOG), readFileSync(file(dataDir, LOG)).subarray(32, 5000)),
  ],
  ['garbage after the last commit', (dataDir) => appendFileSync(file(dataDir, LOG), Buffer.alloc(9000, 'x'))],
  ['a damaged index of the log', (dataDir) => writeFileSync(file(dataDir, INDEX), Buffer.alloc(32_768, 'x'))],
  ['a deleted index of the log', (dataDir) => rmSync(file(dataDir, INDEX))],
])('%s is no loss: the server starts with every run', { timeout: 30_000 }, async (_what, damage) => {
  expect(await runsLeft(damagedCopy(killed, damage))).toBe(RUNS);
});
