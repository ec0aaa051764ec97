// What the fault tests measure of a server and of its answers.

import { readFileSync } from 'node:fs';
import type { ServerProcess } from '../support/server-process.ts';

/** Resident memory of the whole process. */
export function rssMb({ child }: Pick<ServerProcess, 'child'>): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
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
