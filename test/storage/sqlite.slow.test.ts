// The storage contract on SQLite.

import { createSqliteHarness } from './open-sqlite.ts';
import { describeStorageContract } from './storage-contract.ts';

describeStorageContract('SQLite', createSqliteHarness());
