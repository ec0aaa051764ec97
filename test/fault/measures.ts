// What the fault tests measure of a server and of its answers.

import { readFileSync } from 'node:fs';
import type { ServerProcess } from '../support/server-process.ts';

/** Resident memory of the whole process. */
export function rssMb({ child }: Pick<ServerProcess, 'child'>): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Milliseconds that all threads of the process have computed, of which Linux counts every ten. */
export function cpuMs({ child }: Pick<ServerProcess, 'child'>): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') as string[];
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

export function p99(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] as number;
}

/** Milliseconds until the call's end. */
export async function timed(call: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await call();
  return performance.now() - began;
}
