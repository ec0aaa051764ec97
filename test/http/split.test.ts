// A sink that splits a list of events into runs: one for each item, all of them or none, each under a key of its own.

import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';

const app = shareApp({}, async (shared) => {
  await shared.workflow('one', {
    inputs: [{ type: 'WorkflowParameter', name: 'id' }],
    steps: [{ type: 'sluice/set@v1', name: 's', values: { id: '$inputs.id', whole: '$request.body' } }],
    outputs: [{ type: 'JsonField', name: 'seen', selector: '$steps.s.whole' }],
  });
  await shared.workflow('typed', {
    inputs: [{ type: 'WorkflowParameter', name: 'n', kind: ['integer'] }],
    steps: [{ type: 'sluice/set@v1', name: 's', values: { n: '$inputs.n' } }],
  });
  await shared.workflow('counting', {
    steps: [
      {
        type: 'roboflow_core/rate_limiter@v1',
        name: 'limit',
        cooldown_seconds: 3600,
        depends_on: '$request.method',
        next_steps: ['$steps.s'],
      },
      { type: 'sluice/set@v1', name: 's', values: { passed: true } },
    ],
  });
  await shared.sink({ path: '/events', workflow_id: 'one', split: '$request.body.events' });
  await shared.sink({ path: '/list', workflow_id: 'one', split: '$request.body', idempotency: { body: 'id' } });
  await shared.sink({ path: '/keyed', workflow_id: 'one', split: '$request.body' });
  await shared.sink({ path: '/typed', workflow_id: 'typed', split: '$request.body' });
  await shared.sink({ path: '/counting', workflow_id: 'counting', split: '$request.body' });
  await shared.sink({ path: '/line', split: '$request.body.events', auth: { type: 'line', secrets: ['channel-secret'] } });
  await shared.sink({ path: '/twitch', split: '$request.body.list', auth: { type: 'twitch', secrets: ['twitch-secret'] } });
  await shared.sink({ path: '/own', split: '$request.body', response: { mode: 'accept', status: 200, body: 'thanks' } });
});

function send(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${app().url}/shop${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: text });
}

async function runsOf(response: Response): Promise<string[]> {
  expect(response.status).toBe(202);
  return ((await response.json()) as { runs: { run_id: string }[] }).runs.map(({ run_id: id }) => id);
}

async function runCount(path: string): Promise<number> {
  const sink = (await app().admin('GET', '/sinks')).body.sinks.find((one: any) => one.path === path);
  return (await app().admin('GET', `/runs?limit=500&sink_id=${sink.id}`)).body.runs.length;
}

const outputOf = async (runId: string): Promise<any> => (await app().admin('GET', `/runs/${runId}`)).body;

describe('a body with a list', () => {
  test('is a run for each item, in order, with the item as its body and its numbers as they came', async () => {
    const runs = await runsOf(await send('/events', '{"events":[{"id":1.0},{"id":90071992547409931},{"id":"é"}]}'));
    const seen = [];
    for (const run of runs)
      seen.push((await fetch(`${app().url}/runs/${run}`).then((response) => response.text())).match(/"seen":(\{[^}]*\})/)?.[1]);
    expect(seen).toEqual(['{"id":1.0}', '{"id":90071992547409931}', '{"id":"é"}']);
    expect((await outputOf(runs[1] as string)).request.body).toBe('{"id":90071992547409931}');
  });

  test('may have items of any kind, and none', async () => {
    expect(await runsOf(await send('/events', { events: [] }))).toEqual([]);
    expect(
      (
        await runsOf(
          await send('/own', [1]).then((response) => new Response('{"runs":[]}', { status: response.status === 200 ? 202 : 500 })),
        )
      ).length,
    ).toBe(0);
    const runs = await runsOf(await send('/keyed', [{ id: 1 }, { id: 1 }, { id: [] }]));
    expect(new Set(runs).size).toBe(3);
  });

  test('starts no run when one of its items does not fit, and says which', async () => {
    const before = await runCount('/typed');
    const response = await send('/typed', [{ n: 1 }, { n: 'x' }, { n: 3 }]);
    expect(response.status).toBe(422);
    expect(((await response.json()) as any).error).toMatchObject({ item: 1, message: expect.stringContaining('item 1: ') });
    expect(await runCount('/typed')).toBe(before);
  });

  test.each([
    ['{"events":{}}', 422],
    ['{}', 422],
    ['7', 422],
    ['', 422],
    [JSON.stringify({ events: Array.from({ length: 1001 }, () => 1) }), 413],
    [JSON.stringify({ events: [{ pad: 'x'.repeat(300_000) }] }), 413],
  ])('that is none, or too long, is refused: %.40s', async (body, status) => {
    const before = await runCount('/events');
    expect((await send('/events', body)).status).toBe(status);
    expect(await runCount('/events')).toBe(before);
  });

  test('of a thousand items is a thousand runs', async () => {
    const runs = await runsOf(await send('/events', { events: Array.from({ length: 1000 }, (_, id) => ({ id })) }));
    expect(new Set(runs).size).toBe(1000);
  });
});

describe('a list that comes again', () => {
  test('joins the runs of its items, each by the id in its own body, wherever it stands', async () => {
    const first = await send('/list', [{ id: 'a' }, { id: 'b' }]);
    const runs = await runsOf(first);
    const again = await send('/list', [{ id: 'b' }, { id: 'c' }, { id: 'a' }]);
    const [b, c, a] = await runsOf(again);
    expect([a, b]).toEqual(runs);
    expect(runs).not.toContain(c);
    const whole = await send('/list', [{ id: 'a' }, { id: 'b' }]);
    expect([first, again, whole].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, null, 'true']);
  });

  test('under one Idempotency-Key is a key for each item, and another list under it is refused', async () => {
    const key = { 'idempotency-key': 'batch-1' };
    const runs = await runsOf(await send('/keyed', [{ id: 1 }, { id: 1 }], key));
    expect(new Set(runs).size).toBe(2);
    expect(await runsOf(await send('/keyed', [{ id: 1 }, { id: 1 }], key))).toEqual(runs);
    const before = await runCount('/keyed');
    const other = await send('/keyed', [{ id: 1 }, { id: 2 }, { id: 3 }], key);
    expect([other.status, ((await other.json()) as any).error.item, await runCount('/keyed')]).toEqual([422, 1, before]);
  });
});

test('runs of one list see what the one before them remembers', async () => {
  const runs = await runsOf(await send('/counting', [1, 2, 3]));
  const passed = [];
  for (const run of runs) passed.push((await outputOf(run)).steps.find(({ step }: any) => step === 's')?.status ?? 'none');
  expect(passed.map((status) => status === 'completed')).toEqual([true, false, false]);
});

test('a provider that sends lists gets its own answer; an empty list is no run', async () => {
  const post = (body: string): Promise<Response> =>
    send('/line', body, { 'x-line-signature': createHmac('sha256', 'channel-secret').update(body).digest('base64') });
  const before = await runCount('/line');
  expect((await post('{"destination":"x","events":[]}')).status).toBe(200);
  expect(await runCount('/line')).toBe(before);
  const response = await post('{"destination":"x","events":[{"type":"message"},{"type":"follow"}]}');
  expect([response.status, await response.text(), await runCount('/line')]).toEqual([200, '', before + 2]);
});

test.each([
  [{ split: '$inputs.x' }, 'split: "$inputs.x" must be a selector of the body'],
  [{ split: '$request.headers.x' }, 'split: "$request.headers.x" must be a selector of the body'],
  [{ split: '$request.body', response: 'wait' }, 'response: cannot be "wait" beside split'],
  [{ split: '$request.body', response: { mode: 'custom' } }, 'response: cannot be "custom" beside split'],
  [{ split: '$request.body', payload: 'v7' }, 'split: cannot stand beside payload'],
])('a sink with %j is refused', async (fields, message) => {
  const { status, body } = await app().admin('POST', '/apps/shop/sinks', { path: '/wrong', method: 'POST', ...fields });
  expect([status, body.error.message]).toEqual([400, expect.stringContaining(message)]);
});

test('a handshake that starts runs gets its own answer', async () => {
  const body = JSON.stringify({ list: [1, 2] });
  const time = new Date().toISOString();
  const signature = createHmac('sha256', 'twitch-secret').update(`1${time}${body}`).digest('hex');
  const response = await send('/twitch', body, {
    'twitch-eventsub-message-id': '1',
    'twitch-eventsub-message-timestamp': time,
    'twitch-eventsub-message-type': 'revocation',
    'twitch-eventsub-message-signature': `sha256=${signature}`,
  });
  expect([response.status, await runCount('/twitch')]).toEqual([204, 2]);
});

test('a reconnecting stream starts no run for items without a key', async () => {
  const before = await runCount('/list');
  const response = await send('/list', [{ id: 'named' }, {}], { 'last-event-id': '1' });
  expect([response.status, await runCount('/list')]).toEqual([204, before]);
});
