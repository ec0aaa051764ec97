// Detects files that are deleted, moved or replaced while they are open. A process that has such a file open continues to
// write to it, and those writes are lost when the process ends.

import { type Stats, statSync } from 'node:fs';
import { basename } from 'node:path';

/** Longer than a tick of the clock that gives file systems their times. */
const TICK_MS = 100;

export interface WatchedFile {
  path: string;
  /** Returns how the file lost its name. Null: it has it still. Costs a system call. */
  displacement(): string | null;
}

export interface WatchedFolder {
  /**
   * Whether a name in the folder, or the name of the folder, may refer to another file than at the last call. Does not see
   * names behind links. Costs a system call.
   */
  mayHaveChanged(): boolean;
}

/** Watches the file that has the name now. It must be open somewhere, so that no other file gets its inode number. */
export function watchFile(path: string): WatchedFile {
  const { ino, dev } = statSync(path);
  return {
    path,
    displacement() {
      const found = look(path);
      if (found === undefined) return `${basename(path)} was deleted or moved`;
      return found.ino === ino && found.dev === dev ? null : `${basename(path)} was replaced`;
    },
  };
}

/**
 * Watches the modification time of the folder, which changes when a name is added, removed or given to another file (POSIX).
 * `elapsedMs` is a monotonic clock.
 */
export function watchFolder(path: string, elapsedMs = (): number => performance.now()): WatchedFolder {
  let seen: Stats | null = null;
  let seenAt = 0;
  let isSettled = false;
  return {
    mayHaveChanged() {
      const found = look(path);
      if (found === undefined || found.mtimeMs !== seen?.mtimeMs || found.ino !== seen.ino || found.dev !== seen.dev) {
        seen = found ?? null;
        seenAt = elapsedMs();
        isSettled = false;
        return true;
      }
      if (isSettled) return false;
      // Several changes within one tick leave the same time, so the folder is settled only after that tick.
      isSettled = elapsedMs() - seenAt > TICK_MS;
      return true;
    },
  };
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // The folder is gone, or it cannot be read.
    return undefined;
  }
}
