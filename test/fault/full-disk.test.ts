// A disk that is full: nothing is acknowledged that is not stored, the server lives, and goes on when there is space.

import { expect, test } from 'vitest';
import { account, letRunsEnd, soundAccount } from '../crash/account.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { openSmallDisk } from './faulty-disk.ts';
import { refusalOf } from './refusal.ts';
import { type Answer, defineSinks, health, statusOf, trigger } from './server-calls.ts';

const LARGE_BODY = JSON.stringify('x'.repeat(200_000));

function expectRefused(answer: Answer): void {
  expect(answer).toMatchObject({ status: 503, runId: null, retryAfter: '30', message: expect.stringContaining('the disk is full') });
}

test('on a full disk new runs get 503, waiting ones wait, and all goes on when there is space again', { timeout: 60_000 }, async () => {
  const disk = openSmallDisk();
  const server = await startServerProcess({ dataDir: disk.dataDir, env: disk.env });
  await defineSinks(server, 0.5);
  const acknowledged: string[] = [];
  const post = async (...args: [path?: string, body?: string]): Promise<Answer> => {
    const answer = await trigger(server, ...args);
    if (answer.status === 202) acknowledged.push(answer.runId as string);
    return answer;
  };
  await post();
  const waiting = (await post('/fault/later')).runId as string;

  disk.fill();
  const refused = await until('the disk to be full', async () => {
    const answer = await post('/fault/hook', LARGE_BODY);
    return answer.status === 202 ? null : answer;
  });
  expectRefused(refused);
  const form = new FormData();
  form.set('file', new Blob(['x'.repeat(500_000)]), 'large.bin');
  expectRefused(await trigger(server, '/fault/hook', form));
  for (let count = 0; count < 20; count += 1) expectRefused(await post('/fault/hook', LARGE_BODY));
  expect((await health(server)).status).toBe(200);
  expect(await statusOf(server, acknowledged[0] as string)).toBe('completed');
  await until('the waiting run to meet the full disk', () => /waits for the database|could not be claimed/.test(server.output()));
  expect(['waiting', 'running']).toContain(await statusOf(server, waiting));

  disk.repair();
  await until('new runs to be taken again', async () => (await post('/fault/hook', LARGE_BODY)).status === 202);
  await until('the waiting run to complete', async () => (await statusOf(server, waiting)) === 'completed', 10_000);
  expect((await trigger(server, '/fault/hook', form)).status).toBe(202);
  await letRunsEnd(server.url);
  server.kill('SIGTERM');
  expect(await server.exited).toBe(0);
  expect(await account(disk.dataDir, acknowledged)).toEqual(soundAccount(acknowledged.length));
});

test('a server on a full disk stops in order, starts with a clear refusal, and loses nothing', { timeout: 60_000 }, async () => {
  const disk = openSmallDisk();
  const server = await startServerProcess({ dataDir: disk.dataDir, env: disk.env });
  await defineSinks(server);
  const acknowledged: string[] = [];
  for (let count = 0; count < 20; count += 1) acknowledged.push((await trigger(server)).runId as string);
  disk.fill();
  server.kill('SIGTERM');
  expect(await server.exited).toBe(0);
  expect(server.output()).not.toMatch(/sluice: |\bat .*\.ts:/);
  expect(await refusalOf({ dataDir: disk.dataDir, env: disk.env })).toMatch(/ENOSPC|the disk is full/);
  disk.repair();
  const again = await startServerProcess({ dataDir: disk.dataDir, env: disk.env });
  again.kill('SIGTERM');
  expect(await again.exited).toBe(0);
  expect(await account(disk.dataDir, acknowledged)).toEqual(soundAccount(acknowledged.length));
});

test('below the floor of free disk new runs get 503 while waiting ones finish', { timeout: 30_000 }, async () => {
  const dataDir = tempDir();
  const before = await startServerProcess({ dataDir });
  await defineSinks(before, 1.5);
  const { runId } = await trigger(before, '/fault/later');
  before.kill('SIGTERM');
  await before.exited;
  const server = await startServerProcess({ dataDir, env: { SLUICE_MIN_FREE_DISK: '900000TB' } });
  expect(await trigger(server)).toMatchObject({
    status: 503,
    retryAfter: '30',
    message: expect.stringContaining('the disk is nearly full'),
  });
  expect((await health(server)).status).toBe(200);
  expect((await health(server, '/readyz')).status).toBe(503);
  await until('the waiting run to complete', async () => (await statusOf(server, runId as string)) === 'completed');
});
