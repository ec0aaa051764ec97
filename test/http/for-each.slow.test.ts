// Lists through a real server and a real receiver: what a caller sees of the items, what is refused when a workflow is saved,
// and what a replay, a cancellation and a restart leave of them.

import { describe, expect, test } from 'vitest';
import { allFrames } from '../support/event-stream.ts';
import { BASE_URL, replyWorkflow, sentLinks } from '../support/reply-workflow.ts';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp, type TestAppOptions } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const settings = { outbound_allow: '127.0.0.0/8', base_url: BASE_URL, drain_seconds: '0' };
const app = shareApp({ settings });

const input = (name: string) => ({ type: 'WorkflowParameter', name });
const output = (name: string, selector: string) => ({ type: 'JsonField', name, selector });
const send = (url: string, json: unknown, name = 'send', more: object = {}) => ({
  type: 'sluice/http_request@v1',
  name,
  url,
  method: 'POST',
  json,
  ...more,
});
const body = (steps: object[], outputs: object[] = [], inputs = ['it']) => ({ version: '1.0', inputs: inputs.map(input), steps, outputs });
const forEach = (definition: unknown, more: object = {}) => ({
  type: 'sluice/for_each@v1',
  name: 'each',
  items: '$inputs.list',
  workflow_definition: definition,
  parameter_bindings: { it: '$item' },
  ...more,
});
const sending = (receiver: Pick<WebhookReceiver, 'url'>, more: object = {}) =>
  forEach(body([send(receiver.url, '$inputs.it')], [output('status', '$steps.send.status')]), more);

let made = 0;
async function flow(steps: object[], target = app(), sink: object = {}): Promise<string> {
  made += 1;
  const outputs = [output('results', '$steps.each.results'), output('failed', '$steps.each.failed')];
  await target.workflow(`list${made}`, { inputs: [input('list')], steps, outputs });
  await target.sink({ path: `/list${made}`, workflow_id: `list${made}`, ...sink });
  return `/shop/list${made}`;
}

function post(path: string, list: unknown, target = app(), headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${target.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof list === 'string' ? list : JSON.stringify({ list }),
  });
}

async function start(path: string, list: unknown, target = app()): Promise<string> {
  return (await post(path, list, target, { prefer: 'respond-async' })).headers.get('x-run-id') as string;
}

async function reaches(runId: string, statuses: string[], target = app()): Promise<any> {
  return await until(`${runId} to be ${statuses}`, async () => {
    const run = (await target.admin('GET', `/runs/${runId}`)).body;
    return statuses.includes(run.status) ? run : null;
  });
}
const ends = (runId: string, target?: TestApp) => reaches(runId, ['completed', 'failed', 'cancelled'], target);
const bodiesAt = ({ arrivals }: WebhookReceiver): unknown[] => arrivals.map((arrival) => JSON.parse(arrival.body) as unknown);

describe('what a caller sees', () => {
  test('each item is an event with the progress so far, and the stream can be resumed after any of them', async () => {
    const receiver = await startWebhookReceiver();
    const response = await post(await flow([sending(receiver)]), ['a', 'b', 'c', 'd']);
    const frames = await allFrames(response);
    const items = frames.filter(({ data }) => data.step === 'each').map(({ data }) => [data.progress, data.message]);
    expect(items).toEqual([
      [25, 'item 1 of 4'],
      [50, 'item 2 of 4'],
      [75, 'item 3 of 4'],
      [99, 'item 4 of 4'],
    ]);
    expect(frames.at(-1)?.data).toMatchObject({
      type: 'complete',
      output: { results: Array.from({ length: 4 }, () => ({ status: 200 })), failed: 0 },
    });
    expect(bodiesAt(receiver)).toEqual(['a', 'b', 'c', 'd']);
    const runId = response.headers.get('x-run-id') as string;
    expect(receiver.arrivals.map(({ key }) => key)).toEqual(['', ':2', ':3', ':4'].map((visit) => `${runId}:each[].send${visit}`));
    for (const after of [1, 3, 6]) {
      const resumed = await allFrames(await fetch(`${app().url}/runs/${runId}/events`, { headers: { 'last-event-id': String(after) } }));
      expect(resumed.map(({ text }) => text)).toEqual(frames.slice(after).map(({ text }) => text));
    }
    const { steps } = await ends(runId);
    expect(steps.map(({ step, visit }: any) => `${step} ${visit ?? 1}`).slice(0, 5)).toEqual([
      'each 1',
      'each[] 1',
      'each[].send 1',
      'each[] 2',
      'each[].send 2',
    ]);
  });

  test('an item of 1 MB, exact numbers, and a list of a large body that is decoded in a thread', async () => {
    const receiver = await startWebhookReceiver();
    const list = `[${JSON.stringify('x'.repeat(2 ** 20))}, 12345678901234567890, {"constructor": 1.10}]`;
    const path = await flow([sending(receiver)], app(), { response: 'wait' });
    const response = await post(path, `{"list": ${list}}`);
    expect([response.status, ((await response.json()) as any).output.results]).toEqual([
      200,
      [{ status: 200 }, { status: 200 }, { status: 200 }],
    ]);
    expect(receiver.arrivals.map(({ body: text }) => text)).toEqual([
      JSON.stringify('x'.repeat(2 ** 20)),
      '12345678901234567890',
      '{"constructor":1.10}',
    ]);
  });

  test('a run leaves memory once its items hold much, and goes on in the thread of large runs', async () => {
    const receiver = await startWebhookReceiver();
    const copying = body(
      [
        send(receiver.url, '$inputs.it'),
        { type: 'sluice/set@v1', name: 'copy', values: { it: '$inputs.it', status: '$steps.send.status' } },
      ],
      [output('it', '$steps.copy.it')],
    );
    const list = Array.from({ length: 8 }, (_, index) => String(index).repeat(25_000));
    const response = await post(await flow([forEach(copying)], app(), { response: 'wait' }), list);
    expect(((await response.json()) as any).output.results).toEqual(list.map((it) => ({ it })));
    expect(bodiesAt(receiver)).toEqual(list);
  });

  test('a longer list than max_items allows sends nothing', async () => {
    const receiver = await startWebhookReceiver();
    const response = await post(await flow([sending(receiver, { max_items: 2 })], app(), { response: 'wait' }), [1, 2, 3]);
    expect([response.status, ((await response.json()) as any).error]).toEqual([
      502,
      { code: 'too_many_items', message: 'the list has 3 items, and max_items allows 2', step: 'each' },
    ]);
    expect(receiver.arrivals).toEqual([]);
  });

  test('the first item that answers the caller answers for all', async () => {
    const answer = { type: 'sluice/respond@v1', name: 'answer', status: 201, body: { it: '$inputs.it' } };
    const response = await post(await flow([forEach(body([answer]))], app(), { response: 'respond' }), ['first', 'second']);
    expect([response.status, await response.json()]).toEqual([201, { it: 'first' }]);
  });
});

describe('when it is saved', () => {
  const faultsOf = async (step: object): Promise<string[]> => {
    const definition = { version: '1.0', inputs: [input('list')], steps: [step], outputs: [] };
    const { status, body: answer } = await app().admin('POST', '/workflows/validate', definition);
    expect(status).toBe(422);
    return answer.error.faults.map(({ path, message }: any) => `${path}: ${message}`);
  };
  const pure = body([{ type: 'sluice/set@v1', name: 'a', values: { x: '$inputs.it' } }]);
  const many = (count: number) => Array.from({ length: count }, (_, index) => ({ type: 'sluice/set@v1', name: `s${index}`, values: {} }));

  test.each<[string, object, string | RegExp]>([
    ['neither a workflow nor its id', forEach(null), /^steps\[0\]: needs either "workflow_definition"/],
    ['both', forEach(pure, { workflow_id: 'x' }), /^steps\[0\]\.workflow_definition: needs either/],
    ['no list', forEach(pure, { items: 5 }), 'steps[0].items: must be a list, or a selector of one'],
    ['a step as the list', forEach(pure, { items: '$steps.each' }), 'steps[0].items: must be a list, or a selector of one'],
    [
      'a literal list that is too long',
      forEach(pure, { items: [1, 2], max_items: 1 }),
      'steps[0].items: has 2 items, and max_items allows 1',
    ],
    ['max_items of 0', forEach(pure, { max_items: 0 }), /max_items/],
    ['max_items of 1001', forEach(pure, { max_items: 1001 }), /max_items/],
    ['max_items by a selector', forEach(pure, { max_items: '$inputs.list' }), /max_items/],
    ['17 at once', forEach(pure, { max_concurrent: 17 }), /max_concurrent/],
    ['an unknown policy', forEach(pure, { on_item_failure: 'retry' }), /on_item_failure/],
    ['a retry', forEach(pure, { retry: { max_retries: 1 } }), /^steps\[0\]\.retry: a for_each step is not retried as a whole/],
    ['an unknown property', forEach(pure, { itmes: [] }), /itmes/],
    [
      'an input without a binding',
      forEach(pure, { parameter_bindings: {} }),
      /for_each step `each` is missing parameter_bindings .*\['it'\]/,
    ],
    [
      'a binding of no input',
      forEach(pure, { parameter_bindings: { it: 1, toString: 2 } }),
      /unknown child workflow input names \['toString'\]/,
    ],
    ['a part of $index', forEach(pure, { parameter_bindings: { it: '$index.x' } }), /"\$index" is a number, which has no parts/],
    ['$item as the list', forEach(pure, { items: '$item' }), /"\$item" is known only in the parameter_bindings/],
    [
      '$item in the workflow itself',
      forEach(body([{ type: 'sluice/set@v1', name: 'a', values: { x: '$item' } }])),
      /workflow_definition\.steps\[0\]\.values: "\$item" is known only/,
    ],
    [
      'a fault inside',
      forEach(body([{ type: 'sluice/set@v1', name: 'a', values: { x: '$steps.b.c' } }])),
      /workflow_definition\.steps\[0\]\.values: .*non-existent block/,
    ],
    ['a workflow without steps', forEach(body([])), /has no steps/],
    [
      'a loop inside',
      forEach(body([{ type: 'sluice/fail@v1', name: 'a', on_failure: ['$steps.a'] }])),
      'steps[0]: a step that runs for each item must not lead back to an earlier step; "retry" repeats it',
    ],
    [
      'too many steps in all',
      forEach(body(many(11)), { max_items: 1000 }),
      /could run 11000 steps in one run .* 10000 is the limit; lower max_items/,
    ],
    [
      'too many steps of nested lists',
      forEach(body([forEach(pure, { name: 'inner', items: '$inputs.it' })])),
      /could run 10100 steps in one run/,
    ],
    ['more than 500 steps with those inside', forEach(body(many(500)), { max_items: 1 }), /must not be more than 500/],
  ])('%s is a fault', async (_, step, expected) => {
    const [first = ''] = await faultsOf(step);
    if (typeof expected === 'string') expect(first).toBe(expected);
    else expect(first).toMatch(expected);
  });

  test('a workflow by its id is copied, and cannot be deleted while it is used', async () => {
    const values = { greeting: '$inputs.greeting', it: '$inputs.it' };
    const inputs = [input('it'), { ...input('greeting'), default_value: 'hello' }];
    const outputs = [output('said', '$steps.a.*')];
    const save = (greeting: unknown) =>
      app().workflow('part', { inputs, steps: [{ type: 'sluice/set@v1', name: 'a', values: { ...values, greeting } }], outputs });
    await save('$inputs.greeting');
    const path = await flow([forEach(null, { workflow_id: 'part' })], app(), { response: 'wait' });
    await save('changed');
    expect(((await (await post(path, [1])).json()) as any).output.results).toEqual([{ said: { greeting: 'hello', it: 1 } }]);
    expect((await app().admin('DELETE', '/apps/shop/workflows/part')).status).toBe(409);
    const unknown = { version: '1.0', inputs: [input('list')], steps: [forEach(null, { workflow_id: 'nowhere' })], outputs: [] };
    const { status, body: answer } = await app().admin('PUT', '/apps/shop/workflows/whole', unknown);
    expect([status, answer.error.faults[0]]).toEqual([
      400,
      { path: 'steps[0].workflow_id', message: 'app "shop" has no workflow "nowhere"' },
    ]);
  });
});

describe('a replay', () => {
  test('from the failed step keeps the items and the steps that had ended', async () => {
    let isBroken = true;
    const receiver = await startWebhookReceiver({ status: ({ body: text }) => (isBroken && text === '{"second":3}' ? 500 : 200) });
    const definition = body(
      [
        send(receiver.url, { first: '$inputs.it' }),
        { ...send(receiver.url, { second: '$inputs.it' }, 'again'), headers: { 'x-after': '$steps.send.status' } },
      ],
      [output('status', '$steps.again.status')],
    );
    const path = await flow([forEach(definition), { type: 'sluice/set@v1', name: 'after', values: { count: '$steps.each.count' } }]);
    const failed = await ends(await start(path, [1, 2, 3, 4]));
    expect(failed.error.message).toBe('item 3 of 4 failed at each[].again: the receiver answered 500 Internal Server Error');
    const before = receiver.arrivals.length;
    isBroken = false;
    const answer = await app().admin('POST', `/runs/${failed.run_id}/replay`, { mode: 'from_failed_step' });
    expect(answer.status).toBe(202);
    const run = await ends(answer.body.run_id);
    expect(run).toMatchObject({ status: 'completed', output: { results: Array.from({ length: 4 }, () => ({ status: 200 })), failed: 0 } });
    expect(bodiesAt(receiver).slice(before)).toEqual([{ second: 3 }, { first: 4 }, { second: 4 }]);
    expect(run.steps.filter(({ step }: any) => step === 'each[]')).toHaveLength(4);
  });

  test('that is dry sends nothing, and records the messages of all items', async () => {
    const receiver = await startWebhookReceiver();
    const original = await ends(await start(await flow([sending(receiver)]), [1, 2, 3]));
    const answer = await app().admin('POST', `/runs/${original.run_id}/replay`, { mode: 'dry' });
    expect(await ends(answer.body.run_id)).toMatchObject({ status: 'completed', output: { results: [{}, {}, {}] } });
    const { deliveries } = (await app().admin('GET', `/deliveries?run_id=${answer.body.run_id}`)).body;
    expect(deliveries).toHaveLength(3);
    expect(receiver.arrivals).toHaveLength(3);
  });
});

test('a cancelled run starts no further item', async () => {
  let answer = (): void => undefined;
  const receiver = await startWebhookReceiver({
    wait: () =>
      new Promise<void>((resolve) => {
        answer = resolve;
      }),
  });
  const runId = await start(await flow([sending(receiver)]), [1, 2, 3]);
  await until('the first item to be sent', () => receiver.arrivals.length === 1);
  expect((await app().admin('POST', `/runs/${runId}/cancel`)).status).toBe(200);
  answer();
  expect(await ends(runId)).toMatchObject({ status: 'cancelled' });
  expect(receiver.arrivals).toHaveLength(1);
});

test('each item waits for a reply of its own, across a restart', async () => {
  const receiver = await startWebhookReceiver();
  const dataDir = tempDir();
  const launch = (): Promise<TestApp> => startTestApp({ settings, dataDir } satisfies TestAppOptions);
  const first = await launch();
  const approval = { ...replyWorkflow(receiver), inputs: [{ ...input('it'), default_value: 0 }] };
  const path = await flow([forEach(approval, { max_concurrent: 2 })], first);
  const runId = await start(path, ['a', 'b', 'c'], first);
  await until('both messages to be over', async () => {
    const { steps } = (await first.admin('GET', `/runs/${runId}`)).body;
    return steps.filter(({ step, status }: any) => step === 'each[].tell' && status === 'completed').length === 2;
  });
  await first.close();

  const second = await launch();
  const reply = async (number: number, choice: 'approve' | 'reject'): Promise<void> => {
    const links = await sentLinks(receiver, second.url, number);
    expect((await fetch(links[choice], { method: 'POST' })).status).toBe(200);
  };
  await reply(1, 'reject');
  await until('the third item to wait', () => receiver.arrivals.length === 3);
  await reply(0, 'approve');
  await reply(2, 'reject');
  const { output: told } = await ends(runId, second);
  expect(told.results.map(({ choice }: any) => choice).sort()).toEqual(['approve', 'reject', 'reject']);
  expect(told.results[2].choice).toBe('reject');
  expect(receiver.arrivals).toHaveLength(3);
});
