// The data directory: made at first start, readable by its owner alone.

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

/** The admin token in the directory; `makeToken` makes it when there is none yet. */
export async function readOrMakeAdminToken(
  directory: string,
  makeToken: () => string,
): Promise<{ token: string; path: string; isNew: boolean }> {
  const path = join(directory, ADMIN_TOKEN_FILE);
  const { text, isNew } = await readOrMake(path, 'admin token', makeToken);
  return { token: text, path, isNew };
}

/** What signs the placeholders of secrets; `makeKey` makes it when there is none yet. */
export async function readOrMakeSecretKey(directory: string, makeKey: () => string): Promise<string> {
  return (await readOrMake(join(directory, SECRET_KEY_FILE), 'secret key', makeKey)).text;
}

async function readOrMake(path: string, what: string, make: () => string): Promise<{ text: string; isNew: boolean }> {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    if (text.length < 16) throw new Error(`the ${what} in ${path} is too short to be one; delete the file to have a new one made`);
    return { text, isNew: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const text = make();
    await writeWhole(path, `${text}\n`);
    return { text, isNew: true };
  }
}

/** The file appears with all that is in it, however the process ends. */
async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
