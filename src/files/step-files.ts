// Writes files of steps, all below one directory that the operator chose. Callers can choose file names, and other programs
// can write to the directory, so no link is followed at any part of the path.

import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, unlink } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';

export type FileWriteResult = { kind: 'written' } | { kind: 'not_written'; error: string };

export interface StepFileWrite {
  /** Relative to the directory. */
  path: string;
  content: string;
  mode: 'create' | 'append';
}

/** An open folder: files opened through its handle are in it even if its path changes. */
interface OpenFolder {
  handle: FileHandle;
  path: string;
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
/** `O_NONBLOCK`: opening a pipe in place of the file must not block the thread. */
const FLAGS = {
  create: O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CREAT | O_EXCL,
  append: O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CREAT | O_APPEND,
};

/** Resolves once the content is on disk. Refuses a path that leads out of the directory, also by links. */
export async function writeStepFile(directory: string, { path, content, mode }: StepFileWrite): Promise<FileWriteResult> {
  const root = resolve(directory);
  const relativePath = relative(root, join(root, path));
  if (isAbsolute(path) || path.includes('\0') || relativePath === '' || relativePath.startsWith('..')) {
    return notWritten(path, 'lies outside of the directory for files (SLUICE_FILES_DIR)');
  }
  const opened: FileHandle[] = [];
  try {
    const names = relativePath.split(sep);
    const name = names.pop() as string;
    await mkdir(root, { recursive: true, mode: 0o700 });
    // The path of the directory itself is the operator's, and may contain links.
    let folder: OpenFolder = { path: root, handle: await open(root, O_RDONLY | O_DIRECTORY) };
    opened.push(folder.handle);
    for (const below of names) {
      folder = await openFolder(folder, below);
      opened.push(folder.handle);
    }
    const file = await open(within(folder, name), FLAGS[mode], 0o600);
    opened.push(file);
    const found = await file.stat();
    if (!found.isFile()) return notWritten(path, 'exists and is not a regular file');
    const folders = opened.slice(0, -1);
    await writeContent(file, content, found.size === 0 ? folders : []).catch(async (error: unknown) => {
      // A part of a new file would be taken for the whole. A log may have grown since, so it keeps a part of its entry.
      if (mode === 'create') await unlink(within(folder, name)).catch(() => undefined);
      throw error;
    });
    return { kind: 'written' };
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    return notWritten(path, code === 'ELOOP' ? 'is a link or lies below a link; links are not followed' : `cannot be written (${code})`);
  } finally {
    for (const handle of opened) await handle.close();
  }
}

/** Syncs the folders too in which names are new. */
async function writeContent(file: FileHandle, content: string, folders: readonly FileHandle[]): Promise<void> {
  await file.writeFile(content);
  await file.sync();
  // Some network file systems cannot sync a folder.
  for (const folder of folders) await folder.sync().catch(ignore('EINVAL'));
}

/** Creates the folder if it does not exist. Rejects with ELOOP for a link. */
async function openFolder(parent: OpenFolder, name: string): Promise<OpenFolder> {
  const path = within(parent, name);
  await mkdir(path, { mode: 0o700 }).catch(ignore('EEXIST'));
  try {
    return { path: join(parent.path, name), handle: await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) };
  } catch (error) {
    const found: Stats | undefined = await lstat(path).catch(() => undefined);
    if (found?.isSymbolicLink() === true) throw Object.assign(new Error('a link'), { code: 'ELOOP' });
    throw error;
  }
}

/** On Linux, a path through the open folder's handle. Elsewhere the path is resolved again, which leaves a race. */
function within({ handle, path }: OpenFolder, name: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${handle.fd}/${name}` : join(path, name);
}

function ignore(expected: string): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code !== expected) throw error;
  };
}

function notWritten(path: string, reason: string): FileWriteResult {
  return { kind: 'not_written', error: `"${path}" ${reason}` };
}
