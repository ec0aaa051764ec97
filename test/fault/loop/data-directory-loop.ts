// Lets each file call fail with which a start prepares its data directory. A token or key that was used once must be
// the same at the next start.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { prepareDataDirectory, readOrMakeAdminToken, readOrMakeSecretKey } from '../../../src/files/data-directory.ts';
import { newToken } from '../../../src/ids.ts';
import type { FaultControl } from './fault-library.ts';
import type { TryPoint } from './fault-loop.ts';
import { FileChecks } from './file-checks.ts';

interface Prepared {
  token?: string;
  key?: string;
}

export function dataDirectoryLoop(folder: string): TryPoint {
  return async (_point, control) => {
    control.pause();
    const parent = mkdtempSync(join(folder, 'parent-'));
    try {
      return await tryStarts(join(parent, 'data'), control);
    } finally {
      control.pause();
      rmSync(parent, { recursive: true });
    }
  };
}

async function tryStarts(directory: string, control: FaultControl): Promise<string[]> {
  const checks = new FileChecks(control);
  const used: Prepared = {};
  control.resume();
  await checks.succeeds('the start', () => prepare(directory, used));
  control.pause();
  const next: Prepared = {};
  await checks.mustSucceed('the next start', () => prepare(directory, next));
  checks.check(used.token === undefined || used.token === next.token, 'the next start has another admin token');
  checks.check(used.key === undefined || used.key === next.key, 'the next start has another secret key');
  const left = readdirSync(directory).sort().join(', ');
  checks.check(left === 'admin-token, secret-key', `the data directory contains ${left}`);
  return checks.problems;
}

async function prepare(directory: string, prepared: Prepared): Promise<void> {
  await prepareDataDirectory(directory);
  prepared.token = (await readOrMakeAdminToken(directory, newToken)).token;
  prepared.key = await readOrMakeSecretKey(directory, newToken);
}
