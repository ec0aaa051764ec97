// Storages on SQLite for tests, whose time a test can set.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, MachineClocks } from '../../src/clock.ts';
import { createLogger } from '../../src/logger.ts';
import {
  openSqliteDatabase,
  openSqliteStorage,
  type SharedDatabase,
  type SqliteStorageOptions,
} from '../../src/storage/sqlite/sqlite-storage.ts';
import type { OpenedStorage } from '../../src/storage/storage.ts';
import { plentyOfMemory } from '../support/plenty-of-memory.ts';
import type { StorageHarness } from './storage-contract.ts';

/** Opens the database of the directory for one owner. The time of the storage is `clock`, even if its runs are of later. */
export async function openSqlite(
  directory: string,
  clock: Clock,
  options: Partial<Pick<SqliteStorageOptions, 'acceptLoss' | 'onFatal'>> = {},
): Promise<OpenedStorage> {
  const clocks = new FollowingClocks(clock);
  const opened = await openSqliteStorage({ ...optionsOf(directory, clocks), ...options });
  clocks.follow(opened);
  return opened;
}

/** The database is closed with its last storage, and opened again for the next one. */
export function createSqliteHarness(): StorageHarness {
  let directory: string | undefined;
  let database: SharedDatabase | undefined;
  let clocks: FollowingClocks;
  let storages = 0;

  async function closeLast(): Promise<void> {
    storages -= 1;
    if (storages > 0) return;
    await database?.close();
    database = undefined;
  }

  return {
    async open(clock) {
      directory ??= await mkdtemp(join(tmpdir(), 'sluice-test-'));
      if (database === undefined) {
        clocks = new FollowingClocks(clock);
        database = await openSqliteDatabase(optionsOf(directory, clocks));
      }
      const opened = await database.openStorage();
      clocks.follow(opened);
      storages += 1;
      return { ...opened, storage: closingWith(opened.storage, closeLast) };
    },
    async dispose() {
      if (directory !== undefined) await rm(directory, { recursive: true });
    },
  };
}

function closingWith(storage: OpenedStorage['storage'], after: () => Promise<void>): OpenedStorage['storage'] {
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await storage.close();
    closing ??= after();
    await closing;
  };
  return new Proxy(storage, {
    get(target, name) {
      if (name === 'close') return close;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const optionsOf = (directory: string, clocks: MachineClocks): SqliteStorageOptions => ({
  directory,
  memory: plentyOfMemory().commits,
  clocks,
  logger: createLogger('silent').logger,
  onFatal: (error) => {
    throw error;
  },
});

/** The clocks of a machine on which a storage has the time of another clock. It may go back, which those of no machine do. */
class FollowingClocks implements MachineClocks {
  readonly #clock: Clock;
  #aheadMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly wall = (): number => this.#clock();
  readonly elapsedMs = (): number => this.#clock() + this.#aheadMs;
  readonly uptimeMs = (): number => this.elapsedMs();

  /** The time of a storage starts no earlier than its newest run. From now on it is that of the clock. */
  follow({ node }: OpenedStorage): void {
    this.#aheadMs += this.#clock() - node.time.clock();
  }
}
