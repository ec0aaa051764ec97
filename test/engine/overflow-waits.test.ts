// A run whose delivery is over while something else is still being done for it.

import { expect, test } from 'vitest';
import { sendingSteps } from '../support/sending-steps.ts';
import { startTestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { reaches, startRun, trigger } from './run-support.ts';

test('a run hears at once of what was dropped while it wrote a file', async () => {
  let answer = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const { url } = await startWebhookReceiver({ wait: () => held });
  const app = await startTestApp({ stepTypes: sendingSteps, settings: { outbound_allow: '127.0.0.0/8', files_dir: tempDir() } });
  const write = { type: 'roboflow_core/local_file_sink@v1', name: 'write', output_mode: 'separate_files', target_directory: 'logs' };
  const push = { type: 'test/send@v1', name: 'push', url, overflow: { policy: 'reject', limit: 1 } };
  const first = await startRun(app, { steps: [push, { ...write, content: '$request.method' }] });
  const second = await trigger(app);
  expect((await reaches(app, second, 'failed')).error.message).toContain('the receiver is behind');
  answer();
  await reaches(app, first, 'completed');
});
