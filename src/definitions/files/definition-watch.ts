// Watches definition files by polling their state; events only speed that up. Editors write or rename, Kubernetes swaps a
// link (`..data`), a release swaps the folder, and some file systems report no events.

import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { listDefinitionFiles } from './definition-files.ts';

export interface DefinitionWatch {
  close(): void;
}

const CHECK_EVERY_MS = 1000;
/** A save may have several steps: it is complete when nothing has changed for this long. */
const QUIET_MS = 100;
const MAX_QUIET_CHECKS = 50;

/** `paths` are files or folders, which may also be created later. */
export async function watchDefinitionFiles(paths: readonly string[], onChange: () => Promise<void>): Promise<DefinitionWatch> {
  let known = await fingerprint(paths);
  let isChecking = false;
  let isClosed = false;

  async function check(): Promise<void> {
    if (isChecking) return;
    isChecking = true;
    const found = await settled(paths, known);
    if (!isClosed && found !== known) {
      known = found;
      await onChange();
    }
    isChecking = false;
  }

  const timer = setInterval(() => void check(), CHECK_EVERY_MS).unref();
  const watchers = await Promise.all(paths.map((path) => watchEvents(path, () => void check())));
  return {
    close() {
      isClosed = true;
      clearInterval(timer);
      for (const watcher of watchers) watcher?.close();
    },
  };
}

/** Resolves to the fingerprint once it is stable, or at once when it is still `known`. */
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

/** Changes with the files, and their content, at the paths. Follows links. */
async function fingerprint(paths: readonly string[]): Promise<string> {
  const lists = await Promise.all(paths.map(listDefinitionFiles));
  const states = lists.flatMap(({ files, fault }) => [...files.map(stateOf), fault ?? '']);
  return (await Promise.all(states)).join('\n');
}

async function stateOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [file, dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return `${file} ${(error as NodeJS.ErrnoException).code}`;
  }
}

/** Calls back at once on a change, if the file system reports events. Null otherwise: polling continues in any case. */
async function watchEvents(path: string, onEvent: () => void): Promise<FSWatcher | null> {
  try {
    const folder = (await stat(path)).isDirectory() ? path : dirname(path);
    const watcher = watch(folder, { persistent: false }, onEvent);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}
