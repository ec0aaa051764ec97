// The machine of the server under test: a disk that can be full, and a wall clock that can be set.

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openFaultyDisk } from '../../fault/faulty-disk.ts';
import { onTestEnd } from '../../support/cleanup.ts';
import { tempDir } from '../../support/temp-dir.ts';

export interface FaultyMachine {
  dataDir: string;
  /** For the server's environment. */
  env: Record<string, string>;
  /** From now on no file can grow. */
  fillDisk(): void;
  /** From now on no sync succeeds. */
  breakDisk(): void;
  repairDisk(): void;
  /** Sets the wall clock so far from the real one. Null where the clock of a process cannot be replaced. */
  setClock: ((differenceMs: number) => void) | null;
}

/** Both faults are libraries that the server preloads, so that no privilege is needed. Throws without a C compiler. */
export function openFaultyMachine(): FaultyMachine {
  const disk = openFaultyDisk();
  const machine = { dataDir: disk.dataDir, env: disk.env, fillDisk: disk.fill, breakDisk: disk.breakSync, repairDisk: disk.repair };
  if (process.platform !== 'linux') return { ...machine, setClock: null };
  const directory = tempDir();
  const library = join(directory, 'stepped-clock.so');
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, join(import.meta.dirname, 'stepped-clock.c'), '-ldl']);
  const path = join(directory, 'difference');
  writeFileSync(path, Buffer.alloc(8));
  const file = openSync(path, 'r+');
  onTestEnd(() => closeSync(file));
  const setClock = (differenceMs: number): void => {
    const written = Buffer.alloc(8);
    written.writeBigInt64LE(BigInt(Math.round(differenceMs)));
    writeSync(file, written, 0, 8, 0);
  };
  return { ...machine, env: { ...disk.env, LD_PRELOAD: `${disk.env['LD_PRELOAD']}:${library}`, STEPPED_CLOCK: path }, setClock };
}
