// SIGTERM under load: the server stops in time and in order, and loses nothing.

import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { account, letRunsEnd, soundAccount } from './account.ts';
import { type Ledger, startLoad } from './load.ts';
import { defineWorkload, PATHS } from './workload.ts';

const STOPS = 5;
const DRAIN_SECONDS = 5;
const report: string[] = [];
afterAll(() => void process.stdout.write(`${report.join('\n')}\n`));

test('SIGTERM under load ends the server with code 0 within the drain time, and nothing is lost', { timeout: 180_000 }, async () => {
  const dataDir = tempDir();
  const ledger: Ledger = { acknowledged: new Set(), keys: new Map() };
  const times: number[] = [];
  const env = { SLUICE_DRAIN_SECONDS: String(DRAIN_SECONDS) };
  for (let stop = 0; stop < STOPS; stop += 1) {
    const server = await startServerProcess({ dataDir, env });
    if (stop === 0) await defineWorkload(server);
    const load = startLoad(server.url, PATHS, ledger);
    await load.acknowledge(100 + Math.floor(Math.random() * 300));
    const began = performance.now();
    server.kill('SIGTERM');
    expect(await server.exited).toBe(0);
    times.push(Math.round(performance.now() - began));
    await load.stop();
  }
  expect(Math.max(...times)).toBeLessThan(DRAIN_SECONDS * 1000);
  const last = await startServerProcess({ dataDir });
  await letRunsEnd(last.url);
  last.kill('SIGTERM');
  expect(await last.exited).toBe(0);
  const found = await account(dataDir, ledger.acknowledged);
  report.push(`SIGTERM: ${STOPS} stops in ${times.join(', ')} ms, ${JSON.stringify(found)}`);
  expect(found).toEqual(soundAccount(ledger.acknowledged.size));
});

test('callers who dawdle do not hold a stop up', { timeout: 30_000 }, async () => {
  const server = await startServerProcess({ dataDir: tempDir() });
  await defineWorkload(server);
  const head = 'POST /crash/capture HTTP/1.1\r\nHost: x\r\n';
  const dawdling = ['', head, `${head}Content-Length: 100\r\n\r\nhalf of`, `${head.replace('capture', 'delay')}Content-Length: 0\r\n\r\n`];
  const answers = dawdling.map((bytes) => sayAndWait(server.url, bytes));
  await until('the stream to begin', () => answers[3]?.text().includes('data: '));
  const began = performance.now();
  server.kill('SIGTERM');
  expect(await server.exited).toBe(0);
  expect(performance.now() - began).toBeLessThan(5000);
  await Promise.all(answers.map(({ closed }) => closed));
});

function sayAndWait(url: string, bytes: string): { text(): string; closed: Promise<unknown> } {
  const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  onTestEnd(() => void socket.destroy());
  return { text: () => text, closed: once(socket, 'close') };
}

test('a signal that comes twice in a moment is one: npm passes on what the terminal has sent to the server as well', async () => {
  const server = await startServerProcess({ dataDir: tempDir() });
  // A request that never ends keeps the server closing for a while.
  const { port } = new URL(server.url);
  const unfinished = connect(Number(port), '127.0.0.1');
  onTestEnd(() => void unfinished.destroy());
  unfinished.on('error', () => undefined);
  unfinished.write('POST /x HTTP/1.1\r\nHost: x\r\n');
  await fetch(`${server.url}/healthz`);
  server.kill('SIGINT');
  await until('the server to take no more connections', () =>
    fetch(`${server.url}/healthz`).then(
      () => false,
      () => true,
    ),
  );
  server.kill('SIGINT');
  expect(await server.exited).toBe(0);
});
