// `npm start`, as in the README: it serves the demo and says so, and a signal to npm reaches the server. A shell between
// the two that did not exec the server would die of the signal and leave the server running with its data locked.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { ROOT } from './markdown.ts';

test('npm start serves the demo and says so; SIGTERM to it stops the server itself', { timeout: 90_000 }, async () => {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], SLUICE_DATA_DIR: join(tempDir(), 'data'), SLUICE_PORT: '0' };
  // Its own process group, so that no process outlives a failed test.
  const npm = spawn('npm', ['start'], { cwd: ROOT, env: { ...env, SLUICE_MIN_FREE_DISK: '0B' }, detached: true });
  onTestEnd(() => killGroup(npm.pid as number));
  // The streams close when the last process that has them has ended: npm, and the server behind it.
  const closed = once(npm, 'close');
  let printed = '';
  for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const url = await until('the server behind npm start', () => /listens on (\S+)/.exec(printed)?.[1], 60_000);

  const first = await fetch(`${url}/demo/webhook`, { method: 'POST', headers: { accept: 'application/json' } });
  expect(await first.json()).toMatchObject({ status: 'completed' });
  expect(printed).toMatch(/^ {2}demo {9}.*config\/demo, which anyone may trigger; "sluice serve" starts without it$/m);
  expect(printed).toMatch(/"level":"warn".*the demo is served/);

  npm.kill('SIGTERM');
  await closed;
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
});

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All processes have ended, as expected.
  }
}
