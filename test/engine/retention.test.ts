// Retention: ended runs beyond age or size go, and with them the files that no other run names.

import { existsSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { type RetentionOptions, startRetention } from '../../src/engine/retention.ts';
import { AppError } from '../../src/errors.ts';
import { type BlobStore, openBlobStore } from '../../src/files/blobs.ts';
import { createLogger } from '../../src/logger.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { completedTurn, createWorkbench, NOW, type Workbench } from '../storage/contract/workbench.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { clocksOf, openDatabase } from '../support/open-database.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const DAY = 86_400_000;

let directory: string;
let storage: Storage;
let blobs: BlobStore;
let workbench: Workbench;

beforeAll(async () => {
  const cleanups: (() => void)[] = [];
  directory = tempDir((cleanup) => void cleanups.push(cleanup as () => void));
  const opened = await openDatabase(
    directory,
    clocksOf(() => NOW),
  );
  storage = opened.storage;
  blobs = await openBlobStore(join(directory, 'blobs'), opened.node);
  workbench = createWorkbench(opened);
  return async () => {
    await storage.close();
    for (const cleanup of cleanups) cleanup();
  };
});

/** Leaves nothing of one test to the next. */
afterEach(async () => {
  await storage.pruneRuns({ before: NOW + DAY, maxBytes: null, limit: 10_000 });
  await blobs.sweep((hashes) => storage.findUnreferencedBlobs(hashes), {
    minAgeMs: 0,
    now: Date.now(),
    signal: new AbortController().signal,
  });
});

const pathOf = (sha256: string): string => join(directory, 'blobs', sha256.slice(0, 2), sha256);
const hasBlob = (sha256: string): boolean => existsSync(pathOf(sha256));

/** A file that was received a day before NOW. */
async function addBlob(content: string): Promise<string> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(content);
  }
  const { sha256 } = await blobs.write(chunks());
  utimesSync(pathOf(sha256), (NOW - DAY) / 1000, (NOW - DAY) / 1000);
  return sha256;
}

function prepare(limits: Partial<RetentionOptions>) {
  const logs: string[] = [];
  const { logger } = createLogger('info', { write: (line: string) => void logs.push(line) });
  const start = () => {
    const retention = startRetention({
      storage,
      blobs,
      clock: () => NOW,
      wallClock: () => NOW,
      settlesAt: () => 0,
      logger,
      maxAgeMs: null,
      maxBytes: null,
      ...limits,
    });
    onTestEnd(() => retention.close());
    return retention;
  };
  return { start, logs };
}

test('runs that are too old go when the server starts, and the files that only they named with them', async () => {
  const { start, logs } = prepare({ maxAgeMs: 30 * DAY });
  const sink = await workbench.addSink();
  const [ofOld, ofBoth] = [await addBlob('old'), await addBlob('both')];
  const old = await workbench.addRun(sink, { createdAt: NOW - 31 * DAY, blobs: [ofOld, ofBoth], turn: completedTurn(1) });
  const young = await workbench.addRun(sink, { createdAt: NOW - 29 * DAY, blobs: [ofBoth], turn: completedTurn(1) });
  const retention = start();
  await until('the old run to go', async () => (await storage.getRun(old.runId)) === null);
  await retention.run();
  expect(await storage.getRun(young.runId)).not.toBeNull();
  expect([hasBlob(ofOld), hasBlob(ofBoth)]).toEqual([false, true]);
  expect(logs.join('')).toContain('"runs":1');
});

test('more runs than go at a time go in one round', async () => {
  const { start } = prepare({ maxAgeMs: DAY });
  const sink = await workbench.addSink();
  await Promise.all(Array.from({ length: 450 }, () => workbench.addRun(sink, { createdAt: NOW - 2 * DAY, turn: completedTurn(1) })));
  await start().run();
  expect(await storage.listRuns({ sinkId: sink.id, limit: 10 })).toEqual([]);
});

test('files count towards the size, so that runs go until both fit', async () => {
  const { start } = prepare({ maxBytes: 1_000_000 });
  const sink = await workbench.addSink();
  const large = await addBlob('x'.repeat(900_000));
  const { runId } = await workbench.addRun(sink, { blobs: [large], turn: completedTurn(1) });
  const retention = start();
  await retention.run();
  expect(await storage.getRun(runId)).toBeNull();
  await retention.run();
  expect(hasBlob(large)).toBe(false);
});

test('a large file costs the runs around it no more than it must', async () => {
  const { start } = prepare({ maxBytes: 1_500_000 });
  const sink = await workbench.addSink();
  const large = await addBlob('x'.repeat(2_000_000));
  await workbench.addRun(sink, { createdAt: NOW - DAY, blobs: [large], turn: completedTurn(1) });
  await Promise.all(Array.from({ length: 100 }, () => workbench.addRun(sink, { turn: completedTurn(1) })));
  await start().run();
  expect((await storage.listRuns({ sinkId: sink.id, limit: 200 })).length).toBeGreaterThanOrEqual(80);
});

test('a failed round is logged, and the next one runs', async () => {
  const { logs } = prepare({});
  const { logger } = createLogger('info', { write: (line: string) => void logs.push(line) });
  let failures = 1;
  const failing = {
    findUnreferencedBlobs: storage.findUnreferencedBlobs,
    pruneRuns: (...args: Parameters<Storage['pruneRuns']>) => {
      failures -= 1;
      return failures >= 0 ? Promise.reject(new AppError('unavailable', 'the database is locked')) : storage.pruneRuns(...args);
    },
  };
  const { runId } = await workbench.addRun(await workbench.addSink(), { createdAt: NOW - 2 * DAY, turn: completedTurn(1) });
  const retention = startRetention({
    storage: failing,
    blobs,
    clock: () => NOW,
    wallClock: () => NOW,
    settlesAt: () => 0,
    logger,
    maxAgeMs: DAY,
    maxBytes: null,
  });
  onTestEnd(() => retention.close());
  await until('the failure to be logged', () => logs.join('').includes('retention could not run; trying again later'));
  expect(await storage.getRun(runId)).not.toBeNull();
  await retention.run();
  expect(await storage.getRun(runId)).toBeNull();
});

test('while the clocks are not settled nothing goes for its age, and the database is kept within its size all the same', async () => {
  const sink = await workbench.addSink();
  const ofOld = await addBlob('old');
  const old = await workbench.addRun(sink, { createdAt: NOW - 31 * DAY, blobs: [ofOld], turn: completedTurn(1) });
  const unnamed = await addBlob('named by no run');
  let now = NOW;
  const retention = prepare({ maxAgeMs: DAY, clock: () => now, settlesAt: () => NOW + 1 }).start();
  await retention.run();
  expect(await storage.getRun(old.runId)).not.toBeNull();
  expect([hasBlob(ofOld), hasBlob(unnamed)]).toEqual([true, true]);
  await prepare({ maxBytes: 0, settlesAt: () => NOW + 1 })
    .start()
    .run();
  expect(await storage.getRun(old.runId)).toBeNull();
  now = NOW + 1;
  await retention.run();
  expect([hasBlob(ofOld), hasBlob(unnamed)]).toEqual([false, false]);
});

test('files age by the wall clock, which their own times are of', async () => {
  const young = await addBlob('young');
  await prepare({ clock: () => NOW + 60 * DAY, wallClock: () => NOW - DAY + 1000 })
    .start()
    .run();
  expect(hasBlob(young)).toBe(true);
});
