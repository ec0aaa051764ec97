// A temporary folder for a test, removed when the test ends.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestEnd } from './cleanup.ts';

const MEMORY_DISK = '/dev/shm';

/** `onEnd` replaces the end of the running test, for folders that outlive one. */
export function tempDir(onEnd = onTestEnd): string {
  return makeDir(tmpdir(), onEnd);
}

/**
 * A folder in memory if the system has such a disk, for tests that measure milliseconds: every answer waits for a sync, and
 * on a shared disk a sync takes from 0.2 ms to 2 s.
 */
export function memoryDir(onEnd = onTestEnd): string {
  return makeDir(existsSync(MEMORY_DISK) ? MEMORY_DISK : tmpdir(), onEnd);
}

function makeDir(parent: string, onEnd: typeof onTestEnd): string {
  const path = mkdtempSync(join(parent, 'sluice-test-'));
  onEnd(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
