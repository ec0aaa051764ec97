// Large messages to receivers that do not take them: they wait on disk and not in memory, after a restart too, and leave
// room for the messages to others.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { admin, defineFlow, triggerFlow, webhook } from '../support/remote-admin.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { rssMb } from './measures.ts';

const MEGABYTE = 'x'.repeat(1_000_000);
const MESSAGES = 300;
/** 64 MB of messages, and what Node needs to have them sent. */
const MOST_GROWTH_MB = 250;

/** Takes requests, keeps nothing of them and never answers. */
async function startSilentReceiver(): Promise<{ url: string; requests(): number }> {
  let requests = 0;
  const server = createServer((request) => {
    requests += 1;
    request.resume().on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests: () => requests };
}

test('what one receiver does not take is not held in memory, and holds up nobody else', { timeout: 180_000 }, async () => {
  const dataDir = tempDir();
  const env = { SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8', SLUICE_DRAIN_SECONDS: '0' };
  const silent = await startSilentReceiver();
  const healthy = await startWebhookReceiver();
  const step = webhook('hook', '$inputs.url', { json_payload: { text: '$inputs.text' }, request_timeout: 60 });
  let server = await startServerProcess({ dataDir, env });
  await defineFlow(server, 'send', { inputs: ['url', 'text'], steps: [step] });
  const send = async (url: string): Promise<void> => {
    expect((await triggerFlow(server, 'send', { url, text: MEGABYTE })).status).toBe(202);
  };
  for (let count = 0; count < MESSAGES; count += 10) await Promise.all(Array.from({ length: 10 }, () => send(silent.url)));
  await until('the receiver to be met', () => silent.requests() > 0);
  await send(healthy.url);
  await until('the other receiver to have its message', () => healthy.arrivals.length === 1, 10_000);

  server.kill('SIGKILL');
  await server.exited;
  const before = silent.requests();
  server = await startServerProcess({ dataDir, env });
  const baseline = rssMb(server);
  await until('the receiver to be met again', () => silent.requests() > before, 10_000);
  await send(healthy.url);
  await until('the other receiver to have its second message', () => healthy.arrivals.length >= 2, 10_000);
  const { deliveries } = await admin(server, 'GET', '/deliveries?limit=500');
  const waiting = deliveries.filter(({ url, status }: { url: string; status: string }) => url === silent.url && status !== 'delivered');
  expect(waiting).toHaveLength(MESSAGES);
  const grown = rssMb(server) - baseline;
  process.stdout.write(`held bodies: ${MESSAGES} messages of 1 MB waiting, ${Math.round(grown)} MB more memory\n`);
  expect(grown).toBeLessThan(MOST_GROWTH_MB);
});
