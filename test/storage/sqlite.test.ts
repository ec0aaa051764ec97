// The storage contract on SQLite.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite-storage.ts';
import { plentyOfMemory } from '../support/plenty-of-memory.ts';
import { describeStorageContract } from './storage-contract.ts';

const directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));

describeStorageContract('SQLite', {
  open: () =>
    openSqliteStorage({
      memory: plentyOfMemory().commits,
      directory,
      onFatal: (error) => {
        throw error;
      },
    }),
  dispose: () => rm(directory, { recursive: true }),
});
