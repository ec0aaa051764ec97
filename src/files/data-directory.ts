// The data directory: created at the first start, and readable only by its owner.

import { constants } from 'node:fs';
import { access, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const ADMIN_TOKEN_FILE = 'admin-token';
const SECRET_KEY_FILE = 'secret-key';
/** A shorter token or key was cut off or typed by hand. */
const MIN_LENGTH = 16;

/** Creates the directory if needed, and checks that it can be written. Rejects with one line that gives the reason. */
export async function prepareDataDirectory(directory: string): Promise<void> {
  // The same name each time: a probe that cannot be removed is found by the next start.
  const probe = join(directory, '.probe');
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    await (await open(probe, 'w', 0o600)).close();
    await rm(probe, { force: true });
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new Error(
      `the data directory ${directory} cannot be written (${code}); let this user write to it, or set SLUICE_DATA_DIR to another directory`,
    );
  }
}

/** Reads the admin token of the directory, or creates it with `makeToken`. */
export async function readOrMakeAdminToken(
  directory: string,
  makeToken: () => string,
): Promise<{ token: string; path: string; isNew: boolean }> {
  const path = join(directory, ADMIN_TOKEN_FILE);
  const { text, isNew } = await readOrCreate(path, 'admin token', makeToken);
  return { token: text, path, isNew };
}

/** Reads the key that signs secret placeholders, or creates it with `makeKey`. */
export async function readOrMakeSecretKey(directory: string, makeKey: () => string): Promise<string> {
  return (await readOrCreate(join(directory, SECRET_KEY_FILE), 'secret key', makeKey)).text;
}

async function readOrCreate(path: string, name: string, make: () => string): Promise<{ text: string; isNew: boolean }> {
  try {
    const found = await readIfPresent(path);
    if (found !== null) return { text: refuseShort(found.trim(), path, name), isNew: false };
    const text = make();
    await writeAtomically(path, `${text}\n`);
    return { text, isNew: true };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Error(`the ${name} in ${path} cannot be read or created (${code})`);
  }
}

async function readIfPresent(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function refuseShort(text: string, path: string, name: string): string {
  if (text.length >= MIN_LENGTH) return text;
  throw new Error(`the ${name} in ${path} has fewer than ${MIN_LENGTH} characters; delete the file, and the next start creates a new one`);
}

/** Writes atomically and durably: the file appears with its whole content, even if the power fails. */
async function writeAtomically(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await syncFolder(dirname(path));
}

/** Makes the names in the folder durable. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
