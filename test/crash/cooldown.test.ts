// The cooldown of a webhook is kept where runs are kept: many callers at once, a kill -9 and a restart do not get a second
// message through before its time.

import { expect, test } from 'vitest';
import { defineFlow, triggerFlow, webhook } from '../support/remote-admin.ts';
import { startServerProcess } from '../support/server-process.ts';
import { memoryDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

/** Longer than the start of a server on a busy machine. */
const COOLDOWN_MS = 10_000;
const CLIENTS = 4;
const REQUESTS_EACH = 5;
const LOOK_EVERY_MS = 25;

interface Outputs {
  throttled: boolean;
  message: string;
}

test('of many requests during the cooldown one sends, across a kill -9, and after it one more', { timeout: 60_000 }, async () => {
  const dataDir = memoryDir();
  const env = { SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8' };
  const receiver = await startWebhookReceiver();
  const keys = (): Set<string> => new Set(receiver.arrivals.map(({ key }) => key));
  let server = await startServerProcess({ dataDir, env });
  await defineFlow(server, 'notify', {
    steps: [webhook('notify', receiver.url, { cooldown_seconds: COOLDOWN_MS / 1000 })],
    outputs: { throttled: '$steps.notify.throttling_status', message: '$steps.notify.message' },
    response: 'wait',
  });
  const request = async (): Promise<Outputs> => {
    const { status, body } = await triggerFlow(server, 'notify');
    expect(status, JSON.stringify(body)).toBe(200);
    return body.output as Outputs;
  };

  const began = performance.now();
  const client = async (): Promise<Outputs[]> => {
    const outputs: Outputs[] = [];
    for (let count = 0; count < REQUESTS_EACH; count += 1) outputs.push(await request());
    return outputs;
  };
  const outputs = (await Promise.all(Array.from({ length: CLIENTS }, client))).flat();
  expect(performance.now() - began, 'ms for all requests').toBeLessThan(2000);
  const sent = outputs.filter(({ throttled }) => !throttled);
  expect(sent).toEqual([{ throttled: false, message: 'Notification sent in the background task' }]);
  expect(outputs.filter(({ message }) => message === 'Sink cooldown applies')).toHaveLength(CLIENTS * REQUESTS_EACH - 1);
  await until('the message', () => receiver.arrivals.length > 0);

  server.kill('SIGKILL');
  await server.exited;
  server = await startServerProcess({ dataDir, env });
  let throttledAfterRestart = 0;
  for (;;) {
    const { throttled } = await request();
    const elapsed = performance.now() - began;
    if (!throttled) {
      expect(elapsed, 'ms until the second message').toBeGreaterThanOrEqual(COOLDOWN_MS);
      break;
    }
    throttledAfterRestart += 1;
    expect(elapsed, 'ms that requests were throttled').toBeLessThan(COOLDOWN_MS + 2000);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  expect(throttledAfterRestart).toBeGreaterThan(0);
  expect((await request()).throttled).toBe(true);
  await until('the second message', () => keys().size === 2);
  server.kill('SIGTERM');
  expect(await server.exited).toBe(0);
  expect(keys().size).toBe(2);
});
