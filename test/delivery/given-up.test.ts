// Deliveries whose run has no use for them any more: cancelled runs and failed ones give up what they wait for, on the
// wire too, and what was sent in the background goes on.

import { expect, test } from 'vitest';
import { eventsOf, getRun, reaches, startRun, stepOf } from '../engine/run-support.ts';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { startReceiver } from './hostile-receiver.ts';

const app = shareApp({ settings: { outbound_allow: '127.0.0.0/8' } });

const hook = (name: string, url: string, properties: object = {}) => ({
  type: 'roboflow_core/webhook_sink@v1',
  name,
  method: 'POST',
  url,
  fire_and_forget: false,
  cooldown_seconds: 0,
  request_timeout: 60,
  ...properties,
});

async function deliveriesOf(runId: string): Promise<Record<string, any>> {
  const { body } = await app().admin('GET', `/deliveries?run_id=${runId}`);
  const found = body.deliveries.map(async ({ delivery_id: id, step }: { delivery_id: string; step: string }) => {
    return [step, (await app().admin('GET', `/deliveries/${id}`)).body];
  });
  return Object.fromEntries(await Promise.all(found));
}

test('cancelling a run closes the connection of the delivery that it waits for, and sends nothing more of it', async () => {
  const receiver = await startReceiver();
  const retry = { max_retries: 50, base_seconds: 0, max_seconds: 0 };
  const runId = await startRun(app(), { steps: [hook('slow', `${receiver.url}/hang`, { retry })] });
  await until('the request', () => receiver.requests.length === 1);
  expect((await app().admin('POST', `/runs/${runId}/cancel`)).status).toBe(200);
  await until('the connection to be closed', () => receiver.isDeserted());
  const slow = await until('the attempt to be recorded', async () => {
    const delivery = (await deliveriesOf(runId))['slow'];
    return delivery.attempt_count === 1 ? delivery : null;
  });
  expect(slow).toMatchObject({ status: 'cancelled', next_attempt_at: null, attempts: [{ attempt: 1, kind: 'network' }] });
  expect(slow.attempts[0].error).toContain('ABORTED');
  expect((await eventsOf(app(), runId)).map(({ data }) => data.error?.code ?? data.type)).toEqual(['progress', 'cancelled']);
  expect(receiver.requests).toHaveLength(1);
});

test('cancelling a run that waits for a retry takes the retry back', async () => {
  const receiver = await startWebhookReceiver({ status: () => 503 });
  const retry = { max_retries: 5, base_seconds: 3600, max_seconds: 3600 };
  const runId = await startRun(app(), { steps: [hook('later', receiver.url, { retry })] });
  await until('the first attempt to be recorded', async () => (await deliveriesOf(runId))['later']?.attempt_count === 1);
  const { later: before } = await deliveriesOf(runId);
  expect(before).toMatchObject({ status: 'queued', attempts: [{ attempt: 1, status: 503 }] });
  expect(Date.parse(before.next_attempt_at)).toBeGreaterThan(Date.now());
  expect((await getRun(app(), runId)).status).toBe('waiting');
  expect((await app().admin('POST', `/runs/${runId}/cancel`)).status).toBe(200);
  const { later } = await deliveriesOf(runId);
  expect(later).toMatchObject({ status: 'cancelled', next_attempt_at: null, attempts: [{ attempt: 1, status: 503 }] });
  expect(receiver.arrivals).toHaveLength(1);
});

test('cancelling a run does not take back what it sent in the background', async () => {
  const statuses = [503, 200];
  const receiver = await startWebhookReceiver({ status: () => statuses.shift() ?? 500 });
  const slow = await startReceiver();
  const retry = { max_retries: 5, base_seconds: 0, max_seconds: 0 };
  const background = hook('background', receiver.url, { fire_and_forget: true, retry });
  const runId = await startRun(app(), { steps: [background, hook('slow', `${slow.url}/hang`)] });
  await until('the request', () => slow.requests.length === 1);
  expect((await app().admin('POST', `/runs/${runId}/cancel`)).status).toBe(200);
  await until('the message to be delivered', async () => (await deliveriesOf(runId))['background'].status === 'delivered');
  expect((await deliveriesOf(runId))['slow'].status).toBe('cancelled');
  expect(receiver.arrivals.map(({ key }) => key)).toEqual([`${runId}:background`, `${runId}:background`]);
});

test('a branch that fails gives up what the other branch sends, and the run says which step failed', async () => {
  const silent = await startReceiver();
  const healthy = await startWebhookReceiver();
  const pause = { type: 'sluice/delay@v1', name: 'pause', seconds: 0.2, next_steps: ['$steps.broken'] };
  const steps = [
    hook('slow', `${silent.url}/hang`),
    hook('quick', healthy.url),
    pause,
    { type: 'sluice/fail@v1', name: 'broken', message: 'enough' },
  ];
  const runId = await startRun(app(), { steps });
  const run = await reaches(app(), runId, 'failed');
  expect(run.error).toMatchObject({ step: 'broken', message: 'enough' });
  const { slow, quick } = await deliveriesOf(runId);
  expect([slow.status, quick.status]).toEqual(['cancelled', 'delivered']);
  await until('the connection to be closed', () => silent.isDeserted());
  expect(await stepOf(app(), runId, 'slow')).toMatchObject({ status: 'waiting' });
  const frames = await eventsOf(app(), runId);
  expect(frames.filter(({ data }) => data.type !== 'progress')).toHaveLength(1);
});
