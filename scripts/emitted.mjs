// Emits code into a folder unless it is there already: the folder contains a list of the files that its code was made from,
// with their sizes and times.

import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..');
/** Beside src. The lockfile stands for the packages in the bundle. */
const SOURCES = ['package-lock.json', 'tsconfig.json', 'scripts/emit.mjs', 'scripts/run-bundle.cjs', 'scripts/sqlite-binding.cjs'];

/** Verbs that need most of the program. The others call a server, and have a smaller bundle. */
export const WHOLE_PROGRAM = ['serve', 'workflow', 'validate'];

/** `none`: nothing or only a part was emitted. A deployment without its source is `current`. */
export function emittedState(folder) {
  if (!existsSync(listOf(folder))) return 'none';
  return !existsSync(join(ROOT, 'src')) || readFileSync(listOf(folder), 'utf8') === listSources() ? 'current' : 'outdated';
}

/** Replaces the folder, unless it is current, by what `emit` writes into it. Returns whether it did. */
export async function emitInto(folder, emit) {
  if (emittedState(folder) === 'current') return false;
  // Listed before it is read, so that an edit made meanwhile is emitted again.
  const list = listSources();
  rmSync(join(ROOT, folder), { recursive: true, force: true });
  await emit();
  writeFileSync(listOf(folder), list);
  return true;
}

function listOf(folder) {
  return join(ROOT, folder, 'emitted-from.txt');
}

/** A line for each file. A copy that does not preserve times counts as changed, so that no edit is overlooked. */
function listSources() {
  const lines = [...filesIn('src'), ...SOURCES].map((path) => {
    const stats = statSync(`${ROOT}/${path}`, { throwIfNoEntry: false });
    return `${path} ${stats?.size} ${stats?.mtimeMs}\n`;
  });
  return lines.sort().join('');
}

function filesIn(folder) {
  const entries = readdirSync(`${ROOT}/${folder}`, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesIn(path) : path;
  });
}
