// The state of the server, over HTTP and on the command line.

import { expect, test } from 'vitest';
import { adminOf, sluice } from '../support/run-cli.ts';
import { sendingSteps } from '../support/sending-steps.ts';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';

const app = shareApp(
  { stepTypes: sendingSteps, send: async () => ({ kind: 'network', code: 'ECONNREFUSED', reason: 'nobody listens' }) },
  async (shared) => {
    const retry = { max_retries: 0, base_seconds: 1, max_seconds: 1 };
    await shared.workflow('dead', { steps: [{ type: 'test/send@v1', name: 's', url: 'https://dead.test/', retry }] });
    await shared.workflow('later', { steps: [{ type: 'sluice/delay@v1', name: 'd', seconds: 3600 }] });
    await shared.sink({ path: '/dead', workflow_id: 'dead' });
    await shared.sink({ path: '/later', workflow_id: 'later' });
    await shared.sink({ path: '/batch', flow: { batch: { size: 10, seconds: 600 } } });
  },
);

async function trigger(path: string): Promise<Response> {
  return await fetch(`${app().url}/shop${path}`, { method: 'POST', body: '{}', headers: { prefer: 'respond-async' } });
}

const now = async (): Promise<any> => (await app().admin('GET', '/stats/now')).body;

test('shows runs, deliveries and circuits, and what is stored', async () => {
  expect(await now()).toEqual({
    runs: { queued: 0, running: 0, waiting: 0 },
    oldest_queued_at: null,
    deliveries: { queued: 0, sending: 0, failed: 0 },
    open_circuits: [],
    streams: 0,
    database_bytes: expect.any(Number),
    wal_bytes: expect.any(Number),
    blob_bytes: expect.toSatisfy((bytes: unknown) => bytes === 0 || bytes === null),
    disk_free_bytes: expect.any(Number),
    version: 'test',
    uptime_seconds: expect.any(Number),
  });
  for (let count = 0; count < 5; count += 1) await trigger('/dead');
  const { headers } = await trigger('/later');
  await trigger('/batch');
  const stream = await fetch(`${app().url}/runs/${headers.get('x-run-id')}/events`);
  const state = await until('the circuit to open', async () => {
    const shown = await now();
    return shown.open_circuits.length > 0 && shown.deliveries.failed === 5 && shown.blob_bytes === 0 ? shown : null;
  });
  expect(state).toMatchObject({
    runs: { queued: 1, running: 0, waiting: 1 },
    oldest_queued_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    deliveries: { queued: 0, sending: 0, failed: 5 },
    open_circuits: ['https://dead.test'],
    streams: 1,
  });
  expect(state.database_bytes + state.wal_bytes).toBeGreaterThan(10_000);
  expect(state.disk_free_bytes).toBeGreaterThan(0);
  await stream.body?.cancel();
});

test('takes no parameter, and needs the token of the administrator', async () => {
  expect(await app().admin('GET', '/stats/now?since=1')).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } });
  expect((await fetch(`${app().url}/api/v1/stats/now`)).status).toBe(401);
  const shown = await app().admin('GET', '/openapi.json');
  expect(shown.body.paths['/api/v1/stats/now'].get.responses['200'].content['application/json'].schema.properties).toHaveProperty('runs');
});

test('sluice status prints it for people, and as JSON', async () => {
  const environment = adminOf(app());
  const { code, stdout } = await sluice(['status'], { environment });
  expect(code).toBe(0);
  expect(stdout.split('\n').map((line) => line.slice(0, 12).trim())).toEqual([
    ...['version', 'uptime', 'runs', 'deliveries', 'circuits', 'streams', 'database', 'files', 'disk', ''],
  ]);
  expect(stdout).toMatch(/^runs {8}1 queued, 0 running, 1 waiting, the oldest queued since \S+$/m);
  expect(stdout).toMatch(/^circuits {4}open: https:\/\/dead\.test$/m);
  expect(stdout).toMatch(/^database {4}[\d.]+ KiB, and [\d.]+ [KM]iB in the WAL$/m);
  expect(JSON.parse((await sluice(['status', '-o', 'json'], { environment })).stdout)).toMatchObject({ version: 'test' });
  expect(await sluice(['status', 'now'], { environment })).toMatchObject({ code: 2 });
});
