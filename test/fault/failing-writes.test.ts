// A server on a disk on which the n-th sync or write fails: it stops with one clear line, and the next start completes
// every run that it had acknowledged.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { account, letRunsEnd, soundAccount } from '../crash/account.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { startServerProcess } from '../support/server-process.ts';
import { memoryDir } from '../support/temp-dir.ts';
import { buildFaultLibrary, FaultControl } from './loop/fault-library.ts';
import type { Call } from './loop/fault-points.ts';
import { defineSinks, trigger } from './server-calls.ts';

test.each<[call: Call, nth: number]>([
  ['sync', 1],
  ['sync', 7],
  ['write', 2],
  ['write', 40],
])('%s %i fails: the server stops, and no acknowledged run is lost', { timeout: 60_000 }, async (call, nth) => {
  const folder = memoryDir();
  const dataDir = join(folder, 'data');
  const env = buildFaultLibrary(folder, dataDir);
  const control = new FaultControl(env.FAULT_CONTROL);
  onTestEnd(() => control.close());
  const server = await startServerProcess({ dataDir, env });
  await defineSinks(server, 0.2);
  control.arm({ call, nth, fault: 'EIO', duration: 'once' });
  const acknowledged: string[] = [];
  for (let hasStopped = false; !hasStopped; ) {
    const answers = await Promise.allSettled(['/fault/hook', '/fault/later'].map((path) => trigger(server, path)));
    for (const answer of answers) {
      if (answer.status === 'fulfilled' && answer.value.status === 202) acknowledged.push(answer.value.runId as string);
      else hasStopped = true;
    }
  }
  expect(await server.exited).toBe(1);
  expect(server.output().match(/^sluice: .*/gm)).toEqual([expect.stringMatching(/^sluice: .*(?:SQLITE_IOERR_|witness).*the server stops/)]);
  control.pause();
  const again = await startServerProcess({ dataDir, env });
  await letRunsEnd(again.url);
  again.kill('SIGTERM');
  expect(await again.exited).toBe(0);
  expect(await account(dataDir, acknowledged)).toEqual(soundAccount(acknowledged.length));
});
