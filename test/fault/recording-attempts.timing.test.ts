// Answers that come in while nothing can be written: they are recorded once it can, nothing is sent a second time, and
// the server answers on meanwhile.

import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { admin, defineFlow, triggerFlow, webhook } from '../support/remote-admin.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { openSmallDisk } from './faulty-disk.ts';
import { health } from './server-calls.ts';

const RUNS = 40;
const PROMPT_MS = 300;
/** As much as is kept of an answer, so that recording it needs room. */
const ANSWER = 'x'.repeat(16_384);

interface Gate {
  receiver: WebhookReceiver;
  /** Lets every answer go that waits, and those to come. */
  open(): void;
}

async function startGatedReceiver(): Promise<Gate> {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { receiver: await startWebhookReceiver({ wait: () => gate, body: ANSWER }), open };
}

/** Starts runs that wait for their delivery, and as many that do not; resolves when all of them have been sent. */
async function sendAll(server: ServerProcess, receiver: WebhookReceiver): Promise<string[]> {
  const properties = { request_timeout: 60 };
  const outputs = { status: '$steps.hook.status_code' };
  await defineFlow(server, 'awaited', { steps: [webhook('hook', receiver.url, { ...properties, fire_and_forget: false })], outputs });
  await defineFlow(server, 'background', { steps: [webhook('hook', receiver.url, properties)], outputs });
  const names = Array.from({ length: RUNS }, (_, index) => (index % 2 === 0 ? 'awaited' : 'background'));
  const runIds = await Promise.all(names.map(async (name) => (await triggerFlow(server, name)).body.run_id as string));
  await until('all to be sent', () => receiver.arrivals.length === RUNS);
  return runIds;
}

async function expectRecordedOnce(server: ServerProcess, runIds: readonly string[], receiver: WebhookReceiver): Promise<void> {
  for (const runId of runIds) {
    const { deliveries } = await until(`the delivery of ${runId}`, async () => {
      const found = await admin(server, 'GET', `/deliveries?run_id=${runId}`);
      return found.deliveries[0].status === 'delivered' ? found : null;
    });
    const { attempts } = await admin(server, 'GET', `/deliveries/${deliveries[0].delivery_id}`);
    expect(attempts).toMatchObject([{ attempt: 1, status: 200 }]);
    await until(`${runId} to end`, async () => (await admin(server, 'GET', `/runs/${runId}`)).status === 'completed');
  }
  expect(receiver.arrivals).toHaveLength(RUNS);
}

/** Looks at /healthz all the time until the server says that runs wait for the database. */
async function expectHealthyWhileWaiting(server: ServerProcess): Promise<void> {
  const times: number[] = [];
  await until('the answers to meet the fault', async () => {
    times.push((await health(server)).ms);
    return (server.output().match(/a run waits for the database/g)?.length ?? 0) >= 5;
  });
  expect(Math.max(...times)).toBeLessThan(PROMPT_MS);
}

test('while another process locks the database', { timeout: 30_000 }, async () => {
  const dataDir = tempDir();
  const server = await startServerProcess({ dataDir, env: { SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8' } });
  const { receiver, open } = await startGatedReceiver();
  const runIds = await sendAll(server, receiver);
  const other = new Database(join(dataDir, 'sluice.db'), { timeout: 1000 });
  onTestEnd(() => void other.close());
  other.exec('BEGIN IMMEDIATE');
  open();
  await expectHealthyWhileWaiting(server);
  expect((await admin(server, 'GET', `/runs/${runIds[0]}`)).status).toBe('waiting');
  other.exec('ROLLBACK');
  await expectRecordedOnce(server, runIds, receiver);
});

test('while the disk is full', { timeout: 30_000 }, async () => {
  const disk = openSmallDisk();
  const server = await startServerProcess({ dataDir: disk.dataDir, env: { ...disk.env, SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8' } });
  const { receiver, open } = await startGatedReceiver();
  const runIds = await sendAll(server, receiver);
  disk.fill();
  open();
  await expectHealthyWhileWaiting(server);
  disk.repair();
  await expectRecordedOnce(server, runIds, receiver);
  server.kill('SIGTERM');
  expect(await server.exited).toBe(0);
});

test('and when the server is killed before it could record them, they are sent again under their keys', { timeout: 30_000 }, async () => {
  const dataDir = tempDir();
  const env = { SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8' };
  const first = await startServerProcess({ dataDir, env });
  const { receiver, open } = await startGatedReceiver();
  const runIds = await sendAll(first, receiver);
  const other = new Database(join(dataDir, 'sluice.db'), { timeout: 1000 });
  onTestEnd(() => void other.close());
  other.exec('BEGIN IMMEDIATE');
  open();
  await expectHealthyWhileWaiting(first);
  first.kill('SIGKILL');
  await first.exited;
  other.exec('ROLLBACK');
  const second = await startServerProcess({ dataDir, env });
  for (const runId of runIds) {
    await until(`${runId} to be delivered`, async () => {
      const { deliveries } = await admin(second, 'GET', `/deliveries?run_id=${runId}`);
      return deliveries[0].status === 'delivered';
    });
  }
  const tries = new Map<string, number>();
  for (const { key } of receiver.arrivals) tries.set(key, (tries.get(key) ?? 0) + 1);
  expect([...tries.keys()].sort()).toEqual(runIds.map((runId) => `${runId}:hook`).sort());
  expect([...tries.values()]).toEqual(runIds.map(() => 2));
});
