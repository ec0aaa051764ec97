// The witness: whatever happens to the files while the server is down, a start that would lose commits is refused.

import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase, readDatabaseState, WITNESS_FILE } from '../../src/storage/sqlite/database-file/open-database.ts';
import { openWitness } from '../../src/storage/sqlite/database-file/witness.ts';
import { tempDir } from '../support/temp-dir.ts';

const migrationsFolder = join(import.meta.dirname, '../../migrations/sqlite');
const COMMITS = 3;

/** Starts, makes its commits as the writer thread does, and stops; returns how many there are then. */
function commit(directory: string, { acceptLoss = false, commits = COMMITS } = {}): number {
  const opened = openDatabase({ directory, migrationsFolder, acceptLoss });
  const state = readDatabaseState(opened);
  if (state === null) throw new Error('the database holds no state');
  const opinion = openWitness(witness(directory), state);
  for (let count = 1; count <= commits; count += 1) {
    opened.prepare('UPDATE database_state SET commit_seq = ?').run(state.commitSeq + count);
    opinion.record(state.commitSeq + count);
  }
  opened.close();
  opinion.close();
  return state.commitSeq + commits;
}

const database = (directory: string): string => join(directory, 'sluice.db');
const witness = (directory: string): string => join(directory, WITNESS_FILE);

function stoppedServer(): string {
  const directory = tempDir();
  commit(directory);
  return directory;
}

test.each<[string, RegExp, (directory: string) => void]>([
  ['the database is deleted', /the database is missing or empty, but \d+ commits/, (directory) => rmSync(database(directory))],
  ['the database is emptied', /the database is missing or empty/, (directory) => writeFileSync(database(directory), '')],
  [
    'another database is put in its place',
    /the witness file belongs to the database [0-9a-f]{16}, but the database is [0-9a-f]{16}/,
    (directory) => copyFileSync(database(stoppedServer()), database(directory)),
  ],
  [
    'an older copy is put back',
    /the last 3 of \d+ commits are missing/,
    (directory) => {
      const copy = readFileSync(database(directory));
      commit(directory);
      writeFileSync(database(directory), copy);
    },
  ],
  ['the witness is deleted', /the witness file is missing/, (directory) => rmSync(witness(directory))],
  ['the witness is emptied', /the witness file is missing/, (directory) => writeFileSync(witness(directory), '')],
  [
    'the witness is damaged',
    /the witness file is damaged/,
    (directory) => writeFileSync(witness(directory), 'sluice-witness x\n'.repeat(9)),
  ],
])('when %s, the start is refused in one line that says what to do; --accept-loss goes on', (_what, reason, damage) => {
  const directory = stoppedServer();
  damage(directory);
  expect(() => commit(directory)).toThrow(reason);
  expect(() => commit(directory)).toThrow(/^[^\n]*restore a backup, or start once with --accept-loss[^\n]*$/);
  const left = commit(directory, { acceptLoss: true });
  expect(commit(directory)).toBe(left + COMMITS);
});

test('a refused database stays as it was found', () => {
  const directory = stoppedServer();
  const copy = readFileSync(database(directory));
  commit(directory);
  writeFileSync(database(directory), copy);
  expect(() => commit(directory)).toThrow('commits are missing');
  expect(readFileSync(database(directory)).equals(copy)).toBe(true);
  expect(statSync(`${database(directory)}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
});

test('a witness that is behind the database, as after a power cut, raises no alarm', () => {
  const directory = stoppedServer();
  const behind = readFileSync(witness(directory));
  commit(directory);
  writeFileSync(witness(directory), behind);
  expect(commit(directory)).toBe(3 * COMMITS);
});

test('a first start that was cut short before the witness was written is no loss', () => {
  const directory = tempDir();
  commit(directory, { commits: 0 });
  rmSync(witness(directory));
  expect(commit(directory)).toBe(COMMITS);
});

test('the database and the witness are readable by their owner alone', () => {
  const directory = stoppedServer();
  expect(statSync(witness(directory)).mode & 0o077).toBe(0);
  expect(statSync(database(directory)).mode & 0o077).toBe(0);
});
