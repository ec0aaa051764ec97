// Batches and cooldowns of sinks over HTTP: what callers are answered, what the run sees, and who may read it.

import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { shareApp } from '../support/shared-app.ts';
import { ADMIN_TOKEN } from '../support/start-app.ts';
import { until } from '../support/until.ts';

const INPUTS = { rows: '$request.body', event: '$request.batch.1.headers.x-event', count: '$request.batch.length' };
const app = shareApp({}, async (shared) => {
  const inputs = Object.keys(INPUTS).map((name) => ({
    type: 'WorkflowParameter',
    name,
    ...(name === 'event' ? { default_value: null } : {}),
  }));
  const outputs = Object.keys(INPUTS).map((name) => ({ type: 'JsonField', name, selector: `$inputs.${name}` }));
  await shared.workflow('rows', { inputs, outputs });
  await shared.workflow('one', { inputs: [{ type: 'WorkflowBatchInput', name: 'rows' }] });
});

let made = 0;
async function open(flow: object = { batch: { size: 3, seconds: 3600 } }, fields: Record<string, unknown> = {}) {
  made += 1;
  const sink = await app().sink({ path: `/batch-${made}`, workflow_id: 'rows', inputs: INPUTS, flow, ...fields });
  const send = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${app().url}/shop${sink.path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const collect = async (body: unknown, headers: Record<string, string> = {}): Promise<string> => {
    const response = await send(body, headers);
    const answer = (await response.json()) as { run_id: string; status: string };
    expect([response.status, answer.status]).toEqual([202, 'queued']);
    return answer.run_id;
  };
  return { sink, send, collect };
}

const runOf = async (runId: string): Promise<any> => (await app().admin('GET', `/runs/${runId}`)).body;
const ends = async (runId: string, status = 'completed'): Promise<any> => {
  await until(`${runId} to be ${status}`, async () => (await runOf(runId)).status === status);
  return await runOf(runId);
};

describe('a batch', () => {
  test('is one run, whose id each request gets at once, with all bodies and heads', async () => {
    const { collect, sink } = await open();
    const first = await collect('{"n": 1.0}', { 'x-event': 'a', accept: 'text/event-stream' });
    expect(await collect({ n: 2 }, { 'x-event': 'b', accept: 'application/json' })).toBe(first);
    expect(await runOf(first)).toMatchObject({ status: 'queued' });
    expect(await collect({ n: 3 }, { prefer: 'wait=30' })).toBe(first);
    const run = await ends(first);
    expect(run.output).toEqual({ rows: [{ n: 1 }, { n: 2 }, { n: 3 }], event: 'b', count: 3 });
    expect(run.request).toMatchObject({ path: sink.path, method: 'POST', body: '[{"n":1.0},{"n":2},{"n":3}]' });
    expect(run.request.batch.map(({ headers }: any) => headers['x-event'] ?? null)).toEqual(['a', 'b', null]);
    const body = await fetch(`${app().url}/api/v1/runs/${first}/body`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    expect(await body.text()).toBe('[{"n":1.0},{"n":2},{"n":3}]');
    expect(await collect({ n: 4 })).not.toBe(first);
  });

  test('starts at its time with the requests that came', async () => {
    const { collect } = await open({ batch: { size: 1000, seconds: 0.3 } });
    const runId = await collect('a=1&a=2', { 'content-type': 'application/x-www-form-urlencoded' });
    await collect('plain', { 'content-type': 'text/plain' });
    expect((await ends(runId)).output).toEqual({ rows: [{ a: ['1', '2'] }, 'plain'], event: null, count: 2 });
  });

  test('may be large', async () => {
    const { collect } = await open();
    const text = 'x'.repeat(200_000);
    const [first] = [await collect({ text }), await collect({ text }), await collect({ text })];
    const { output } = await ends(first as string);
    expect([output.count, output.rows.map((row: any) => row.text.length)]).toEqual([3, [200_000, 200_000, 200_000]]);
  });

  test('has a request with an idempotency key once', async () => {
    const { collect, send } = await open();
    const first = await collect({ n: 1 });
    for (let time = 0; time < 3; time += 1) expect(await collect({ n: 2 }, { 'idempotency-key': 'k' })).toBe(first);
    expect((await send({ n: 2 }, { 'idempotency-key': 'k' })).headers.get('idempotent-replayed')).toBe('true');
    expect((await send({ n: 9 }, { 'idempotency-key': 'k' })).status).toBe(422);
    await collect({ n: 3 });
    expect((await ends(first)).output.rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test('takes neither files nor large bodies nor inputs that do not fit', async () => {
    const { send, sink } = await open();
    const form = new FormData();
    form.set('photo', new Blob(['x']), 'a.png');
    const uploaded = await fetch(`${app().url}/shop${sink.path}`, { method: 'POST', body: form });
    expect([uploaded.status, ((await uploaded.json()) as any).error.message]).toEqual([415, expect.stringContaining('have no files')]);
    expect((await send('raw', { 'content-type': 'application/octet-stream' })).status).toBe(415);
    expect((await send({ text: 'x'.repeat(300_000) })).status).toBe(413);
    const unfit = await open(undefined, { inputs: {} });
    const refused = await unfit.send({ rows: 1 });
    expect([refused.status, JSON.stringify(await refused.json())]).toEqual([422, expect.stringContaining('input')]);
    expect((await app().admin('GET', `/apps/shop/sinks/${unfit.sink.id}`)).body.flow_state).toEqual({ in_flight: 0, held: 0 });
  });

  test('whose inputs only fit a single request fails, and says why', async () => {
    const { collect } = await open({ batch: { size: 2, seconds: 3600 } }, { workflow_id: 'one', inputs: { rows: '$request.body' } });
    const runId = await collect({ n: 1 });
    await collect({ n: 2 });
    expect((await ends(runId, 'failed')).error).toMatchObject({ code: 'unprocessable', message: expect.stringContaining('2 elements') });
  });

  test('of a public sink is shown to none of its callers, and with a token to those who have it', async () => {
    const publicly = await open();
    const runId = await publicly.collect({ n: 1 });
    for (const path of [`/runs/${runId}`, `/runs/${runId}/events`]) expect((await fetch(`${app().url}${path}`)).status).toBe(401);
    const guarded = await open(undefined, { auth_token: 'secret-token' });
    const authorization = 'Bearer secret-token';
    const shown = await guarded.collect({ n: 1 }, { authorization });
    expect((await fetch(`${app().url}/runs/${shown}`, { headers: { authorization } })).status).toBe(200);
  });

  test('is replayed whole, beside the batch that collects', async () => {
    const { collect } = await open({ batch: { size: 2, seconds: 3600 } });
    const runId = await collect({ n: 1 });
    await collect({ n: 2 });
    await ends(runId);
    const collecting = await collect({ n: 3 });
    const replayed = (await app().admin('POST', `/runs/${runId}/replay`)).body.run_id;
    expect((await ends(replayed)).output.rows).toEqual([{ n: 1 }, { n: 2 }]);
    expect((await runOf(collecting)).status).toBe('queued');
  });

  test('that is cancelled keeps its requests for a replay', async () => {
    const { collect } = await open();
    const runId = await collect({ n: 1 });
    await collect({ n: 2 });
    expect((await app().admin('POST', `/runs/${runId}/cancel`)).status).toBe(200);
    const replayed = (await app().admin('POST', `/runs/${runId}/replay`)).body.run_id;
    expect((await ends(replayed)).output.rows).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('comes once on the stream of requests, when it starts', async () => {
    const { collect, sink } = await open();
    const request = get(`${app().url}/api/v1/apps/shop/sinks/${sink.id}/requests/events`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    onTestEnd(() => void request.destroy());
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    response.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await until('the stream to be ready', () => text.includes('ready'));
    for (const n of [1, 2, 3]) await collect({ n });
    await until('the batch', () => text.includes('"type":"request"'));
    const [, event] = text.split('\n\n') as [string, string];
    const { body_kind: kind, request: head } = JSON.parse(event.slice(event.indexOf('data: ') + 6));
    expect([kind, head.batch.length, text.split('"type":"request"').length]).toEqual(['batch', 3, 2]);
  });
});

test('a cooldown answers 409 with the ended run, by key', async () => {
  const flow = { cooldown: { seconds: 3600, key: '$request.body.camera' } };
  const { send } = await open(flow, { workflow_id: null, inputs: {}, response: 'wait' });
  expect((await send({ camera: 1 })).status).toBe(200);
  const skipped = await send({ camera: 1 }, { 'idempotency-key': 'k' });
  const runId = skipped.headers.get('x-run-id') as string;
  expect([skipped.status, await skipped.json()]).toEqual([
    409,
    { run_id: runId, status: 'cancelled', error: { code: 'cooldown', message: expect.stringContaining('skips') } },
  ]);
  expect(await runOf(runId)).toMatchObject({ status: 'cancelled', error: { code: 'cooldown' } });
  expect((await send({ camera: 2 }, { 'idempotency-key': 'k' })).status).toBe(200);
});
