// Deliveries across a stop: what is under way is finished within the drain time or sent again by the next start, and what
// waits for its time waits on. One key and one body for all attempts, each of them recorded.

import { expect, test } from 'vitest';
import { admin, defineFlow, triggerFlow, webhook } from '../support/remote-admin.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const allowing = (env: Record<string, string> = {}) => ({ SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8', ...env });

async function deliveryOf(server: ServerProcess, runId: string): Promise<any> {
  const { deliveries } = await admin(server, 'GET', `/deliveries?run_id=${runId}`);
  return await admin(server, 'GET', `/deliveries/${deliveries[0].delivery_id}`);
}

async function endOf(server: ServerProcess, runId: string): Promise<any> {
  return await until(
    `${runId} to end`,
    async () => {
      const run = await admin(server, 'GET', `/runs/${runId}`);
      return ['completed', 'failed', 'cancelled'].includes(run.status) ? run : null;
    },
    10_000,
  );
}

async function defineSending(server: ServerProcess, url: string, properties: Record<string, unknown> = {}): Promise<void> {
  const step = webhook('hook', url, { fire_and_forget: false, json_payload: { n: '$inputs.n' }, ...properties });
  const outputs = { message: '$steps.hook.message', status: '$steps.hook.status_code' };
  await defineFlow(server, 'send', { inputs: ['n'], steps: [step], outputs });
}

async function send(server: ServerProcess, n = 1): Promise<string> {
  return (await triggerFlow(server, 'send', { n })).body.run_id;
}

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'a run that waits for a retry when the server ends by %s gets it from the next one, and not before its time',
  { timeout: 60_000 },
  async (signal) => {
    const dataDir = tempDir();
    const statuses = [503, 200];
    const receiver = await startWebhookReceiver({ status: () => statuses.shift() ?? 500, headers: () => ({ 'retry-after': '3' }) });
    const first = await startServerProcess({ dataDir, env: allowing() });
    await defineSending(first, receiver.url, { retry: { max_retries: 3, base_seconds: 0, max_seconds: 0 } });
    const runId = await send(first);
    const waiting = await until('the first attempt', async () => {
      const delivery = await deliveryOf(first, runId);
      return delivery.status === 'queued' ? delivery : null;
    });
    first.kill(signal);
    await first.exited;
    expect(receiver.arrivals).toHaveLength(1);

    const second = await startServerProcess({ dataDir, env: allowing() });
    const run = await endOf(second, runId);
    expect(run).toMatchObject({ status: 'completed', output: { message: 'Notification sent successfully', status: 200 } });
    const { status, attempts } = await deliveryOf(second, runId);
    expect(status).toBe('delivered');
    expect(attempts).toMatchObject([
      { attempt: 1, status: 503 },
      { attempt: 2, status: 200 },
    ]);
    expect(Date.parse(attempts[1].started_at)).toBeGreaterThanOrEqual(Date.parse(waiting.next_attempt_at));
    expect(new Set(receiver.arrivals.map(({ key, body, headers }) => `${key} ${headers['webhook-id']} ${body}`)).size).toBe(1);
    expect(receiver.arrivals).toHaveLength(2);
  },
);

test('SIGTERM waits for deliveries that are under way, records them, and the next start sends none of them again', {
  timeout: 60_000,
}, async () => {
  const dataDir = tempDir();
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const receiver = await startWebhookReceiver({ wait: () => gate });
  const first = await startServerProcess({ dataDir, env: allowing() });
  await defineSending(first, receiver.url, { request_timeout: 30 });
  const awaited = await Promise.all(Array.from({ length: 10 }, (_, n) => send(first, n)));
  const background = webhook('hook', receiver.url, { request_timeout: 30 });
  await defineFlow(first, 'background', { steps: [background] });
  const left = await Promise.all(Array.from({ length: 10 }, async () => (await triggerFlow(first, 'background')).body.run_id as string));
  await until('all to be under way', () => receiver.arrivals.length === 20);
  first.kill('SIGTERM');
  await until('the server to take no more connections', () =>
    fetch(`${first.url}/healthz`).then(
      () => false,
      () => true,
    ),
  );
  letGo();
  expect(await first.exited).toBe(0);

  const second = await startServerProcess({ dataDir, env: allowing() });
  for (const runId of [...awaited, ...left]) {
    expect((await endOf(second, runId)).status).toBe('completed');
    expect(await deliveryOf(second, runId)).toMatchObject({ status: 'delivered', attempts: [{ attempt: 1, status: 200 }] });
  }
  expect(receiver.arrivals).toHaveLength(20);
});

test('what does not end within the drain time is broken off in time, and sent again by the next start as if it had not been', {
  timeout: 60_000,
}, async () => {
  const dataDir = tempDir();
  let isSilent = true;
  const never = new Promise<void>(() => undefined);
  const receiver = await startWebhookReceiver({ wait: async () => (isSilent ? never : undefined) });
  const first = await startServerProcess({ dataDir, env: allowing({ SLUICE_DRAIN_SECONDS: '1' }) });
  await defineSending(first, receiver.url, { request_timeout: 60 });
  const runIds = await Promise.all(Array.from({ length: 10 }, (_, n) => send(first, n)));
  await until('all to be under way', () => receiver.arrivals.length === 10);
  const began = performance.now();
  first.kill('SIGTERM');
  expect(await first.exited).toBe(0);
  expect(performance.now() - began).toBeLessThan(5000);
  expect(first.output()).not.toMatch(/"level":"(?:error|fatal)"|sluice: /);

  isSilent = false;
  const second = await startServerProcess({ dataDir, env: allowing() });
  for (const runId of runIds) {
    expect(await endOf(second, runId)).toMatchObject({ status: 'completed', output: { status: 200 } });
    expect(await deliveryOf(second, runId)).toMatchObject({ status: 'delivered', attempts: [{ attempt: 1, status: 200 }] });
  }
  const keys = receiver.arrivals.map(({ key, body }) => `${key} ${body}`);
  expect(keys).toHaveLength(20);
  expect(new Set(keys).size).toBe(10);
});
