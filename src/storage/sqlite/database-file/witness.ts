// The witness: a small file beside the database that counts its commits. SQLite takes a damaged write-ahead log for
// a short one and a missing log for none, and starts without a word; the witness is what then knows better.
//
// It is written after each commit and before the commit is acknowledged, without a sync of its own: whatever
// survives of it is never ahead of what the database had synced, so it raises no false alarm after a power cut.

import { closeSync, fdatasyncSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface DatabaseState {
  databaseId: string;
  commitSeq: number;
}

const FORMAT = /^sluice-witness ([0-9a-f]{16}) (\d{15})\n$/;

/** What the witness last saw; null when there is no witness, 'unreadable' when it is not one. */
export function readWitness(path: string): DatabaseState | 'unreadable' | null {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  // A file system may keep the name and lose the content; a name alone says as much as no file.
  if (text === '') return null;
  const match = FORMAT.exec(text);
  return match === null ? 'unreadable' : { databaseId: match[1] as string, commitSeq: Number(match[2]) };
}

/** Returns in one sentence why the database is not what the witness saw, or null when it is. */
export function contradiction(witness: ReturnType<typeof readWitness>, found: DatabaseState | null): string | null {
  if (witness === null) {
    // A first start that was cut short leaves a database without commits and no witness.
    if (found === null || found.commitSeq === 0) return null;
    return `the witness file is missing, so nobody can tell whether commits after the ${found.commitSeq} that the database holds were lost`;
  }
  if (witness === 'unreadable') return 'the witness file is damaged, so nobody can tell whether the database is whole';
  if (found === null) return `the database is missing or empty, but ${witness.commitSeq} commits were made to it`;
  if (found.databaseId !== witness.databaseId)
    return `the database (${found.databaseId}) is not the one that the witness knows (${witness.databaseId})`;
  const lost = witness.commitSeq - found.commitSeq;
  if (lost <= 0) return null;
  return `the last ${lost} of ${witness.commitSeq} commits are missing: the write-ahead log is damaged or was deleted, or an older copy was put back`;
}

export interface Witness {
  record(commitSeq: number): void;
  /** Brings the record to the disk and lets go of the file. */
  close(): void;
}

/** Starts over from what the database holds. The file appears whole or not at all, however the start ends. */
export function openWitness(path: string, { databaseId, commitSeq }: DatabaseState): Witness {
  const file = openSync(`${path}.new`, 'w', 0o600);
  const record = (seq: number): void => {
    writeSync(file, `sluice-witness ${databaseId} ${String(seq).padStart(15, '0')}\n`, 0, 'latin1');
  };
  record(commitSeq);
  fdatasyncSync(file);
  renameSync(`${path}.new`, path);
  syncDirectory(dirname(path));
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
