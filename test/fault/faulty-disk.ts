// A disk that a test can fill, empty and break. A real small file system where this process may mount one; elsewhere,
// and to break a sync, a library preloaded into the server that lets the calls fail.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestEnd } from '../support/cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';

export interface FaultyDisk {
  dataDir: string;
  /** For the server's environment. */
  env: Record<string, string>;
  /** From now on no file can grow. */
  fill(): void;
  /** From now on no sync succeeds. */
  breakSync(): void;
  /** All is well again. */
  repair(): void;
}

const SIZE = '16m';

export function openSmallDisk(): FaultyDisk {
  const directory = tempDir();
  const isMounted =
    spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0700`, 'tmpfs', directory], { stdio: 'ignore' }).status === 0;
  if (!isMounted) return openFaultyDisk();
  onTestEnd(() => void execFileSync('umount', ['--lazy', directory]));
  const filler = join(directory, 'filler');
  return {
    dataDir: join(directory, 'data'),
    env: {},
    fill: () => void spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k'], { stdio: 'ignore' }),
    breakSync() {
      throw new Error('only the preloaded disk can break a sync');
    },
    repair: () => rmSync(filler),
  };
}

/** Throws when there is no C compiler: better-sqlite3 needs one too. */
export function openFaultyDisk(): FaultyDisk {
  const directory = tempDir();
  const library = join(directory, 'faulty-disk.so');
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, join(import.meta.dirname, 'faulty-disk.c'), '-ldl']);
  const dataDir = join(directory, 'data');
  mkdirSync(dataDir);
  const control = join(directory, 'control');
  return {
    dataDir,
    env: { LD_PRELOAD: library, FAULTY_DISK: dataDir, FAULTY_DISK_CONTROL: control },
    fill: () => writeFileSync(control, 'full'),
    breakSync: () => writeFileSync(control, 'sync'),
    repair: () => rmSync(control),
  };
}
