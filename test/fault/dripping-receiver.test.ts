// A receiver that drips for ever, so that it is never silent for long, through a whole server process.

import { expect, test } from 'vitest';
import { startReceiver } from '../delivery/hostile-receiver.ts';
import { admin, defineFlow, triggerFlow, webhook } from '../support/remote-admin.ts';
import { startServerProcess } from '../support/server-process.ts';
import { memoryDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

/** The least time for the whole of an attempt is 30 s. */
const GIVEN_UP_MS = 45_000;

test('a receiver that drips for ever is given up when the time for the whole is over', { timeout: 90_000 }, async () => {
  const server = await startServerProcess({ dataDir: memoryDir(), env: { SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8' } });
  const dripping = await startReceiver();
  const step = webhook('hook', `${dripping.url}/drip`, { fire_and_forget: false, request_timeout: 5 });
  await defineFlow(server, 'patient', { steps: [step] });
  const { run_id: runId } = (await triggerFlow(server, 'patient')).body;
  const failed = async () => {
    const { deliveries } = await admin(server, 'GET', `/deliveries?run_id=${runId}&status=failed`);
    return deliveries[0];
  };
  const { delivery_id: deliveryId } = await until('the drip to be over', failed, GIVEN_UP_MS);
  const { attempts } = await admin(server, 'GET', `/deliveries/${deliveryId}`);
  expect(attempts).toMatchObject([{ attempt: 1, kind: 'timeout', error: 'no answer in time (total)' }]);
  const { steps } = await until('its run to be over', async () => {
    const run = await admin(server, 'GET', `/runs/${runId}`);
    return run.status === 'completed' ? run : null;
  });
  expect(steps[0].outputs.message).toContain('the receiver did not end its answer within the total time');
});
