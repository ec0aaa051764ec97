// kill -9 while runs send: each acknowledged run delivers each of its steps at least once, always under the step's own
// key and with the same body, and what has been recorded as delivered is not sent again.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { letRunsEnd } from './account.ts';
import { type Ledger, startLoad } from './load.ts';

const KILLS = 4;
const RUNS_BETWEEN_KILLS = 150;

/** Answers every request with a number of its own, after a moment, and remembers what came under which key. */
async function startReceiver(): Promise<{ url: string; bodies: Map<string, string[]>; answers: Map<string, string[]> }> {
  const bodies = new Map<string, string[]>();
  const answers = new Map<string, string[]>();
  let count = 0;
  const add = (map: Map<string, string[]>, key: string, value: string): void => void map.set(key, [...(map.get(key) ?? []), value]);
  const server = createServer((request, response) => {
    const key = String(request.headers['idempotency-key']);
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', async () => {
      add(bodies, key, body);
      count += 1;
      const answer = createHash('sha256').update(String(count)).digest('hex').slice(0, 12);
      add(answers, key, answer);
      await after(10);
      response.end(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, bodies, answers };
}

async function define(url: string): Promise<void> {
  const steps = [
    { type: 'test/post@v1', name: 'a', body: { event: '$inputs.event' } },
    { type: 'test/post@v1', name: 'b', body: '$steps.a.answer' },
    { type: 'test/post@v1', name: 'c', body: '$steps.b.answer' },
  ].map((step) => ({ ...step, retry: { max_retries: 50, base_seconds: 0.05, max_seconds: 0.2 } }));
  const inputs = [{ type: 'WorkflowParameter', name: 'event', default_value: null }];
  const headers = { authorization: 'Bearer admin-token-of-the-tests', 'content-type': 'application/json' };
  const body = JSON.stringify({ version: '1.0', inputs, steps, outputs: [] });
  expect((await fetch(`${url}/api/v1/apps/crash/workflows/send`, { method: 'PUT', headers, body })).status).toBe(200);
  const sink = JSON.stringify({ path: '/send', method: 'POST', workflow_id: 'send', response: 'accept' });
  expect((await fetch(`${url}/api/v1/apps/crash/sinks`, { method: 'POST', headers, body: sink })).status).toBe(201);
}

test('every acknowledged run delivers each step under one key, and nothing recorded is sent again', { timeout: 180_000 }, async () => {
  const dataDir = tempDir();
  const receiver = await startReceiver();
  const ledger: Ledger = { acknowledged: new Set(), keys: new Map() };
  const start = () => startServerProcess({ dataDir, program: ['test/crash/sending-server.ts', dataDir, receiver.url] });
  for (let kill = 0; kill < KILLS; kill += 1) {
    const server = await start();
    if (kill === 0) await define(server.url);
    const load = startLoad(server.url, ['/crash/send'], ledger);
    await load.acknowledge(RUNS_BETWEEN_KILLS);
    server.kill('SIGKILL');
    expect(await server.exited).toBe('SIGKILL');
    await load.stop();
  }
  const last = await start();
  await letRunsEnd(last.url, 40_000);
  last.kill('SIGTERM');
  expect(await last.exited).toBe(0);

  const undelivered = [...ledger.acknowledged].filter((runId) => ['a', 'b', 'c'].some((step) => !receiver.bodies.has(`${runId}:${step}`)));
  expect(undelivered).toEqual([]);
  const repeated = [...receiver.bodies.values()].filter((bodies) => bodies.length > 1);
  process.stdout.write(
    `sends: ${KILLS} kills, ${ledger.acknowledged.size} runs, ${repeated.length} of ${receiver.bodies.size} steps sent again\n`,
  );
  expect(repeated.length).toBeGreaterThan(0);
  for (const bodies of receiver.bodies.values()) expect(new Set(bodies).size).toBe(1);
  for (const [key, [body]] of receiver.bodies) {
    const before = { a: null, b: 'a', c: 'b' }[key.at(-1) as 'a'];
    // What a step was sent is the last answer that the step before it had: once that was recorded, it was asked no more.
    if (before !== null) expect(JSON.parse(body as string)).toBe(receiver.answers.get(`${key.slice(0, -1)}${before}`)?.at(-1));
  }
});
