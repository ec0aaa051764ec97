// The witness: a small file beside the database that counts its commits. SQLite treats a damaged WAL as a shorter one and a
// missing one as empty, and starts without an error. The witness detects the lost commits.
//
// It is written after each commit, before the commit is acknowledged, and not synced. So after a power cut it may be behind
// the database but never ahead, and causes no false alarm.

import { closeSync, fdatasyncSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface DatabaseState {
  databaseId: string;
  commitSeq: number;
}

const FORMAT = /^sluice-witness ([0-9a-f]{16}) (\d{15})\n$/;

/** Returns the last recorded state. Null: there is no witness. `unreadable`: the file is damaged. */
export function readWitness(path: string): DatabaseState | 'unreadable' | null {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  // A file system may keep the name and lose the content. An empty file counts as a missing one.
  if (text === '') return null;
  const match = FORMAT.exec(text);
  return match === null ? 'unreadable' : { databaseId: match[1] as string, commitSeq: Number(match[2]) };
}

/** Returns in one sentence how the database contradicts the witness. Null: it does not. */
export function contradiction(witness: ReturnType<typeof readWitness>, found: DatabaseState | null): string | null {
  if (witness === null) {
    // An interrupted first start leaves a database without commits and no witness.
    if (found === null || found.commitSeq === 0) return null;
    return `the witness file is missing, so commits after the ${found.commitSeq} in the database may have been lost`;
  }
  if (witness === 'unreadable') return 'the witness file is damaged, so commits may have been lost';
  if (found === null) return `the database is missing or empty, but ${witness.commitSeq} commits were stored in it`;
  if (found.databaseId !== witness.databaseId)
    return `the witness file belongs to the database ${witness.databaseId}, but the database is ${found.databaseId}`;
  const lost = witness.commitSeq - found.commitSeq;
  if (lost <= 0) return null;
  return `the last ${lost} of ${witness.commitSeq} commits are missing: the write-ahead log is damaged or was deleted, or an older copy was put back`;
}

export interface Witness {
  /** Writes the number of commits, without a sync. */
  record(commitSeq: number): void;
  /** Syncs and closes the file. */
  close(): void;
}

/** Replaces the witness by one with the state of the database. Atomic: the old file stays if the process crashes. */
export function openWitness(path: string, { databaseId, commitSeq }: DatabaseState): Witness {
  const file = openSync(`${path}.new`, 'w', 0o600);
  const record = (seq: number): void => {
    const line = Buffer.from(`sluice-witness ${databaseId} ${String(seq).padStart(15, '0')}\n`, 'latin1');
    // The system may write less than it is given.
    for (let written = 0; written < line.length; ) written += writeSync(file, line, written, line.length - written, written);
  };
  try {
    record(commitSeq);
    fdatasyncSync(file);
    renameSync(`${path}.new`, path);
    syncDirectory(dirname(path));
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return {
    record,
    close() {
      fdatasyncSync(file);
      closeSync(file);
    },
  };
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  fsyncSync(directory);
  closeSync(directory);
}
