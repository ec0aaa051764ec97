// The data directory: made for its owner alone, and the admin token that is made in it once.

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prepareDataDirectory, readOrMakeAdminToken } from '../../src/files/data-directory.ts';
import { tempDir } from '../support/temp-dir.ts';

const TOKEN = 'a-token-of-32-characters-or-more';
const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('a directory that is not there is made, with all above it, for its owner alone', async () => {
  const directory = join(tempDir(), 'a', 'b');
  await prepareDataDirectory(directory);
  expect(modeOf(directory)).toBe(0o700);
});

test('a directory that is there keeps what is in it, and gets nothing more', async () => {
  const directory = tempDir();
  writeFileSync(join(directory, 'kept'), 'x');
  await prepareDataDirectory(directory);
  expect(readFileSync(join(directory, 'kept'), 'utf8')).toBe('x');
});

test('the admin token is made once, readable by its owner alone', async () => {
  const directory = tempDir();
  const path = join(directory, 'admin-token');
  expect(await readOrMakeAdminToken(directory, () => TOKEN)).toEqual({ token: TOKEN, path, isNew: true });
  expect(await readOrMakeAdminToken(directory, () => 'another')).toEqual({ token: TOKEN, path, isNew: false });
  expect(readFileSync(path, 'utf8')).toBe(`${TOKEN}\n`);
  expect(modeOf(path)).toBe(0o600);
});

test('a start that was cut short while it made the token is no trouble for the next one', async () => {
  const directory = tempDir();
  writeFileSync(join(directory, 'admin-token.new'), 'half-a-tok');
  expect(await readOrMakeAdminToken(directory, () => TOKEN)).toMatchObject({ token: TOKEN, isNew: true });
  expect(existsSync(join(directory, 'admin-token.new'))).toBe(false);
});

test.each([
  ['empty', ''],
  ['too short', 'secret\n'],
])('a token file that is %s is refused, and its content not shown', async (_what, content) => {
  const directory = tempDir();
  writeFileSync(join(directory, 'admin-token'), content);
  await expect(readOrMakeAdminToken(directory, () => TOKEN)).rejects.toThrow(
    /^the admin token in .* has fewer than 16 characters; delete the file/,
  );
});

test('a token file that cannot be read is refused', async () => {
  const directory = tempDir();
  mkdirSync(join(directory, 'admin-token'));
  await expect(readOrMakeAdminToken(directory, () => TOKEN)).rejects.toThrow('EISDIR');
});
