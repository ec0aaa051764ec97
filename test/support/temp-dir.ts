// A folder of its own for a test, removed when the test ends.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestEnd } from './cleanup.ts';

/** `onEnd` replaces the end of the running test, for folders that outlive one. */
export function tempDir(onEnd = onTestEnd): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  onEnd(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
