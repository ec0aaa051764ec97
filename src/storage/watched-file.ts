// A file that must stay what it was when it was opened. Who has it open writes on to it when its name is given to another
// file, or to none, and what is written then ends with the process.

import { type Stats, statSync } from 'node:fs';
import { basename } from 'node:path';

export interface WatchedFile {
  path: string;
  /** In a few words what became of it; null while it is under its name. Costs some 3 µs. */
  displacement(): string | null;
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

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // No folder is left, or none that may be read.
    return undefined;
  }
}
