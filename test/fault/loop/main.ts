// Runs a fault loop, one kind of call of it, or a single point.
// Usage: node --import tsx test/fault/loop/main.ts <loop> [<call> [<n> <once|always> <fault>]]

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFaultLibrary, LOOP_PROGRAM } from './fault-library.ts';

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sluice-faults-'));
try {
  const env = { ...process.env, ...buildFaultLibrary(folder, join(folder, 'watched')) };
  const { status } = spawnSync(process.execPath, [...LOOP_PROGRAM, ...process.argv.slice(2)], { env, stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
