// Emits src as JavaScript to dist, unless dist matches src already. `npm ci` and the tests run it. If TypeScript is not
// installed, as with `--omit=dev`, it emits nothing and the server runs its source.

import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { emittedState, listSource, noteEmittedFrom } from './emitted.mjs';

const ROOT = join(import.meta.dirname, '..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

if (existsSync(TSC) && emittedState() !== 'current') {
  // Listed before it is read, so that an edit made meanwhile is emitted again.
  const list = listSource();
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  execFileSync(process.execPath, [TSC, '-p', 'scripts/tsconfig.emit.json'], { cwd: ROOT, stdio: 'inherit' });
  noteEmittedFrom(list);
}
