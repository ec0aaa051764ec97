// System calls that fail: a sync that does not succeed ends the server before anything more is acknowledged; too many
// open files do not.

import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { account, soundAccount } from '../crash/account.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { openFaultyDisk } from './faulty-disk.ts';
import { defineSinks, health, trigger } from './server-calls.ts';

test('after a sync that failed nothing is acknowledged, and the server ends with one clear line', { timeout: 30_000 }, async () => {
  const disk = openFaultyDisk();
  const server = await startServerProcess({ dataDir: disk.dataDir, env: disk.env });
  await defineSinks(server);
  const acknowledged: string[] = [];
  for (let count = 0; count < 10; count += 1) acknowledged.push((await trigger(server)).runId as string);
  disk.breakSync();
  const answers = await Promise.allSettled(Array.from({ length: 50 }, () => trigger(server)));
  expect(answers.filter((answer) => answer.status === 'fulfilled' && answer.value.status < 300)).toEqual([]);
  expect(await server.exited).toBe(1);
  expect(server.output().match(/^sluice: .*/gm)).toEqual([
    expect.stringMatching(/^sluice: the database failed \(SQLITE_IOERR_FSYNC.*the server stops/),
  ]);
  disk.repair();
  const again = await startServerProcess({ dataDir: disk.dataDir, env: disk.env });
  again.kill('SIGTERM');
  expect(await again.exited).toBe(0);
  expect(await account(disk.dataDir, acknowledged)).toEqual(soundAccount(acknowledged.length));
});

test('a server that runs out of open files lives, refuses files with 503, and recovers', { timeout: 30_000 }, async () => {
  const dataDir = tempDir();
  const server = await startServerProcess({ dataDir, under: ['sh', '-c', 'ulimit -n 80 && exec "$@"', 'sh'] });
  const port = Number(new URL(server.url).port);
  await defineSinks(server);
  // A connection from before the shortage, over which a file comes during it.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestEnd(() => agent.destroy());
  expect((await postFile(agent, server.url)).status).toBe(202);
  const sockets: Socket[] = [];
  onTestEnd(() => sockets.forEach((socket) => void socket.destroy()));
  // What the server had open for a moment when the connections came is free afterwards: more of them come at each look.
  const refused = await until('the files to run out', async () => {
    for (let count = 0; count < 100; count += 1) sockets.push(connect(port, '127.0.0.1').on('error', () => undefined));
    const answer = await postFile(agent, server.url);
    return answer.status === 202 ? null : answer;
  });
  expect(refused).toEqual({ status: 503, retryAfter: '1' });
  for (const socket of sockets) {
    socket.destroy();
    if (!socket.closed) await once(socket, 'close');
  }
  await until('the server to answer again', async () => (await health(server).catch(() => null))?.status === 200);
  expect((await trigger(server)).status).toBe(202);
  server.kill('SIGTERM');
  expect(await server.exited).toBe(0);
});

function postFile(agent: Agent, url: string): Promise<{ status: number; retryAfter: string | null }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/octet-stream' };
    const outgoing = request(`${url}/fault/hook`, { method: 'POST', agent, headers }, (response) => {
      response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] ?? null }));
    });
    outgoing.on('error', reject);
    outgoing.end(Buffer.alloc(10_000, String(Math.random())));
  });
}
