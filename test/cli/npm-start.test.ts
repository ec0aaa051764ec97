// `npm start` as a supervisor runs it: what ends npm ends the server, in order.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

test('SIGTERM to npm start reaches the server, which closes its database before it goes', async () => {
  const dataDir = tempDir();
  const npm = spawn('npm', ['start'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], SLUICE_DATA_DIR: dataDir, SLUICE_PORT: '0' },
    detached: true,
  });
  onTestEnd(() => {
    try {
      process.kill(-(npm.pid as number), 'SIGKILL');
    } catch {
      // The whole group has gone, as it should.
    }
  });
  let printed = '';
  npm.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const url = await until('the server to listen', () => /Sluice listens on (\S+)/.exec(printed)?.[1], 10_000);
  const answer = await fetch(`${url}/demo/github-webhook`, { method: 'POST', body: '{}' });
  expect(await answer.text()).toContain('"type":"complete"');
  expect(existsSync(join(dataDir, 'sluice.db-wal'))).toBe(true);

  npm.kill('SIGTERM');
  await once(npm, 'exit');
  await until('the database to be closed', () => !existsSync(join(dataDir, 'sluice.db-wal')), 10_000);
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
});
