// The writer: owns the lock of the data directory, the witness and the writing connection. A commit is acknowledged once it
// is synced, counted by the witness, and the files that it went to are still there.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { FatalStorageError } from '../storage-fault.ts';
import { callIn, concernsWholeBatch, type Operations, type Role, refuseAll, runEach, runEachAlone, type ThreadResult } from './batches.ts';
import { lockDataDirectory } from './database-file/data-lock.ts';
import { boundLog, foldLog } from './database-file/log-upkeep.ts';
import { DATABASE_FILE, LOG_FILE, type OpenOptions, openDatabase, readDatabaseState, WITNESS_FILE } from './database-file/open-database.ts';
import { saveDatabase } from './database-file/save-database.ts';
import { watchFile, watchFolder } from './database-file/watched-file.ts';
import { openWitness } from './database-file/witness.ts';
import { createWrites } from './operations.ts';

export function openWriter(options: OpenOptions): Role {
  const { directory } = options;
  const unlock = lockDataDirectory(directory);
  const database = openDatabase(options);
  const state = readDatabaseState(database);
  if (state === null) throw new Error('the database holds no state row; its first migration is broken');
  const witness = openWitness(join(directory, WITNESS_FILE), state);
  const main = watchFile(join(directory, DATABASE_FILE));
  const log = watchFile(join(directory, LOG_FILE));
  const folder = watchFolder(directory);
  const files = [main, log, watchFile(join(directory, WITNESS_FILE))];
  const call = callIn(createWrites(database) as unknown as Operations);
  const callAlone = database.transaction(call);
  const countCommit = database.prepare('UPDATE database_state SET commit_seq = ?');
  const totalChanges = database.prepare('SELECT total_changes()').pluck();
  let commitSeq = state.commitSeq;

  /** A batch that changed nothing needs no sync, and is no commit. */
  const transaction = database.transaction((work: () => ThreadResult) => {
    const before = totalChanges.get();
    const result = work();
    const hasChanged = totalChanges.get() !== before;
    if (hasChanged) countCommit.run(commitSeq + 1);
    return { result, hasChanged };
  });

  function commit(work: () => ThreadResult): ThreadResult {
    const { result, hasChanged } = transaction.immediate(work);
    if (hasChanged) {
      commitSeq += 1;
      try {
        witness.record(commitSeq);
      } catch (cause) {
        throw new FatalStorageError(`the witness cannot be written (${(cause as Error).message}); the server stops`, { cause });
      }
    }
    // After the commit and not before it, so that none is acknowledged that went to a file without a name.
    if (folder.mayHaveChanged()) refuseDisplaced();
    return result;
  }

  let rescue: string | null = null;
  function refuseDisplaced(): void {
    for (const file of files) {
      const displacement = file.displacement();
      if (displacement === null) continue;
      if (file === main) rescue ??= join(directory, `sluice-saved-${commitSeq}.db`);
      const saving = rescue === null ? '' : `, and what the database held is saved as ${rescue}`;
      throw new FatalStorageError(
        `${displacement} under the running server (data directory ${directory}); the server stops, because what it stored next would be lost${saving}`,
      );
    }
  }

  return {
    run(batch) {
      try {
        return commit(() => runEach(batch, call));
      } catch (error) {
        if (concernsWholeBatch(error)) return refuseAll(batch, error);
      }
      // One operation was refused: do the others without it.
      try {
        return commit(() => runEachAlone(batch, callAlone));
      } catch (error) {
        return refuseAll(batch, error);
      }
    },
    tend() {
      refuseDisplaced();
      boundLog(database, log.path);
    },
    close() {
      const isLogOurs = log.displacement() === null;
      if (main.displacement() === null) foldLog(database);
      else saveDatabase(database, rescue ?? join(directory, `sluice-saved-${commitSeq}.db`), isLogOurs ? log.path : null);
      database.close();
      // The log has been folded in, so that what has its name now belongs to another database.
      if (main.displacement() === null && !isLogOurs) rmSync(log.path, { force: true });
      witness.close();
      unlock();
    },
  };
}
