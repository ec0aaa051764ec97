// Watches the definition files and calls back after a save. Editors save by writing, by renaming and in several
// steps, so it watches the folder and waits until it has been quiet for a moment.

import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

export interface DefinitionWatch {
  close(): void;
}

const QUIET_MS = 100;

export async function watchDefinitionFiles(path: string, onChange: () => void | Promise<void>): Promise<DefinitionWatch> {
  const isFolder = (await stat(path)).isDirectory();
  const folder = isFolder ? path : dirname(path);
  const concerns = (name: string | null): boolean => name === null || (isFolder ? /\.ya?ml$/.test(name) : name === basename(path));
  let timer: NodeJS.Timeout | undefined;
  const watcher: FSWatcher = watch(folder, (_event, name) => {
    if (!concerns(name)) return;
    clearTimeout(timer);
    timer = setTimeout(() => void onChange(), QUIET_MS);
  });
  // A folder that goes away ends the watching; the definitions that were read stay.
  watcher.on('error', () => watcher.close());
  return {
    close() {
      clearTimeout(timer);
      watcher.close();
    },
  };
}
