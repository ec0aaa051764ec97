// kill -9 while requests are passed on: every acknowledged request arrives with the bytes that its sender sent, in every
// attempt, under one key.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { githubPayloads } from '../support/github-payloads.ts';
import { admin } from '../support/remote-admin.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const KILLS = 3;
const PER_KILL = 25;
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function define(server: ServerProcess, url: string): Promise<void> {
  const retry = { max_retries: 50, base_seconds: 0.05, max_seconds: 0.2 };
  const steps = [{ type: 'sluice/forward@v1', name: 'forward', url, retry }];
  await admin(server, 'PUT', '/apps/crash/workflows/forward', { version: '1.0', inputs: [], steps, outputs: [] });
  await admin(server, 'POST', '/apps/crash/sinks', { path: '/in', method: 'POST', workflow_id: 'forward', response: 'accept' });
}

test('every acknowledged request is passed on byte for byte, whenever the server is killed', { timeout: 60_000 }, async () => {
  const dataDir = tempDir();
  const seen = new Map<string, number>();
  const receiver = await startWebhookReceiver({
    // Each request fails once, so that the next process sends it again.
    status: ({ key }) => (seen.set(key, (seen.get(key) ?? 0) + 1).get(key) === 1 ? 503 : 200),
  });
  const start = (): Promise<ServerProcess> => startServerProcess({ dataDir, env: { SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8' } });
  const payloads = githubPayloads();
  const sent = new Map<string, string>();
  for (let kill = 0; kill < KILLS; kill += 1) {
    const server = await start();
    if (kill === 0) await define(server, receiver.url);
    for (const { body, contentType } of payloads.slice(kill * PER_KILL, (kill + 1) * PER_KILL)) {
      const headers = { 'content-type': contentType };
      const response = await fetch(`${server.url}/crash/in`, { method: 'POST', headers, body: new Uint8Array(body) });
      sent.set(`${response.headers.get('x-run-id')}:forward`, hashOf(body));
    }
    server.kill('SIGKILL');
    await server.exited;
  }
  const last = await start();
  const isDelivered = async (): Promise<boolean> =>
    (await admin(last, 'GET', '/deliveries?status=delivered&limit=500')).deliveries.length === sent.size;
  await until('all to be delivered', isDelivered, 20_000);
  expect(sent.size).toBe(KILLS * PER_KILL);
  for (const { key, bytes } of receiver.arrivals) expect(hashOf(bytes)).toBe(sent.get(key));
  expect(new Set(receiver.arrivals.map(({ key }) => key))).toEqual(new Set(sent.keys()));
  const count = receiver.arrivals.length;
  last.kill('SIGTERM');
  await last.exited;
  expect(receiver.arrivals).toHaveLength(count);
});
