// The preloaded library that lets file calls fail, and the shared memory through which a test says which.

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CALLS, controlOf, type FaultPoint } from './fault-points.ts';

/** Arguments of Node. */
export const LOOP_PROGRAM = ['--import', 'tsx', join(import.meta.dirname, 'preloaded.ts')];

const CONTROL_BYTES = 28;
const SEEN = 5;
const HITS = 6;

/**
 * Builds the library in `folder`, and returns the environment of a process in which file calls below `watched` can fail.
 * Throws if there is no C compiler: better-sqlite3 needs one too.
 */
export function buildFaultLibrary(folder: string, watched: string): { LD_PRELOAD: string; FAULT_DIRECTORY: string; FAULT_CONTROL: string } {
  const library = join(folder, 'fault-library.so');
  const control = join(folder, 'fault-control');
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, join(import.meta.dirname, 'fault-library.c'), '-ldl']);
  writeFileSync(control, new Uint8Array(CONTROL_BYTES));
  return { LD_PRELOAD: library, FAULT_DIRECTORY: watched, FAULT_CONTROL: control };
}

/** Arms the library in all processes that share the control file. */
export class FaultControl {
  readonly #file: number;
  #call = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'r+');
  }

  arm(point: FaultPoint): void {
    const control = controlOf(point);
    this.#call = control[0] as number;
    writeSync(this.#file, control, 0, CONTROL_BYTES, 0);
  }

  /** Nothing is counted and nothing fails until `resume`. */
  pause(): void {
    this.#setCall(0);
  }

  resume(): void {
    this.#setCall(this.#call);
  }

  /** Runs `work` without faults. */
  paused<Result>(work: () => Result): Result {
    this.pause();
    try {
      return work();
    } finally {
      this.resume();
    }
  }

  /** Counts since the point was armed: the calls of its kind, and those of them that failed or were cut. */
  counts(): { seen: number; hits: number } {
    const control = new Int32Array(CONTROL_BYTES / 4);
    readSync(this.#file, control, 0, CONTROL_BYTES, 0);
    return { seen: control[SEEN] as number, hits: control[HITS] as number };
  }

  /** A function that returns how many syncs have failed since it was made. */
  watchSyncs(): () => number {
    const before = this.counts().hits;
    const isSync = this.#call === CALLS.indexOf('sync') + 1;
    return () => (isSync ? this.counts().hits - before : 0);
  }

  close(): void {
    closeSync(this.#file);
  }

  #setCall(call: number): void {
    writeSync(this.#file, Int32Array.of(call), 0, 4, 0);
  }
}
