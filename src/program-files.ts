// Where the program's own files are. A module of the bundle is in another folder than its source, so no module looks for
// files beside itself.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of `package.json`, which also contains `migrations`, `config`, `dist` and `src`. */
export const PROGRAM_FOLDER = folderAbove(import.meta.dirname);

function folderAbove(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  if (dirname(folder) === folder) throw new Error(`no folder above ${import.meta.dirname} contains package.json`);
  return folderAbove(dirname(folder));
}
