// The writer: owns the lock of the data directory, the witness and the connection that writes. A commit is acknowledged once
// it is synced, the witness has counted it, and its files are known to be in place.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { Batch } from '../commit-queue.ts';
import { FatalStorageError } from '../storage-fault.ts';
import {
  callIn,
  concernsWholeBatch,
  type Operations,
  type Role,
  type RunOperation,
  refuseAll,
  runEach,
  runEachAlone,
  type ThreadResult,
} from './batches.ts';
import { lockDataDirectory } from './database-file/data-lock.ts';
import { boundLog, foldLog } from './database-file/log-upkeep.ts';
import { DATABASE_FILE, LOG_FILE, type OpenOptions, openDatabase, readDatabaseState, WITNESS_FILE } from './database-file/open-database.ts';
import { saveDatabase } from './database-file/save-database.ts';
import { type WatchedFile, type WatchedFolder, watchFile, watchFolder } from './database-file/watched-file.ts';
import { openWitness, type Witness } from './database-file/witness.ts';
import { preparingLater } from './later-statements.ts';
import { createWrites } from './operations.ts';

interface Commit {
  result: ThreadResult;
  /** A batch that changed nothing needs no sync, and is not counted. */
  hasChanged: boolean;
}

/** Locks the data directory and opens its database. Throws if another server has it or the database is refused. */
export function openWriter(options: OpenOptions): Role {
  const unlock = lockDataDirectory(options.directory);
  let database: Database | undefined;
  try {
    database = openDatabase(options);
    return new Writer(options.directory, database, unlock);
  } catch (error) {
    database?.close();
    unlock();
    throw error;
  }
}

class Writer implements Role {
  readonly #directory: string;
  readonly #database: Database;
  readonly #unlock: () => void;
  readonly #witness: Witness;
  readonly #main: WatchedFile;
  readonly #log: WatchedFile;
  readonly #files: readonly WatchedFile[];
  readonly #folder: WatchedFolder;
  readonly #call: RunOperation;
  readonly #callAlone: RunOperation;
  readonly #transact: (work: () => ThreadResult) => Commit;
  #commitSeq: number;
  /** The file that the database will be saved to, once its own file is displaced. */
  #rescue: string | null = null;

  constructor(directory: string, database: Database, unlock: () => void) {
    const state = readDatabaseState(database);
    if (state === null) throw new Error('the table "database_state" is empty; the first migration must insert its row');
    this.#directory = directory;
    this.#database = database;
    this.#unlock = unlock;
    this.#commitSeq = state.commitSeq;
    this.#witness = openWitness(join(directory, WITNESS_FILE), state);
    this.#main = watchFile(join(directory, DATABASE_FILE));
    this.#log = watchFile(join(directory, LOG_FILE));
    this.#files = [this.#main, this.#log, watchFile(join(directory, WITNESS_FILE))];
    this.#folder = watchFolder(directory);
    this.#call = callIn(createWrites(preparingLater(database)) as unknown as Operations);
    this.#callAlone = database.transaction(this.#call);
    this.#transact = this.#createTransaction();
  }

  /** Stores the batch as one commit. If an operation is refused, stores the others without it. */
  run(batch: Batch): ThreadResult {
    try {
      return this.#commit(() => runEach(batch, this.#call));
    } catch (error) {
      if (concernsWholeBatch(error)) return refuseAll(batch, error);
    }
    try {
      return this.#commit(() => runEachAlone(batch, this.#callAlone));
    } catch (error) {
      return refuseAll(batch, error);
    }
  }

  tend(): void {
    this.#refuseDisplacedFiles();
    boundLog(this.#database, this.#log.path);
  }

  close(): void {
    const isLogOurs = this.#log.displacement() === null;
    if (this.#main.displacement() === null) foldLog(this.#database);
    else saveDatabase(this.#database, this.#rescue ?? this.#rescuePath(), isLogOurs ? this.#log.path : null);
    this.#database.close();
    // This database needs no log any more, so a file with the log's name belongs to another database.
    if (this.#main.displacement() === null && !isLogOurs) rmSync(this.#log.path, { force: true });
    this.#witness.close();
    this.#unlock();
  }

  #createTransaction(): (work: () => ThreadResult) => Commit {
    const countCommit = this.#database.prepare('UPDATE database_state SET commit_seq = ?');
    const totalChanges = this.#database.prepare('SELECT total_changes()').pluck();
    const transaction = this.#database.transaction((work: () => ThreadResult) => {
      const before = totalChanges.get();
      const result = work();
      const hasChanged = totalChanges.get() !== before;
      if (hasChanged) countCommit.run(this.#commitSeq + 1);
      return { result, hasChanged };
    });
    return transaction.immediate;
  }

  #commit(work: () => ThreadResult): ThreadResult {
    const { result, hasChanged } = this.#transact(work);
    if (hasChanged) this.#countInWitness();
    // Checked after the commit, so that no commit to a file that has lost its name is acknowledged.
    if (this.#folder.mayHaveChanged()) this.#refuseDisplacedFiles();
    return result;
  }

  #countInWitness(): void {
    this.#commitSeq += 1;
    try {
      this.#witness.record(this.#commitSeq);
    } catch (cause) {
      throw new FatalStorageError(`the witness file cannot be written (${(cause as Error).message}); the server stops`, { cause });
    }
  }

  #refuseDisplacedFiles(): void {
    for (const file of this.#files) {
      const displacement = file.displacement();
      if (displacement === null) continue;
      if (file === this.#main) this.#rescue ??= this.#rescuePath();
      const saving = this.#rescue === null ? '' : `; the content of the database is saved as ${this.#rescue}`;
      throw new FatalStorageError(
        `${displacement} under the running server (data directory ${this.#directory}); the server stops, because further commits would be lost${saving}`,
      );
    }
  }

  #rescuePath(): string {
    return join(this.#directory, `sluice-saved-${this.#commitSeq}.db`);
  }
}
