// Files that steps write stay below their directory, whatever the path says and whatever lies on the way.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeStepFile } from '../../src/files/step-files.ts';
import { tempDir } from '../support/temp-dir.ts';

function prepare(): { root: string; outside: string } {
  const folder = tempDir();
  const [root, outside] = [join(folder, 'files'), join(folder, 'outside')];
  for (const made of [root, outside]) mkdirSync(made);
  return { root, outside };
}

/** False when something is there. */
function placeLink(target: string, path: string): boolean {
  try {
    symlinkSync(target, path);
    return true;
  } catch {
    return false;
  }
}

const write = (root: string, path: string, mode: 'create' | 'append' = 'append') => writeStepFile(root, { path, content: 'text', mode });

test('a file is made with its folders, for its owner alone, and added to', async () => {
  const { root } = prepare();
  expect(await write(root, 'a/b/c.txt', 'create')).toEqual({ kind: 'written' });
  expect(await write(root, 'a/b/c.txt')).toEqual({ kind: 'written' });
  expect(readFileSync(join(root, 'a/b/c.txt'), 'utf8')).toBe('texttext');
  for (const made of ['a', 'a/b', 'a/b/c.txt']) expect(statSync(join(root, made)).mode & 0o077).toBe(0);
  expect(await write(root, 'a/b/c.txt', 'create')).toEqual({ kind: 'not_written', error: '"a/b/c.txt" cannot be written (EEXIST)' });
});

test('the directory itself is made, and may be a link of the operator', async () => {
  const { root, outside } = prepare();
  rmSync(root, { recursive: true });
  expect(await write(root, 'a.txt')).toEqual({ kind: 'written' });
  rmSync(root, { recursive: true });
  symlinkSync(outside, root);
  expect(await write(root, 'b/a.txt')).toEqual({ kind: 'written' });
  expect(readFileSync(join(outside, 'b/a.txt'), 'utf8')).toBe('text');
});

test.each(['../a.txt', 'a/../../a.txt', '/a.txt', '', '.', 'a\0.txt'])('%j lies outside', async (path) => {
  const { root } = prepare();
  expect(await write(root, path)).toMatchObject({ kind: 'not_written', error: expect.stringContaining('lies outside') });
});

describe('a link is not followed', () => {
  test.each<['create' | 'append']>([['create'], ['append']])('in place of the file (%s)', async (mode) => {
    const { root, outside } = prepare();
    writeFileSync(join(outside, 'secret'), 'secret');
    symlinkSync(join(outside, 'secret'), join(root, 'a.txt'));
    symlinkSync(join(outside, 'new'), join(root, 'dangling.txt'));
    for (const path of ['a.txt', 'dangling.txt']) expect((await write(root, path, mode)).kind).toBe('not_written');
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
    expect(readdirSync(outside)).toEqual(['secret']);
  });

  test.each([['first/a.txt'], ['first/second/a.txt'], ['first/second/third/a.txt']])('in place of a folder of %s', async (path) => {
    const { root, outside } = prepare();
    mkdirSync(join(outside, 'second'));
    symlinkSync(outside, join(root, 'first'));
    const error = `"${path}" is a link or lies below a link; links are not followed`;
    expect(await write(root, path)).toEqual({ kind: 'not_written', error });
    expect(readdirSync(outside)).toEqual(['second']);
    expect(readdirSync(join(outside, 'second'))).toEqual([]);
  });

  test('that takes the place of a folder while files are written to it', async () => {
    const { root, outside } = prepare();
    let swaps = 0;
    for (let round = 0; round < 100; round += 1) {
      const writes = Array.from({ length: 4 }, (_, n) => write(root, `logs/below/${round}-${n}.txt`, 'create'));
      for (let swap = 0; swap < 4; swap += 1) {
        await new Promise(setImmediate);
        if (statSync(join(root, 'logs'), { throwIfNoEntry: false }) === undefined) continue;
        renameSync(join(root, 'logs'), join(root, `away-${round}-${swap}`));
        // A write may have made the folder anew by now.
        if (!placeLink(outside, join(root, 'logs'))) continue;
        swaps += 1;
        await new Promise(setImmediate);
        rmSync(join(root, 'logs'));
      }
      await Promise.all(writes);
    }
    expect(swaps).toBeGreaterThan(0);
    expect(readdirSync(outside)).toEqual([]);
  });
});

test('what is no file is not written to, and holds nothing up', async () => {
  const { root } = prepare();
  spawnSync('/usr/bin/mkfifo', [join(root, 'pipe')]);
  mkdirSync(join(root, 'folder'));
  writeFileSync(join(root, 'file'), 'text');
  for (const path of ['pipe', 'folder', 'file/below.txt']) expect((await write(root, path)).kind, path).toBe('not_written');
});
