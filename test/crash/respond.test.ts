// A server killed while a caller waits for the answer of a step: the run goes on, and a repeated request gets its answer.

import { expect, test } from 'vitest';
import { admin, defineFlow } from '../support/remote-admin.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const trigger = ({ url }: ServerProcess): Promise<Response> =>
  fetch(`${url}/demo/answering`, { method: 'POST', headers: { 'idempotency-key': 'once' } });

test('a run whose caller was cut off completes after the restart, and answers the repeated request', { timeout: 60_000 }, async () => {
  const dataDir = tempDir();
  const first = await startServerProcess({ dataDir });
  const steps = [
    { type: 'sluice/delay@v1', name: 'pause', seconds: 2, next_steps: ['$steps.answer'] },
    { type: 'sluice/respond@v1', name: 'answer', status: 201, headers: { 'X-Step': 'answer' }, body: { from: 'a step' } },
  ];
  await defineFlow(first, 'answering', { steps, response: 'respond' });
  const cut = trigger(first).catch((error: unknown) => error);
  const run = await until('the run to be stored', async () => (await admin(first, 'GET', '/runs')).runs[0]);
  expect(run.status).toBe('waiting');
  first.kill('SIGKILL');
  expect(await cut).toBeInstanceOf(Error);
  await first.exited;

  const second = await startServerProcess({ dataDir });
  const answer = await trigger(second);
  expect([answer.status, answer.headers.get('x-step'), await answer.json()]).toEqual([201, 'answer', { from: 'a step' }]);
  expect(answer.headers.get('x-run-id')).toBe(run.run_id);
  expect(answer.headers.get('idempotent-replayed')).toBe('true');
  const ended = await admin(second, 'GET', `/runs/${run.run_id}`);
  expect(ended).toMatchObject({ status: 'completed', steps: [{ step: 'pause' }, { step: 'answer', outputs: { is_sent: true } }] });
});
