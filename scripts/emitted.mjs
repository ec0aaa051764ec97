// Tells whether dist matches src: dist contains a list of the files that it was emitted from, with their sizes and times.

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const SOURCE = join(ROOT, 'src');
const EMITTED_FROM = join(ROOT, 'dist/emitted-from.txt');

/** A line for each file. A copy that does not preserve times counts as changed, so that no edit is overlooked. */
export function listSource(folder = SOURCE) {
  const lines = readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return listSource(path);
    const { size, mtimeMs } = statSync(path);
    return `${path.slice(SOURCE.length)} ${size} ${mtimeMs}\n`;
  });
  return lines.sort().join('');
}

/** `none`: nothing or only a part was emitted. A deployment without its source is `current`. */
export function emittedState() {
  if (!existsSync(EMITTED_FROM)) return 'none';
  return !existsSync(SOURCE) || readFileSync(EMITTED_FROM, 'utf8') === listSource() ? 'current' : 'outdated';
}

export function noteEmittedFrom(list) {
  writeFileSync(EMITTED_FROM, list);
}
