// kill -9 while runs go round in a loop: each acknowledged run makes every visit, each once, and what a visit sends
// arrives under the key of that visit and no other.

import { setTimeout as after } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openDatabase } from '../support/open-database.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { letRunsEnd } from './account.ts';
import { type Ledger, startLoad } from './load.ts';

const KILLS = 4;
const RUNS_BETWEEN_KILLS = 60;
const VISITS = 3;

const STEPS = [
  { type: 'test/post@v1', name: 'ask', body: 'please', on_failure: ['$steps.pause'], on_success: ['$steps.thank'] },
  { type: 'sluice/delay@v1', name: 'pause', seconds: 0.05, on_success: ['$steps.ask'] },
  { type: 'test/post@v1', name: 'thank', body: '$steps.ask.answer' },
];

const visitOf = (key: string): number => Number(key.split(':')[2] ?? 1);

async function define(url: string): Promise<void> {
  const headers = { authorization: 'Bearer admin-token-of-the-tests', 'content-type': 'application/json' };
  const body = JSON.stringify({ version: '1.0', inputs: [], steps: STEPS, outputs: [] });
  expect((await fetch(`${url}/api/v1/apps/crash/workflows/loop`, { method: 'PUT', headers, body })).status).toBe(200);
  const sink = JSON.stringify({ path: '/loop', method: 'POST', workflow_id: 'loop', response: 'accept' });
  expect((await fetch(`${url}/api/v1/apps/crash/sinks`, { method: 'POST', headers, body: sink })).status).toBe(201);
}

test('every acknowledged run makes each of its visits once, across kills', { timeout: 240_000 }, async () => {
  const dataDir = tempDir();
  // It refuses for good until the last visit.
  const receiver = await startWebhookReceiver({
    wait: () => after(10),
    status: ({ key }) => (visitOf(key) < VISITS ? 400 : 200),
    body: 'yes',
  });
  const ledger: Ledger = { acknowledged: new Set(), keys: new Map() };
  const start = () => startServerProcess({ dataDir, program: ['test/crash/sending-server.ts', dataDir, receiver.url] });
  for (let kill = 0; kill < KILLS; kill += 1) {
    const server = await start();
    if (kill === 0) await define(server.url);
    const load = startLoad(server.url, ['/crash/loop'], ledger);
    await load.acknowledge(RUNS_BETWEEN_KILLS);
    server.kill('SIGKILL');
    expect(await server.exited).toBe('SIGKILL');
    await load.stop();
  }
  const last = await start();
  await letRunsEnd(last.url, 60_000);
  last.kill('SIGTERM');
  expect(await last.exited).toBe(0);

  const visits = Array.from({ length: VISITS }, (_, index) => index + 1);
  const expected = visits.flatMap((visit) => {
    const isLast = visit === VISITS;
    return [
      `ask ${visit} ${isLast ? 'completed' : 'failed'}`,
      `pause ${visit} ${isLast ? 'skipped' : 'completed'}`,
      `thank ${visit} ${isLast ? 'completed' : 'skipped'}`,
    ];
  });
  const { storage } = await openDatabase(dataDir);
  const wrong: unknown[] = [];
  for (const runId of ledger.acknowledged) {
    const run = await storage.getRun(runId);
    const made = run?.steps.map(({ step, visit, status }) => `${step} ${visit} ${status}`).sort() ?? [];
    if (run?.status !== 'completed' || JSON.stringify(made) !== JSON.stringify(expected.toSorted()))
      wrong.push([runId, run?.status, run?.error, made]);
    const told = (await storage.readEvents(runId, 0))?.events.flatMap((event) => ('message' in event ? (event.message ?? []) : [])) ?? [];
    const backs = told.filter((message) => message.startsWith('back to '));
    if (backs.join() !== 'back to ask, visit 2 of 6,back to ask, visit 3 of 6') wrong.push([runId, told]);
  }
  await storage.close();
  expect(wrong).toEqual([]);

  const arrived = new Map<string, Set<string>>();
  for (const { key, body } of receiver.arrivals) arrived.set(key, (arrived.get(key) ?? new Set()).add(body));
  const keysOf = (runId: string): string[] => [`${runId}:ask`, `${runId}:ask:2`, `${runId}:ask:3`, `${runId}:thank:3`];
  expect([...ledger.acknowledged].flatMap(keysOf).filter((key) => !arrived.has(key))).toEqual([]);
  // Runs whose acknowledgement was cut off send too.
  expect([...arrived.keys()].filter((key) => !keysOf(key.split(':')[0] as string).includes(key))).toEqual([]);
  for (const bodies of arrived.values()) expect(bodies.size).toBe(1);
  const again = receiver.arrivals.length - arrived.size;
  process.stdout.write(`loops: ${KILLS} kills, ${ledger.acknowledged.size} runs, ${again} of ${arrived.size} sends repeated\n`);
  expect(again).toBeGreaterThan(0);
});
