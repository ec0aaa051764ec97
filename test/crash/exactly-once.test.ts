// A hundred callers post the same message at once, while the server is killed and started again: one run, a hundred equal answers.

import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { admin } from '../support/remote-admin.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const CALLERS = 100;
const SECRET = 'a-secret';
const BODY = JSON.stringify({ ref: 'refs/heads/main', after: 'a'.repeat(40), price: 1.5 });

const workflow = {
  version: '1.0',
  inputs: [{ type: 'WorkflowParameter', name: 'ref' }],
  steps: [
    { type: 'sluice/delay@v1', name: 'pause', seconds: 0.3, next_steps: ['$steps.read'] },
    { type: 'sluice/set@v1', name: 'read', values: { ref: '$inputs.ref' } },
  ],
  outputs: [{ type: 'JsonField', name: 'ref', selector: '$steps.read.ref' }],
};

const senders = [
  {
    path: '/keyed',
    sink: { auth_token: SECRET, response: 'wait' },
    headers: { authorization: `Bearer ${SECRET}`, 'idempotency-key': 'the-one' },
  },
  { path: '/selected', sink: { idempotency: { body: 'after' }, response: 'wait' }, headers: {} },
  {
    path: '/github',
    sink: { auth: { type: 'github', secrets: [SECRET] } },
    headers: { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(BODY).digest('hex')}` },
  },
];

test.each(senders)('the message of $path', { timeout: 120_000 }, async ({ path, sink, headers }) => {
  const dataDir = tempDir();
  const start = (): Promise<ServerProcess> => startServerProcess({ dataDir });
  let server = await start();
  await admin(server, 'PUT', '/apps/demo/workflows/slow', workflow);
  await admin(server, 'POST', '/apps/demo/sinks', { path, method: 'POST', workflow_id: 'slow', ...sink });

  /** As a sender does, tries again until it is answered. */
  async function send(): Promise<{ status: number; run: string | null; text: string }> {
    return await until(
      'an answer',
      async () => {
        try {
          const request = {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...(headers as Record<string, string>) },
            body: BODY,
          };
          const response = await fetch(`${server.url}/demo${path}`, request);
          return { status: response.status, run: response.headers.get('x-run-id'), text: await response.text() };
        } catch {
          return null;
        }
      },
      60_000,
    );
  }

  const answers = Array.from({ length: CALLERS }, send);
  await until('a run', async () => (await admin(server, 'GET', '/runs')).runs.length > 0);
  server.kill('SIGKILL');
  await server.exited;
  server = await start();
  const received = await Promise.all(answers);
  expect(received.every(({ status }) => status === 200)).toBe(true);
  expect(new Set(received.map(({ run }) => run)).size).toBe(1);
  expect(new Set(received.map(({ text }) => text)).size).toBe(1);
  expect((await admin(server, 'GET', '/runs')).runs.map(({ run_id: id }: { run_id: string }) => id)).toEqual([received[0]?.run]);
});
