// What a process uses, as Linux tells in /proc: CPU time of all its threads, ended ones too, and resident memory.

import { readFileSync } from 'node:fs';

/** USER_HZ is 100 on every architecture that Node runs on. */
const MICROS_PER_TICK = 10_000;
const UTIME_AFTER_NAME = 11;

/** User and system time since the process began, in steps of 10 ms. */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, in brackets, may hold spaces; fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[UTIME_AFTER_NAME]) + Number(fields[UTIME_AFTER_NAME + 1])) * MICROS_PER_TICK;
}

export function residentMegabytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  if (kilobytes === undefined) throw new Error(`process ${pid} has no resident memory any more`);
  return Number(kilobytes) / 1024;
}

/** Files and sockets that a process started from here may have open; Node raises its own limit to it. */
export function openFilesLimit(): number {
  const [, hard] = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
  return hard === undefined || hard === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(hard);
}
