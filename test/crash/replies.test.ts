// A server killed while a run waits for a reply: the URL that was sent before resumes the run after the restart, once.

import { expect, test } from 'vitest';
import { admin, triggerFlow } from '../support/remote-admin.ts';
import { BASE_URL, replyWorkflow, sentLinks } from '../support/reply-workflow.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

test('a URL resumes its run after kill -9, and of many replies one counts, over a further kill too', { timeout: 60_000 }, async () => {
  const receiver = await startWebhookReceiver();
  const dataDir = tempDir();
  const env = { SLUICE_BASE_URL: BASE_URL, SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8' };
  const first = await startServerProcess({ dataDir, env });
  await admin(first, 'PUT', '/apps/demo/workflows/approval', replyWorkflow(receiver));
  await admin(first, 'POST', '/apps/demo/sinks', { path: '/approval', method: 'POST', workflow_id: 'approval', response: 'accept' });
  const { run_id: runId } = (await triggerFlow(first, 'approval')).body;
  const sent = await sentLinks(receiver, '');
  await until('the run to wait', async () => (await admin(first, 'GET', `/runs/${runId}`)).status === 'waiting');
  first.kill('SIGKILL');
  await first.exited;

  const second = await startServerProcess({ dataDir, env });
  const post = async (url: string, path: string): Promise<number> => (await fetch(`${url}${path}`, { method: 'POST' })).status;
  const choices = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? 'approve' : 'reject') as 'approve' | 'reject');
  const clicks = Promise.all(choices.map((choice) => post(second.url, sent[choice]).catch(() => null)));
  await until('a click to be stored', async () => (await admin(second, 'GET', `/runs/${runId}`)).status === 'completed');
  second.kill('SIGKILL');
  await second.exited;
  const statuses = await clicks;

  const third = await startServerProcess({ dataDir, env });
  const run = await admin(third, 'GET', `/runs/${runId}`);
  expect(run).toMatchObject({ status: 'completed', output: { timed_out: false } });
  const { choice } = run.output as { choice: 'approve' | 'reject' };
  for (const [index, status] of statuses.entries()) expect([null, choices[index] === choice ? 200 : 409]).toContain(status);
  expect(await post(third.url, sent[choice])).toBe(200);
  expect(await post(third.url, sent[choice === 'approve' ? 'reject' : 'approve'])).toBe(409);
  expect((await admin(third, 'GET', `/runs/${runId}`)).steps).toHaveLength(3);
  expect(first.output() + second.output() + third.output()).not.toContain('/runs/replies/');
});
