// A folder whose names change: each change is seen, however fast they follow each other, and a folder at rest is at rest.

import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type WatchedFolder, watchFolder } from '../../src/storage/sqlite/database-file/watched-file.ts';
import { tempDir } from '../support/temp-dir.ts';

/** With a clock that shows a second more at each look, or stands still. */
function watch(folder: string, { isStill = false } = {}): WatchedFolder {
  let now = 0;
  return watchFolder(folder, () => {
    now += isStill ? 0 : 1000;
    return now;
  });
}

/** What it says at so many looks. */
const looks = (watched: WatchedFolder, count: number): boolean[] => Array.from({ length: count }, () => watched.mayHaveChanged());

test('a folder at rest has not changed, whatever is written into its files', () => {
  const folder = tempDir();
  writeFileSync(join(folder, 'file'), 'a');
  const watched = watch(folder);
  expect(looks(watched, 3)).toEqual([true, true, false]);
  writeFileSync(join(folder, 'file'), 'b');
  expect(looks(watched, 2)).toEqual([false, false]);
});

test('each of many changes within one tick of the clock is seen', () => {
  const folder = tempDir();
  const watched = watch(folder, { isStill: true });
  for (let change = 0; change < 500; change += 1) {
    writeFileSync(join(folder, 'copy'), '');
    expect(watched.mayHaveChanged(), `after the copy of change ${change}`).toBe(true);
    renameSync(join(folder, 'copy'), join(folder, 'kept'));
    expect(watched.mayHaveChanged(), `after change ${change}`).toBe(true);
  }
});

test('another folder under the name, and no folder at all, count as changes', () => {
  const parent = tempDir();
  const [folder, other, name] = ['one', 'other', 'name'].map((last) => join(parent, last)) as [string, string, string];
  mkdirSync(folder);
  mkdirSync(other);
  symlinkSync(folder, name);
  const watched = watch(name);
  expect(looks(watched, 3)).toEqual([true, true, false]);
  rmSync(name);
  expect(looks(watched, 3)).toEqual([true, true, true]);
  symlinkSync(other, name);
  expect(looks(watched, 3)).toEqual([true, true, false]);
});
