// A copy of the program with editable source, emitted like `npm ci` does.

import { execFileSync } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const COPIED = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'migrations',
  'scripts/code-caches.mjs',
  'scripts/emit.mjs',
  'scripts/emitted.mjs',
  'scripts/run-bundle.cjs',
  'scripts/sluice.mjs',
  'scripts/sqlite-binding.cjs',
  'src',
];

/** Copies the program into the folder and emits it there. */
export function makeEmittedCopy(folder: string): void {
  for (const path of COPIED) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  emit(folder);
}

export function emit(folder: string): void {
  execFileSync(process.execPath, [join(folder, 'scripts/emit.mjs')], { stdio: 'inherit' });
}
