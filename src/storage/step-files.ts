// Files that steps write, all below one directory that the operator set aside.

import { mkdir, open, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';

export type FileWriteResult = { kind: 'written' } | { kind: 'not_written'; error: string };

export interface StepFileWrite {
  /** Relative to the directory. */
  path: string;
  content: string;
  mode: 'create' | 'append';
}

/** Resolves once the content is on disk. A path that would lead out of the directory is not written, by links neither. */
export async function writeStepFile(directory: string, { path, content, mode }: StepFileWrite): Promise<FileWriteResult> {
  const root = resolve(directory);
  const target = join(root, path);
  if (isAbsolute(path) || path.includes('\0') || !isBelow(root, target)) return outside(path);
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    if (!isBelow(await realpath(root), join(await realpath(dirname(target)), 'file'))) return outside(path);
    const file = await open(target, mode === 'create' ? 'wx' : 'a', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    return { kind: 'written' };
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    return { kind: 'not_written', error: `"${path}" cannot be written (${code})` };
  }
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

function outside(path: string): FileWriteResult {
  return { kind: 'not_written', error: `"${path}" lies outside of the directory for files (SLUICE_FILES_DIR)` };
}
