// Flow control of sinks over HTTP: what callers are answered when their run must wait, is refused, dropped or replaced.

import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { allFrames, firstFrames } from '../support/event-stream.ts';
import { createGates } from '../support/gates.ts';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';

const gates = createGates();
const app = shareApp(gates.options, async (shared) => {
  await shared.workflow('gated', {
    inputs: [
      { type: 'WorkflowParameter', name: 'gate' },
      { type: 'WorkflowParameter', name: 'n', default_value: 0 },
    ],
    steps: [{ type: 'test/gate@v1', name: 'wait', gate: '$inputs.gate' }],
    outputs: [{ type: 'JsonField', name: 'n', selector: '$inputs.n' }],
  });
  await shared.workflow('paused', {
    inputs: [{ type: 'WorkflowParameter', name: 'seconds' }],
    steps: [{ type: 'sluice/delay@v1', name: 'pause', seconds: '$inputs.seconds' }],
  });
});

let made = 0;
/** A sink with flow control, and gates of its own. */
async function open(flow: object | null, fields: Record<string, unknown> = {}) {
  made += 1;
  const path = `/flow-${made}`;
  const sink = await app().sink({ path, workflow_id: 'gated', flow, ...fields });
  const gate = (name: string): string => `${path.slice(1)}-${name}`;
  const send = (name: string, more: object = {}, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${app().url}/shop${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ gate: gate(name), ...more }),
    });
  const start = async (name: string, more: object = {}, headers: Record<string, string> = {}): Promise<string> => {
    const response = await send(name, more, { prefer: 'respond-async', ...headers });
    expect(response.status).toBe(202);
    return ((await response.json()) as { run_id: string }).run_id;
  };
  const state = async () => (await app().admin('GET', `/apps/shop/sinks/${sink.id}`)).body.flow_state;
  const edit = (flow_: unknown) => app().admin('PATCH', `/apps/shop/sinks/${sink.id}`, { flow: flow_ });
  return {
    sink,
    gate,
    send,
    start,
    state,
    edit,
    open: (name: string) => gates.open(gate(name)),
    reached: (name: string) => gates.reached(gate(name)),
  };
}

const runOf = async (runId: string): Promise<any> => (await app().admin('GET', `/runs/${runId}`)).body;
const ends = (runId: string, status: string): Promise<unknown> =>
  until(`${runId} to be ${status}`, async () => (await runOf(runId)).status === status);
const json = { accept: 'application/json' };

describe('a run that must wait', () => {
  test('is queued, its stream stays open, and it runs when the one before it has ended', async () => {
    const sink = await open({ max_concurrent: 1 });
    const first = await sink.start('a');
    await sink.reached('a');
    const response = await sink.send('b', { n: 7 });
    expect(response.status).toBe(200);
    const runId = response.headers.get('x-run-id') as string;
    expect(await runOf(runId)).toMatchObject({ status: 'queued', progress: 0 });
    expect(await sink.state()).toEqual({ in_flight: 1, held: 1 });
    const listed = (await app().admin('GET', `/runs?sink_id=${sink.sink.id}&status=queued`)).body.runs;
    expect(listed.map((run: any) => run.run_id)).toEqual([runId]);
    sink.open('b');
    sink.open('a');
    const frames = await allFrames(response);
    expect(frames[0]?.data).toEqual({ type: 'progress', run_id: runId, progress: 0, message: 'queued' });
    expect(frames.at(-1)?.data).toEqual({ type: 'complete', run_id: runId, output: { n: 7 } });
    expect(frames.map(({ id }) => id)).toEqual(frames.map((_, index) => index + 1));
    await ends(first, 'completed');
    expect(await sink.state()).toEqual({ in_flight: 0, held: 0 });
  });

  test('is waited for as JSON, and 202 when the wait limit passes first', async () => {
    const sink = await open({ max_concurrent: 1 });
    await sink.start('a');
    await sink.reached('a');
    const response = await sink.send('b', {}, { ...json, prefer: 'wait=0' });
    expect([response.status, response.headers.get('location')]).toEqual([202, `/runs/${response.headers.get('x-run-id')}`]);
    const waiting = sink.send('c', { n: 3 }, json);
    for (const gate of ['a', 'b', 'c']) sink.open(gate);
    expect(await (await waiting).json()).toMatchObject({ status: 'completed', output: { n: 3 } });
  });

  test('can be cancelled: it ends its stream and starts never, and the line moves on', async () => {
    const sink = await open({ max_concurrent: 1 });
    await sink.start('a');
    await sink.reached('a');
    const response = await sink.send('b');
    const runId = response.headers.get('x-run-id') as string;
    const last = await sink.start('c');
    await app().admin('POST', `/runs/${runId}/cancel`);
    expect((await allFrames(response)).at(-1)?.data).toMatchObject({ type: 'error', error: { code: 'cancelled' } });
    sink.open('a');
    sink.open('c');
    await ends(last, 'completed');
    expect((await runOf(runId)).steps).toEqual([]);
  });

  test('is joined by a repeated request, and replayed into the line', async () => {
    const sink = await open({ max_concurrent: 1 });
    const first = await sink.start('a');
    const held = await sink.start('b', {}, { 'idempotency-key': 'b1' });
    expect(await sink.start('b', {}, { 'idempotency-key': 'b1' })).toBe(held);
    const replayed = (await app().admin('POST', `/runs/${first}/replay`)).body.run_id;
    expect(await sink.state()).toEqual({ in_flight: 1, held: 2 });
    sink.open('a');
    sink.open('b');
    for (const runId of [first, held, replayed]) await ends(runId, 'completed');
  });

  test('has its input checked first: 422, and nothing is held', async () => {
    const sink = await open({ max_concurrent: 1 });
    const response = await fetch(`${app().url}/shop${sink.sink.path}`, { method: 'POST' });
    expect(response.status).toBe(422);
    expect(await sink.state()).toEqual({ in_flight: 0, held: 0 });
  });

  test('may have a large body, whose key is read as that of a small one', async () => {
    const sink = await open({ ordering_key: '$request.body.key' }, { workflow_id: 'paused' });
    const text = 'y'.repeat(400_000);
    const first = await sink.start('a', { key: 'x', seconds: 3600 });
    const large = await sink.start('b', { key: 'x', seconds: 0, text });
    const other = await sink.start('c', { key: 'z', seconds: 0, text });
    await ends(other, 'completed');
    expect((await runOf(large)).status).toBe('queued');
    await app().admin('POST', `/runs/${first}/cancel`);
    await ends(large, 'completed');
  });
});

describe('the overflow policy', () => {
  test('queue answers 429 with Retry-After when too many are held, stores nothing, and records the rejection', async () => {
    const sink = await open({ max_concurrent: 1, queue_limit: 1 });
    await sink.start('a');
    const held = await sink.start('b');
    const response = await sink.send('c', {}, { 'idempotency-key': 'again' });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '5']);
    expect(await response.json()).toMatchObject({
      triggered: false,
      run_id: null,
      error: { code: 'rate_limited', reason: 'queue_full', message: 'the sink holds 1 runs already; try again later' },
    });
    sink.open('a');
    sink.open('b');
    sink.open('c');
    await ends(held, 'completed');
    // The key is free: the same request, sent again, is a run.
    expect((await sink.send('c', {}, { ...json, 'idempotency-key': 'again' })).status).toBe(200);
    await until('the rejection', async () =>
      (await app().admin('GET', '/rejections?app_id=shop')).body.rejections.some(
        (one: any) => one.status === 429 && one.sink_id === sink.sink.id,
      ),
    );
  });

  test('reject answers 429 at once when no place is free', async () => {
    const sink = await open({ max_concurrent: 1, overflow: 'reject' });
    const first = await sink.start('a');
    const response = await sink.send('b');
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await response.json()).toMatchObject({ error: { reason: 'no_place' } });
    sink.open('a');
    await ends(first, 'completed');
    sink.open('b');
    expect((await sink.send('b', {}, json)).status).toBe(200);
  });

  test.each([
    ['stream', undefined],
    ['wait', 'wait'],
    ['accept', { mode: 'accept', status: 200 }],
    ['redirect', { mode: 'redirect', location: 'https://example.com/thanks' }],
  ])('drop answers 409 with the ended run where the response is %s', async (_name, response) => {
    const sink = await open({ max_concurrent: 1, overflow: 'drop' }, response === undefined ? {} : { response });
    const first = await sink.start('a');
    const dropped = await sink.send('b');
    const runId = dropped.headers.get('x-run-id') as string;
    expect(dropped.status).toBe(409);
    expect(await dropped.json()).toEqual({ run_id: runId, status: 'cancelled', error: { code: 'dropped', message: expect.any(String) } });
    expect(await runOf(runId)).toMatchObject({ status: 'cancelled', error: { code: 'dropped' } });
    const frames = await allFrames(await fetch(`${app().url}/runs/${runId}/events`));
    expect(frames.map(({ data }) => data.type)).toEqual(['progress', 'error']);
    sink.open('a');
    await ends(first, 'completed');
  });

  test('latest_wins replaces the held run, whose stream ends as superseded', async () => {
    const sink = await open({ max_concurrent: 1, overflow: 'latest_wins' });
    await sink.start('a');
    const older = await sink.send('b');
    const waited = sink.send('c', {}, json);
    expect((await allFrames(older)).at(-1)?.data).toMatchObject({ type: 'error', error: { code: 'superseded' } });
    const newest = await until('a second held run', async () => (await sink.state()).held === 1).then(() => sink.start('d', { n: 9 }));
    const replaced = await waited;
    expect(replaced.status).toBe(502);
    expect(await replaced.json()).toMatchObject({
      status: 'cancelled',
      error: { code: 'superseded', message: expect.stringContaining(newest) },
    });
    sink.open('a');
    sink.open('d');
    await ends(newest, 'completed');
  });

  test('of a list takes all of its runs or none, and says which ones were dropped', async () => {
    const flow = { max_concurrent: 1, queue_limit: 1 };
    const gated = (sink: Awaited<ReturnType<typeof open>>, names: string[]) =>
      fetch(`${app().url}/shop${sink.sink.path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(names.map((name) => ({ gate: sink.gate(name) }))),
      });
    const sink = await open(flow, { split: '$request.body' });
    const tooMany = await gated(sink, ['a', 'b', 'c']);
    expect(tooMany.status).toBe(429);
    expect(await tooMany.json()).toMatchObject({ error: { item: 2, reason: 'queue_full' } });
    expect(await sink.state()).toEqual({ in_flight: 0, held: 0 });
    expect((await gated(sink, ['a', 'b'])).status).toBe(202);
    const dropping = await open({ max_concurrent: 1, overflow: 'drop' }, { split: '$request.body' });
    const some = await gated(dropping, ['a', 'b']);
    expect([some.status, ((await some.json()) as any).runs.map((run: any) => run.status)]).toEqual([202, ['queued', 'cancelled']]);
    expect((await gated(dropping, ['c', 'd'])).status).toBe(409);
    for (const name of ['a', 'b']) {
      sink.open(name);
      dropping.open(name);
    }
  });
});

describe('order and quiet', () => {
  test('runs of one ordering key follow one another, and hold up no other key', async () => {
    const sink = await open({ ordering_key: '$request.query.key' });
    const send = (name: string, key: string) =>
      fetch(`${app().url}/shop${sink.sink.path}?key=${key}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', prefer: 'respond-async' },
        body: JSON.stringify({ gate: sink.gate(name) }),
      }).then(async (response) => ((await response.json()) as { run_id: string }).run_id);
    const [first, second, other] = [await send('a', 'x'), await send('b', 'x'), await send('c', 'y')];
    sink.open('b');
    sink.open('c');
    await ends(other, 'completed');
    expect((await runOf(second)).status).toBe('queued');
    sink.open('a');
    await ends(first, 'completed');
    await ends(second, 'completed');
  });

  test('debounce starts one run for a burst, the last one, and the others end as superseded', async () => {
    const sink = await open({ debounce: { seconds: 0.2 } });
    sink.open('a');
    const runs: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      runs.push(await sink.start('a', { n }));
      await after(20);
    }
    const last = runs.pop() as string;
    await ends(last, 'completed');
    expect((await runOf(last)).output).toEqual({ n: 4 });
    for (const runId of runs) expect(await runOf(runId)).toMatchObject({ status: 'cancelled', error: { code: 'superseded' } });
  });
});

describe('an edit while runs are held', () => {
  test('raises the limit, and removes it: held runs start at the edit', async () => {
    const sink = await open({ max_concurrent: 1 });
    const runs = [];
    for (const name of ['a', 'b', 'c', 'd']) runs.push(await sink.start(name));
    await sink.reached('a');
    expect((await sink.edit({ max_concurrent: 2 })).status).toBe(200);
    await sink.reached('b');
    expect(await sink.state()).toEqual({ in_flight: 2, held: 2 });
    expect((await sink.edit(null)).body.flow).toBeUndefined();
    await Promise.all([sink.reached('c'), sink.reached('d')]);
    for (const name of ['a', 'b', 'c', 'd']) sink.open(name);
    for (const runId of runs) await ends(runId, 'completed');
  });

  test('that deletes the sink lets its held runs go on one after another', async () => {
    const sink = await open({ max_concurrent: 1 });
    const runs = [await sink.start('a'), await sink.start('b')];
    expect((await app().admin('DELETE', `/apps/shop/sinks/${sink.sink.id}`)).status).toBe(204);
    sink.open('b');
    sink.open('a');
    for (const runId of runs) await ends(runId, 'completed');
  });

  test('takes back what was shown, with its counts', async () => {
    const sink = await open({ max_concurrent: 1, ordering_key: '$request.body.gate', queue_limit: 5 });
    const { body } = await app().admin('GET', `/apps/shop/sinks/${sink.sink.id}`);
    expect(body.flow).toEqual({ max_concurrent: 1, ordering_key: '$request.body.gate', queue_limit: 5 });
    const again = await app().admin('PUT', `/apps/shop/sinks/${sink.sink.id}`, { ...body, flow_state: { in_flight: 9, held: 9 } });
    expect([again.status, again.body.flow]).toEqual([200, body.flow]);
    const listed = (await app().admin('GET', '/sinks')).body.sinks.find((one: any) => one.id === sink.sink.id);
    expect(listed.flow_state).toEqual({ in_flight: 0, held: 0 });
  });
});

test('a sink without flow control starts its run with its request', async () => {
  const sink = await open(null);
  expect(sink.sink).not.toHaveProperty('flow');
  const response = await sink.send('a');
  expect((await firstFrames(response, 1))[0]?.data).not.toHaveProperty('message');
  expect(await sink.state()).toBeUndefined();
  sink.open('a');
});
