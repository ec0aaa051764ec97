// Files that steps write, all below one directory that the operator set aside. Callers may choose their names, and others
// may write to the directory: so no link in it is followed, neither a file nor a folder of the way.

import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';

export type FileWriteResult = { kind: 'written' } | { kind: 'not_written'; error: string };

export interface StepFileWrite {
  /** Relative to the directory. */
  path: string;
  content: string;
  mode: 'create' | 'append';
}

/** A folder that is open, so that what is opened in it is in no other, whatever its path leads to by then. */
interface OpenFolder {
  handle: FileHandle;
  path: string;
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
/** `O_NONBLOCK`: a pipe in place of the file must not hold the thread. */
const FLAGS = {
  create: O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CREAT | O_EXCL,
  append: O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CREAT | O_APPEND,
};

/** Resolves once the content is on disk. A path that would lead out of the directory is not written, by links neither. */
export async function writeStepFile(directory: string, { path, content, mode }: StepFileWrite): Promise<FileWriteResult> {
  const root = resolve(directory);
  const way = relative(root, join(root, path));
  if (isAbsolute(path) || path.includes('\0') || way === '' || way.startsWith('..')) {
    return notWritten(path, 'lies outside of the directory for files (SLUICE_FILES_DIR)');
  }
  const opened: FileHandle[] = [];
  try {
    const names = way.split(sep);
    const name = names.pop() as string;
    await mkdir(root, { recursive: true, mode: 0o700 });
    // The way to the directory itself is the operator's, and may have links.
    let folder: OpenFolder = { path: root, handle: await open(root, O_RDONLY | O_DIRECTORY) };
    opened.push(folder.handle);
    for (const below of names) {
      folder = await openFolder(folder, below);
      opened.push(folder.handle);
    }
    const file = await open(within(folder, name), FLAGS[mode], 0o600);
    opened.push(file);
    if (!(await file.stat()).isFile()) return notWritten(path, 'is there already and is no file');
    await file.writeFile(content);
    await file.sync();
    return { kind: 'written' };
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    return notWritten(path, code === 'ELOOP' ? 'is a link or lies behind one, and links are not followed' : `cannot be written (${code})`);
  } finally {
    for (const handle of opened) await handle.close();
  }
}

/** Makes the folder where there is none. Rejects with ELOOP for a link. */
async function openFolder(parent: OpenFolder, name: string): Promise<OpenFolder> {
  const path = within(parent, name);
  await mkdir(path, { mode: 0o700 }).catch(unless('EEXIST'));
  try {
    return { path: join(parent.path, name), handle: await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) };
  } catch (error) {
    const found: Stats | undefined = await lstat(path).catch(() => undefined);
    if (found?.isSymbolicLink() === true) throw Object.assign(new Error('a link'), { code: 'ELOOP' });
    throw error;
  }
}

/** Linux opens by the folder that is open. Elsewhere the path is walked anew, so that only the folder itself was looked at. */
function within({ handle, path }: OpenFolder, name: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${handle.fd}/${name}` : join(path, name);
}

function unless(expected: string): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code !== expected) throw error;
  };
}

function notWritten(path: string, reason: string): FileWriteResult {
  return { kind: 'not_written', error: `"${path}" ${reason}` };
}
