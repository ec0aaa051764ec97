// A run at which the process dies again and again: it is taken up three times and no more, and holds up no other run.

import { expect, test } from 'vitest';
import { admin, defineFlow } from '../support/remote-admin.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const DEATHS = 3;
const OTHERS = 20;
/** Lists of empty objects, which take a second or more to be taken up. */
const HEAVY = `{"data":[${'{},'.repeat(3_000_000)}{}]}`;

async function trigger({ url }: ServerProcess, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/demo/late`, { method: 'POST', headers, body });
  expect(response.status).toBe(202);
  return ((await response.json()) as any).run_id;
}

const statusOf = async (server: ServerProcess, id: string): Promise<string> => (await admin(server, 'GET', `/runs/${id}`)).status;

test('killed three times while it is taken up, a run is set aside and told of, and the others complete', { timeout: 180_000 }, async () => {
  const dataDir = tempDir();
  let server = await startServerProcess({ dataDir });
  const steps = [
    { type: 'sluice/delay@v1', name: 'd', seconds: 6, next_steps: ['$steps.s'] },
    { type: 'sluice/set@v1', name: 's', values: { method: '$request.method' } },
  ];
  await defineFlow(server, 'late', { steps, outputs: { method: '$steps.s.method' } });
  const heavy = await trigger(server, HEAVY);
  const others: string[] = [];
  for (let count = 0; count < OTHERS; count += 1) others.push(await trigger(server, '{}'));

  for (let death = 1; death <= DEATHS; death += 1) {
    await until('the run to be taken up', async () => (await statusOf(server, heavy)) === 'running', 30_000);
    server.kill('SIGKILL');
    await server.exited;
    server = await startServerProcess({ dataDir });
  }
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  expect(await admin(server, 'GET', `/runs/${heavy}`)).toMatchObject({ status: 'failed', error: { code: 'poisoned' } });
  await until('the log to tell of it', () => server.output().includes(heavy));
  for (const id of others) await until('the others to complete', async () => (await statusOf(server, id)) === 'completed', 30_000);

  const { run_id: again } = await admin(server, 'POST', `/runs/${heavy}/replay`);
  await until('the replayed run to complete', async () => (await statusOf(server, again)) === 'completed', 60_000);
});
