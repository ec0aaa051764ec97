// Runs that wait for a delivery with an overflow policy: its result for the run, and its end when the run ends first.

import { expect, test } from 'vitest';
import { MAX_WIDTH } from '../../src/delivery/queue/origin-queue.ts';
import { sendingSteps } from '../support/sending-steps.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { getRun, reaches, startRun, trigger } from './run-support.ts';

const startSending = (): Promise<TestApp> =>
  startTestApp({ stepTypes: sendingSteps, settings: { outbound_allow: '127.0.0.0/8', files_dir: tempDir() } });

/** Answers on demand only. */
async function startHeldReceiver(): Promise<WebhookReceiver & { answer: () => void }> {
  let answer = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  return { ...(await startWebhookReceiver({ wait: () => held })), answer };
}

test('a run hears at once of what was dropped while it wrote a file', async () => {
  const { url, answer } = await startHeldReceiver();
  const app = await startSending();
  const write = { type: 'roboflow_core/local_file_sink@v1', name: 'write', output_mode: 'separate_files', target_directory: 'logs' };
  const push = { type: 'test/send@v1', name: 'push', url, overflow: { policy: 'reject', limit: 1 } };
  const first = await startRun(app, { steps: [push, { ...write, content: '$request.method' }] });
  const second = await trigger(app);
  expect((await reaches(app, second, 'failed')).error.message).toContain('the receiver is behind');
  answer();
  await reaches(app, first, 'completed');
});

test('the delivery that a cancelled run waited for is not sent if it was still queued', async () => {
  const { url, answer, arrivals } = await startHeldReceiver();
  const app = await startSending();
  const overflow = { policy: 'latest_wins', key: '$request.body.frame' };
  const steps = [{ type: 'test/send@v1', name: 'push', url, body: '$request.body.frame', overflow }];
  await startRun(app, { steps }, { frame: '0' });
  for (let frame = 1; frame < MAX_WIDTH; frame += 1) await trigger(app, { frame: `${frame}` });
  await until('the origin to be full', () => arrivals.length === MAX_WIDTH);
  const cancelled = await trigger(app, { frame: 'cancelled' });
  await until('its message to be held', async () => (await getRun(app, cancelled)).deliveries[0].status === 'sending');
  expect((await app.admin('POST', `/runs/${cancelled}/cancel`)).status).toBe(200);
  const last = await trigger(app, { frame: 'last' });
  await until('the last message to be held', async () => (await getRun(app, last)).deliveries[0].status === 'sending');
  answer();
  await reaches(app, last, 'completed');
  expect(arrivals.map(({ body }) => body)).not.toContain('cancelled');
  expect((await getRun(app, cancelled)).deliveries).toMatchObject([{ status: 'cancelled', attempt_count: 0 }]);
});
