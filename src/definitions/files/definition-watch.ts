// Watches definition files and calls back after a save. A change is told by what the files are now, not by the event
// that hinted at it: editors save by writing or renaming, Kubernetes swaps a link (`..data`) beside the files, a
// release swaps the folder itself, and some file systems report nothing at all.

import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { listDefinitionFiles } from './definition-files.ts';

export interface DefinitionWatch {
  close(): void;
}

const LOOK_EVERY_MS = 1000;
/** A save may take several steps: what has not changed for so long is complete. */
const QUIET_MS = 100;
const MAX_QUIET_CHECKS = 50;

/** `paths` are files or folders; what is not there yet is noticed when it comes. */
export async function watchDefinitionFiles(paths: readonly string[], onChange: () => Promise<void>): Promise<DefinitionWatch> {
  let known = await fingerprint(paths);
  let isLooking = false;
  let isClosed = false;

  async function look(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    const found = await settled(paths, known);
    if (!isClosed && found !== known) {
      known = found;
      await onChange();
    }
    isLooking = false;
  }

  const timer = setInterval(() => void look(), LOOK_EVERY_MS).unref();
  const watchers = await Promise.all(paths.map((path) => hintOf(path, () => void look())));
  return {
    close() {
      isClosed = true;
      clearInterval(timer);
      for (const watcher of watchers) watcher?.close();
    },
  };
}

/** The fingerprint once it stays the same; the known one at once. */
async function settled(paths: readonly string[], known: string): Promise<string> {
  let found = await fingerprint(paths);
  for (let checks = 0; found !== known && checks < MAX_QUIET_CHECKS; checks += 1) {
    await pause(QUIET_MS);
    const again = await fingerprint(paths);
    if (again === found) break;
    found = again;
  }
  return found;
}

/** Differs whenever another file, or other content, is behind one of the paths; links are followed. */
async function fingerprint(paths: readonly string[]): Promise<string> {
  const lists = await Promise.all(paths.map(listDefinitionFiles));
  const marks = lists.flatMap(({ files, fault }) => [...files.map(markOf), fault ?? '']);
  return (await Promise.all(marks)).join('\n');
}

async function markOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [file, dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return `${file} ${(error as NodeJS.ErrnoException).code}`;
  }
}

/** Makes a change noticed at once where the system tells of it. Null where it does not: looking goes on all the same. */
async function hintOf(path: string, onHint: () => void): Promise<FSWatcher | null> {
  try {
    const folder = (await stat(path)).isDirectory() ? path : dirname(path);
    const watcher = watch(folder, { persistent: false }, onHint);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}
