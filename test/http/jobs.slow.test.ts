// Jobs: replays of many runs by a filter. What is selected, at which rate, what is counted, and what is refused.

import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const settings = { outbound_allow: '127.0.0.0/8' };
const app = shareApp({ settings });
let made = 0;

async function flow(steps: object[], target: TestApp = app()): Promise<{ path: string; sinkId: string; workflow: string }> {
  made += 1;
  const workflow = `job${made}`;
  await target.workflow(workflow, { steps });
  const { id: sinkId } = await target.sink({ path: `/${workflow}`, workflow_id: workflow });
  return { path: `/${workflow}`, sinkId, workflow };
}

async function trigger(path: string, count: number, target: TestApp = app()): Promise<string[]> {
  const send = async (n: number): Promise<string> => {
    const headers = { 'content-type': 'application/json', prefer: 'respond-async' };
    const response = await fetch(`${target.url}/shop${path}`, { method: 'POST', headers, body: JSON.stringify({ n }) });
    return response.headers.get('x-run-id') as string;
  };
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) ids.push(await send(n));
  return ids;
}

async function createJob(body: object, target: TestApp = app()): Promise<{ job_id: string; matched: number }> {
  const answer = await target.admin('POST', '/jobs', { action: 'replay', ...body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body;
}

async function ended(jobId: string, target: TestApp = app()): Promise<any> {
  return await until(`${jobId} to end`, async () => {
    const { body } = await target.admin('GET', `/jobs/${jobId}`);
    return body.finished_at === null ? null : body;
  });
}

async function runsOf(sinkId: string, target: TestApp = app()): Promise<any[]> {
  return (await target.admin('GET', `/runs?sink_id=${sinkId}&limit=500`)).body.runs;
}

const set = { type: 'sluice/set@v1', name: 's', values: { n: '$request.body.n' } };
const fail = { type: 'sluice/fail@v1', name: 'f', code: 'bad' };

describe('a job', () => {
  test('replays what its filter selects, once, and neither its replays nor later runs', async () => {
    const { path, sinkId } = await flow([set]);
    const ids = await trigger(path, 20);
    const order = { filter: { sink_id: sinkId, status: 'completed' }, rate_per_second: 1000 };
    const preview = await app().admin('POST', '/jobs', { action: 'replay', ...order, preview: true });
    expect(preview).toMatchObject({ status: 200, body: { matched: 20 } });
    expect(await runsOf(sinkId)).toHaveLength(20);
    const { job_id: jobId, matched } = await createJob(order);
    expect(matched).toBe(20);
    await trigger(path, 3);
    expect(await ended(jobId)).toMatchObject({
      ...{ job_id: jobId, action: 'replay', status: 'completed', mode: 'live', version: 'current', rate_per_second: 1000 },
      ...{ matched: 20, replayed: 20, failed: 0, skipped: 0, position: ids.at(-1), last_error: null, filter: order.filter },
    });
    const replays = (await runsOf(sinkId)).filter(({ replay }) => replay !== undefined);
    expect(replays.map(({ replay }) => replay.of).sort()).toEqual([...ids].sort());
    expect(new Set(replays.map(({ replay }) => replay.job_id))).toEqual(new Set([jobId]));
    expect((await app().admin('GET', '/jobs?status=completed&limit=500')).body.jobs.map(({ job_id: id }: any) => id)).toContain(jobId);
  });

  test('goes on from the failed steps of all failed runs, and skips and counts what cannot be replayed', async () => {
    let status = 500;
    const receiver = await startWebhookReceiver({ status: () => status });
    const request = { type: 'sluice/http_request@v1', name: 'ask', url: receiver.url, method: 'POST', json: '$request.body.n' };
    const { path, sinkId, workflow } = await flow([set, request]);
    const ids = await trigger(path, 5);
    await until('all to fail', async () => (await runsOf(sinkId)).every((run) => run.status === 'failed'));
    status = 200;
    const job = await createJob({ filter: { sink_id: sinkId }, mode: 'from_failed_step', rate_per_second: 1000 });
    expect(await ended(job.job_id)).toMatchObject({ matched: 5, replayed: 5, skipped: 0, version: 'original' });
    await until('all replays to end', async () => (await runsOf(sinkId)).filter((run) => run.status === 'completed').length === 5);
    expect(receiver.arrivals).toHaveLength(10);
    // Their first step is not the same any more.
    await app().workflow(workflow, { steps: [{ ...set, values: { n: 2 } }, request] });
    const changed = await createJob({ filter: { sink_id: sinkId }, mode: 'from_failed_step', version: 'current', rate_per_second: 1000 });
    expect(await ended(changed.job_id)).toMatchObject({
      ...{ status: 'completed', matched: 5, replayed: 0, skipped: 5 },
      last_error: { run_id: ids.at(-1), code: 'conflict', message: expect.stringContaining('steps that this run has ended: s') },
    });
    await app().workflow(workflow, { steps: [], inputs: [{ type: 'WorkflowParameter', name: 'missing' }] });
    const unfit = await createJob({ filter: { sink_id: sinkId, status: 'failed' }, rate_per_second: 1000 });
    expect(await ended(unfit.job_id)).toMatchObject({ matched: 5, failed: 5, last_error: { code: 'unprocessable' } });
  });

  test('replays dry, and a run that ends later is not selected', async () => {
    const receiver = await startWebhookReceiver();
    const { path, sinkId } = await flow([
      { type: 'sluice/delay@v1', name: 'd', seconds: '$request.body.n', next_steps: ['$steps.w'] },
      { type: 'sluice/http_request@v1', name: 'w', url: receiver.url },
    ]);
    const [first] = await trigger(path, 2);
    await until('the first to end', async () =>
      (await runsOf(sinkId)).some(({ run_id: id, status }) => id === first && status === 'completed'),
    );
    const { job_id: jobId, matched } = await createJob({ filter: { sink_id: sinkId }, mode: 'dry', rate_per_second: 50 });
    expect(matched).toBe(1);
    expect(await ended(jobId)).toMatchObject({ replayed: 1 });
    await until('all to end', async () => (await runsOf(sinkId)).every(({ status }) => status === 'completed'));
    expect(receiver.arrivals).toHaveLength(2);
  });

  test('keeps to its rate, is cancelled in the middle with its counts, and only once', async () => {
    const { path, sinkId } = await flow([set]);
    await trigger(path, 60);
    const { job_id: jobId } = await createJob({ filter: { sink_id: sinkId }, rate_per_second: 20 });
    const begun = performance.now();
    await until('some replays', async () => (await runsOf(sinkId)).length >= 70);
    // Ten replays at twenty a second.
    expect(performance.now() - begun).toBeGreaterThan(400);
    expect(await app().admin('POST', `/jobs/${jobId}/cancel`)).toEqual({ status: 200, body: { job_id: jobId, status: 'cancelled' } });
    const job = await ended(jobId);
    expect(job).toMatchObject({ status: 'cancelled', matched: 60 });
    expect(job.replayed).toBe((await runsOf(sinkId)).length - 60);
    expect(job.replayed).toBeLessThan(60);
    expect(await app().admin('POST', `/jobs/${jobId}/cancel`)).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
  });

  test('goes on after a stop and a start, and replays each run once', async () => {
    const dataDir = tempDir();
    const first = await startTestApp({ dataDir });
    const { path, sinkId } = await flow([set], first);
    const ids = await trigger(path, 60, first);
    const { job_id: jobId } = await createJob({ filter: { sink_id: sinkId }, rate_per_second: 100 }, first);
    await until('some replays', async () => (await runsOf(sinkId, first)).length >= 75);
    await first.close();
    const second = await startTestApp({ dataDir });
    expect(await ended(jobId, second)).toMatchObject({ status: 'completed', matched: 60, replayed: 60 });
    const replays = (await runsOf(sinkId, second)).filter(({ replay }) => replay !== undefined);
    expect(replays.map(({ replay }) => replay.of).sort()).toEqual([...ids].sort());
  });

  test('of a deleted sink skips its runs', async () => {
    const { path, sinkId } = await flow([fail]);
    await trigger(path, 3);
    await app().admin('DELETE', `/apps/shop/sinks/${sinkId}`);
    const { job_id: jobId } = await createJob({ filter: { sink_id: sinkId }, rate_per_second: 1000 });
    expect(await ended(jobId)).toMatchObject({ matched: 3, skipped: 3, last_error: { message: expect.stringContaining('deleted') } });
  });
});

const wrong: [string, unknown, string][] = [
  ['no body', undefined, 'action'],
  ['an unknown action', { action: 'delete', filter: { status: 'failed' } }, 'action'],
  ['no filter', { action: 'replay' }, 'filter'],
  ['a filter that selects all', { action: 'replay', filter: {} }, 'filter: selects no runs'],
  ['an unknown filter', { action: 'replay', filter: { app: 'x' } }, 'app'],
  ['runs that have not ended', { action: 'replay', filter: { status: 'waiting' } }, 'status'],
  ['a time that is none', { action: 'replay', filter: { since: 'yesterday' } }, 'filter.since: must be an ISO 8601 time'],
  ['rate 0', { action: 'replay', filter: { status: 'failed' }, rate_per_second: 0 }, 'rate_per_second'],
  ['rate 1001', { action: 'replay', filter: { status: 'failed' }, rate_per_second: 1001 }, 'rate_per_second'],
  ['a rate that is not whole', { action: 'replay', filter: { status: 'failed' }, rate_per_second: 1.5 }, 'rate_per_second'],
  ['a huge rate', '{"action":"replay","filter":{"status":"failed"},"rate_per_second":1e400}', 'rate_per_second'],
  ['an unknown mode', { action: 'replay', filter: { status: 'failed' }, mode: 'wet' }, 'mode'],
  ['an unknown version', { action: 'replay', filter: { status: 'failed' }, version: '3' }, 'version'],
  [
    'completed runs from their failed step',
    { action: 'replay', filter: { status: 'completed' }, mode: 'from_failed_step' },
    'filter.status',
  ],
  ['a preview that is a text', { action: 'replay', filter: { status: 'failed' }, preview: 'yes' }, 'preview'],
];
test.each(wrong)('%s is refused by name', async (_name, body, reason) => {
  const { status, body: answer } = await app().admin('POST', '/jobs', body);
  expect(status).toBe(400);
  expect(answer.error).toMatchObject({ code: 'invalid', message: expect.stringContaining(reason) });
});

test('an unknown job is 404, and an unknown app or sink matches nothing', async () => {
  for (const [method, path] of [
    ['GET', '/jobs/job_x'],
    ['POST', '/jobs/job_x/cancel'],
  ] as const)
    expect((await app().admin(method, path)).status).toBe(404);
  for (const filter of [{ app_id: 'nobody' }, { sink_id: 'snk_none' }, { until: '2001-01-01' }]) {
    const { body } = await app().admin('POST', '/jobs', { action: 'replay', filter, preview: true });
    expect(body).toEqual({ matched: 0 });
  }
  const { job_id: jobId } = await createJob({ filter: { app_id: 'nobody' } });
  expect(await ended(jobId)).toMatchObject({ status: 'completed', matched: 0, replayed: 0, position: null });
});

test('a caller of the sink cannot take the key of a replay', async () => {
  const { path } = await flow([set]);
  const response = await fetch(`${app().url}/shop${path}`, { method: 'POST', headers: { 'idempotency-key': 'replay job_x run_y' } });
  expect(response.status).toBe(400);
});
