// The data directory: created at first start, readable only by its owner.

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const ADMIN_TOKEN_FILE = 'admin-token';
const SECRET_KEY_FILE = 'secret-key';

/** Rejects with one line that says why the directory cannot be used. */
export async function prepareDataDirectory(directory: string): Promise<void> {
  const probe = join(directory, `.probe-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    await (await open(probe, 'wx', 0o600)).close();
    await rm(probe);
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new Error(`the data directory ${directory} cannot be written (${code}); give one that this user may write to (SLUICE_DATA_DIR)`);
  }
}

/** Reads the admin token from the directory; creates it with `makeToken` when there is none yet. */
export async function readOrMakeAdminToken(
  directory: string,
  makeToken: () => string,
): Promise<{ token: string; path: string; isNew: boolean }> {
  const path = join(directory, ADMIN_TOKEN_FILE);
  const { text, isNew } = await readOrCreate(path, 'admin token', makeToken);
  return { token: text, path, isNew };
}

/** Reads the key that signs placeholders of secrets; creates it with `makeKey` when there is none yet. */
export async function readOrMakeSecretKey(directory: string, makeKey: () => string): Promise<string> {
  return (await readOrCreate(join(directory, SECRET_KEY_FILE), 'secret key', makeKey)).text;
}

async function readOrCreate(path: string, what: string, make: () => string): Promise<{ text: string; isNew: boolean }> {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    if (text.length < 16) throw new Error(`the ${what} in ${path} is too short to be one; delete the file to have a new one made`);
    return { text, isNew: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const text = make();
    await writeAtomically(path, `${text}\n`);
    return { text, isNew: true };
  }
}

/** Atomic: the file appears with its whole content, even if the process crashes. */
async function writeAtomically(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
