// The witness: a small file beside the database that counts its commits. SQLite takes a damaged write-ahead log for
// a short one and a missing log for none, and starts without a word; the witness is what then knows better.
//
// It is written after each commit and before the commit is acknowledged, without a sync of its own: whatever
// survives of it is never ahead of what the database had synced, so it raises no false alarm after a power cut.

import { closeSync, constants, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';

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
  const match = FORMAT.exec(text);
  return match === null ? 'unreadable' : { databaseId: match[1] as string, commitSeq: Number(match[2]) };
}

/** Returns in one sentence why the database is not what the witness saw, or null when it is. */
export function contradiction(witness: ReturnType<typeof readWitness>, found: DatabaseState | null): string | null {
  if (witness === null) return null;
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

export function openWitness(path: string, databaseId: string): Witness {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  return {
    record(commitSeq) {
      writeSync(file, `sluice-witness ${databaseId} ${String(commitSeq).padStart(15, '0')}\n`, 0, 'latin1');
    },
    close() {
      fdatasyncSync(file);
      closeSync(file);
    },
  };
}
