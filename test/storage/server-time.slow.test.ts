// Server time on SQLite: it goes on after a restart, and the steps of the wall clock are kept.

import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { MachineClocks } from '../../src/clock.ts';
import { runNumberAt } from '../../src/core/run/run-id.ts';
import { openDatabase } from '../../src/storage/sqlite/database-file/open-database.ts';
import { createServerTimeOperations } from '../../src/storage/sqlite/server-time.ts';
import type { OpenedStorage } from '../../src/storage/storage.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { openDatabase as openStorage } from '../support/open-database.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { createWorkbench, NOW } from './contract/workbench.ts';

const HOUR = 3_600_000;

describe('the record of server time', () => {
  function openRecord(): { database: Database } & ReturnType<typeof createServerTimeOperations> {
    const database = openDatabase({
      directory: tempDir(),
      migrationsFolder: join(import.meta.dirname, '../../migrations/sqlite'),
      acceptLoss: false,
    });
    onTestEnd(() => void database.close());
    return { database, ...createServerTimeOperations(database) };
  }

  function insertRun(database: Database, createdAt: number): void {
    database
      .prepare(
        `INSERT INTO runs (id, nonce, app_no, sink_no, status, progress, created_at, epoch, last_seq, request, body_kind, body_charset, body, first_events)
         VALUES (?, '', 1, 1, 'completed', 0, ?, 1, 0, '{}', 'empty', 'utf-8', x'', '[]')`,
      )
      .run(runNumberAt(createdAt), createdAt);
  }

  test('is empty at first, whatever runs there are; then it is the latest time, with all steps in order', () => {
    const { database, readServerTime, recordServerTime } = openRecord();
    insertRun(database, NOW);
    expect(readServerTime()).toEqual({ seenAt: null, steps: [] });
    recordServerTime(NOW, []);
    recordServerTime(NOW + 5, [{ at: NOW + 3, aheadMs: -5000 }]);
    recordServerTime(NOW + 9, [{ at: NOW + 1, aheadMs: 1 }]);
    const steps = [
      { at: NOW + 1, aheadMs: 1 },
      { at: NOW + 3, aheadMs: -5000 },
    ];
    expect(readServerTime()).toEqual({ seenAt: NOW + 9, steps });
  });

  test('is no earlier than the newest run, which was stored after it', () => {
    const { database, readServerTime, recordServerTime } = openRecord();
    recordServerTime(NOW, []);
    insertRun(database, NOW + 20_000);
    expect(readServerTime()).toMatchObject({ seenAt: NOW + 20_000 });
  });

  test('keeps the last thousand steps', () => {
    const { readServerTime, recordServerTime } = openRecord();
    recordServerTime(
      NOW,
      Array.from({ length: 1100 }, (_, index) => ({ at: NOW + index, aheadMs: index })),
    );
    const { steps } = readServerTime();
    expect(steps).toHaveLength(1000);
    expect(steps.at(-1)).toEqual({ at: NOW + 1099, aheadMs: 1099 });
  });
});

describe('the time of a storage', () => {
  /** A machine with its data directory. The test sets both of its clocks. */
  function prepare() {
    const directory = tempDir();
    const machine = { wall: NOW, elapsed: 0 };
    const elapsedMs = (): number => machine.elapsed;
    const clocks: MachineClocks = { wall: () => machine.wall, elapsedMs, uptimeMs: elapsedMs };
    async function start(): Promise<OpenedStorage> {
      const opened = await openStorage(directory, clocks);
      onTestEnd(() => opened.storage.close());
      return opened;
    }
    function pass(ms: number): void {
      machine.wall += ms;
      machine.elapsed += ms;
    }
    return { machine, pass, start };
  }

  test('begins as wall time and follows elapsed time', async () => {
    const { machine, pass, start } = prepare();
    const { time } = (await start()).node;
    expect(time.clock()).toBe(NOW);
    pass(500);
    machine.wall += 900;
    expect(time.clock()).toBe(NOW + 500);
    expect([time.toWall(NOW + 7), time.fromWall(NOW + 7), time.settlesAt()]).toEqual([NOW + 7, NOW + 7, 0]);
  });

  test('goes on after a restart, with the time in which the server was down', async () => {
    const { pass, start } = prepare();
    const first = await start();
    pass(5000);
    await first.storage.close();
    pass(7000);
    expect((await start()).node.time.clock()).toBe(NOW + 12_000);
  });

  test('goes on where it was when the wall clock was set back meanwhile', async () => {
    const { machine, pass, start } = prepare();
    const first = await start();
    pass(5000);
    await first.storage.close();
    machine.wall -= HOUR;
    const { time } = (await start()).node;
    expect(time.clock()).toBe(NOW + 5000);
    expect(time.toWall(time.clock())).toBe(NOW + 5000 - HOUR);
  });

  test('is no earlier than the newest run, even if it was recorded before', async () => {
    const { start } = prepare();
    const first = await start();
    const { addSink, addRun } = createWorkbench(first);
    await addRun(await addSink(), { createdAt: NOW + 20_000 });
    await first.storage.close();
    expect((await start()).node.time.clock()).toBe(NOW + 20_000);
  });

  test('shows wall time across a step of the wall clock, which is kept, and settles an hour later', async () => {
    const { machine, pass, start } = prepare();
    const first = await start();
    pass(1000);
    machine.wall += 24 * HOUR;
    const { time } = first.node;
    await until('the step to be noticed', () => time.toWall(NOW + 1000) !== NOW + 1000);
    expect(time.toWall(NOW + 999)).toBe(NOW + 999);
    expect(time.toWall(NOW + 1000)).toBe(NOW + 1000 + 24 * HOUR);
    expect(time.fromWall(NOW + 1000 + 24 * HOUR)).toBe(NOW + 1000);
    expect(time.settlesAt()).toBe(NOW + 1000 + HOUR);
    await first.storage.close();
    pass(1000);
    const second = (await start()).node.time;
    expect(second.clock()).toBe(NOW + 2000);
    expect([second.toWall(NOW + 999), second.toWall(NOW + 2000)]).toEqual([NOW + 999, NOW + 2000 + 24 * HOUR]);
  });

  test('settles an hour after a start that follows more than a day', async () => {
    const { pass, start } = prepare();
    await (await start()).storage.close();
    pass(25 * HOUR);
    const { time } = (await start()).node;
    expect([time.clock(), time.settlesAt()]).toEqual([NOW + 25 * HOUR, NOW + 26 * HOUR]);
  });
});
