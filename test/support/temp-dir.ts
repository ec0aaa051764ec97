// A folder of its own for a test, removed when the test ends.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestEnd } from './cleanup.ts';

export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  onTestEnd(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
