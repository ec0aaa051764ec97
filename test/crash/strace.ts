// Kills a process at a chosen system call on a chosen file, without a word of that in the product.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestEnd } from '../support/cleanup.ts';
import type { ServerProcess } from '../support/server-process.ts';

/** Whether this machine has strace and lets it trace. */
export function canTrace(): boolean {
  return spawnSync('strace', ['-qqq', '-o', '/dev/null', 'true']).status === 0;
}

/** Runs a server under strace so that its `count`-th `call` on the file does what `effect` says, as `signal=SIGKILL`. */
export function injecting(dataDir: string, file: string, call: string, count: string, effect: string): string[] {
  const path = join(dataDir, file);
  return ['strace', '-f', '-qqq', '-o', '/dev/null', '-P', path, '-e', `trace=${call}`, '-e', `inject=${call}:${effect}:when=${count}`];
}

/** The server itself, when it runs under strace; it is killed when the test ends, should it still live. */
export function tracedPid({ child }: Pick<ServerProcess, 'child'>): number {
  const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')[0]);
  onTestEnd(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  });
  return pid;
}
