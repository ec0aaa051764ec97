// Fifty receivers, ten of them dead: what is sent to the living ones arrives as fast as if there were no others.

import { expect, test } from 'vitest';
import { startReceiver } from '../delivery/hostile-receiver.ts';
import { silentAddress } from '../support/silent-address.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { memoryDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const HEALTHY = 40;
const HANGING = 5;
const GONE = 5;
const MESSAGES_EACH = 15;
const CLIENTS = 16;

/** Triggers a run for each address; returns when each request began, by run. */
async function sendAll(app: TestApp, urls: readonly string[]): Promise<Map<string, number>> {
  const began = new Map<string, number>();
  const waiting = [...urls];
  const client = async (): Promise<void> => {
    for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
      const at = performance.now();
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${app.url}/shop/send`, { method: 'POST', headers, body: JSON.stringify({ url }) });
      expect(response.status).toBe(202);
      began.set(((await response.json()) as { run_id: string }).run_id, at);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return began;
}

/** The time from request to arrival that all but one in a hundred kept, in ms. */
async function timeToArrive(app: TestApp, receivers: readonly WebhookReceiver[]): Promise<number> {
  const urls = Array.from({ length: MESSAGES_EACH }, () => receivers.map(({ url }) => url)).flat();
  const all = (): number => receivers.reduce((sum, { arrivals }) => sum + arrivals.length, 0);
  const wanted = all() + urls.length;
  const began = await sendAll(app, urls);
  await until('all to arrive', () => all() >= wanted, 20_000);
  const at = new Map(
    receivers.flatMap(({ arrivals }) => arrivals.map((arrival) => [arrival.key.split(':')[0] as string, arrival.at] as const)),
  );
  const times = [...began].map(([runId, start]) => (at.get(runId) as number) - start).sort((a, b) => a - b);
  return times[Math.floor(times.length * 0.99)] as number;
}

test('ten dead receivers among fifty hold up none of the others', { timeout: 60_000 }, async () => {
  const settings = { outbound_allow: '127.0.0.0/8', drain_seconds: '0', log_level: 'warn' };
  const app = await startTestApp({ dataDir: memoryDir(), settings });
  const retry = { max_retries: 20, base_seconds: 0.1, max_seconds: 1 };
  const step = { type: 'roboflow_core/webhook_sink@v1', name: 'hook', method: 'POST', url: '$inputs.url', cooldown_seconds: 0 };
  await app.workflow('send', {
    inputs: [{ type: 'WorkflowParameter', name: 'url' }],
    steps: [{ ...step, request_timeout: 60, retry }],
  });
  await app.sink({ path: '/send', workflow_id: 'send', response: 'accept' });
  const healthy = await Promise.all(Array.from({ length: HEALTHY }, () => startWebhookReceiver()));
  const hanging = await Promise.all(Array.from({ length: HANGING }, () => startReceiver()));
  const gone = await Promise.all(Array.from({ length: GONE }, () => silentAddress()));

  await timeToArrive(app, healthy);
  const before = await timeToArrive(app, healthy);
  const dead = [...hanging.map(({ url }) => `${url}/hang`), ...gone];
  await sendAll(app, Array.from({ length: 100 }, () => dead).flat());
  await until('the dead to be met', () => hanging.every(({ requests }) => requests.length === 64));
  const during = await timeToArrive(app, healthy);

  process.stdout.write(`many origins: p99 to arrival ${before.toFixed(0)} ms, with ten of fifty dead ${during.toFixed(0)} ms\n`);
  expect(during).toBeLessThan(before * 5 + 250);
  for (const { arrivals } of healthy) expect(arrivals).toHaveLength(3 * MESSAGES_EACH);
  // The dead have all that was for them still waiting, and no more under way than may be at once.
  const { body } = await app.admin('GET', '/deliveries?limit=500&status=delivered');
  expect(body.deliveries.filter(({ url }: { url: string }) => dead.includes(url))).toEqual([]);
  for (const { requests } of hanging) expect(requests).toHaveLength(64);
});
