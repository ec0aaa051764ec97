// Files that must stay what they were when they were opened. Who has a file open writes on to it when its name is given to
// another file, or to none, and what is written then ends with the process.

import { type Stats, statSync } from 'node:fs';
import { basename } from 'node:path';

/** More than a tick of the clock that file systems take their times from. */
const TICK_MS = 100;

export interface WatchedFile {
  path: string;
  /** In a few words what became of it; null while it is under its name. Costs a system call. */
  displacement(): string | null;
}

export interface WatchedFolder {
  /**
   * Whether a name in the folder may stand for another file than at the last call, or the folder's own name for another
   * folder. Names behind links are not seen. Costs a system call.
   */
  mayHaveChanged(): boolean;
}

/** What is under the name now is what must stay there; somebody must have it open, so that no other file gets its number. */
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
 * A folder's time of modification is that of the last name that was added, removed or given to another file (POSIX).
 * `elapsedMs` is a clock that cannot be set.
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
      // Changes within one tick leave the same time. All of them have been made once the tick is over.
      isSettled = elapsedMs() - seenAt > TICK_MS;
      return true;
    },
  };
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // No folder is left, or none that may be read.
    return undefined;
  }
}
