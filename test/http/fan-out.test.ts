// One request that starts several workflows by their filters: all of their runs or none, under one key.

import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';

const EVENT = '$request.headers.x-github-event';

const app = shareApp({}, async (shared) => {
  for (const id of ['build', 'review', 'rest'])
    await shared.workflow(id, {
      steps: [{ type: 'sluice/set@v1', name: 's', values: { by: id } }],
      outputs: [{ type: 'JsonField', name: 'by', selector: '$steps.s.by' }],
    });
  await shared.workflow('numbered', {
    inputs: [{ type: 'WorkflowParameter', name: 'n', kind: ['integer'] }],
    steps: [{ type: 'sluice/set@v1', name: 's', values: { n: '$inputs.n' } }],
    outputs: [{ type: 'JsonField', name: 'n', selector: '$steps.s.n' }],
  });
  await shared.sink({
    path: '/github',
    workflows: [
      { workflow_id: 'build', when: { [EVENT]: 'push' } },
      { workflow_id: 'review', when: { [EVENT]: ['push', 'pull_request'] } },
    ],
  });
  await shared.sink({
    path: '/numbers',
    workflows: [{ workflow_id: 'build' }, { workflow_id: 'numbered', inputs: { n: '$request.body.count' } }],
  });
  await shared.sink({
    path: '/rest',
    response: { mode: 'accept', status: 200, body: 'thanks' },
    workflows: [
      { workflow_id: 'build', when: { '$request.body.kind': 'b' } },
      { workflow_id: 'rest', when: 'otherwise' },
    ],
  });
  await shared.sink({
    path: '/signed',
    auth: { type: 'github', secrets: ['github-secret'] },
    workflows: [
      { workflow_id: 'build', when: { [EVENT]: 'push' } },
      { workflow_id: 'review', when: { '$request.body.action': 'opened' } },
    ],
  });
  await shared.sink({
    path: '/twitch',
    auth: { type: 'twitch', secrets: ['twitch-secret'] },
    workflows: [
      { workflow_id: 'build', when: { '$request.headers.twitch-eventsub-message-type': 'revocation' } },
      { workflow_id: 'rest', when: { '$request.headers.twitch-eventsub-message-type': ['revocation', 'notification'] } },
    ],
  });
  await shared.sink({
    path: '/v7',
    payload: 'v7',
    workflows: [
      { workflow_id: 'build', when: { '$request.payload.kind': 'v7.stage' } },
      { workflow_id: 'review', when: { '$request.payload.item.name': 'other.png' } },
    ],
  });
  await shared.sink({ path: '/line', workflows: [{ workflow_id: 'build' }, { workflow_id: 'rest' }], flow: { max_concurrent: 1 } });
});

function send(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${app().url}/shop${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: text });
}

const push = { 'x-github-event': 'push' };

async function runsOf(response: Response): Promise<string[]> {
  expect(response.status).toBe(202);
  return ((await response.json()) as { runs: { run_id: string }[] }).runs.map(({ run_id: id }) => id);
}

const runOf = async (runId: string): Promise<any> => (await app().admin('GET', `/runs/${runId}`)).body;

async function workflowsOf(runs: readonly string[]): Promise<string[]> {
  const ids = [];
  for (const run of runs) ids.push((await runOf(run)).workflow_id);
  return ids;
}

const sinkOf = async (path: string): Promise<any> => (await app().admin('GET', '/sinks')).body.sinks.find((one: any) => one.path === path);
const runCount = async (path: string): Promise<number> =>
  (await app().admin('GET', `/runs?limit=500&sink_id=${(await sinkOf(path)).id}`)).body.runs.length;

describe('a request', () => {
  test('starts each workflow that it matches, and the answer names their runs in order', async () => {
    const runs = await runsOf(await send('/github', {}, push));
    expect(await workflowsOf(runs)).toEqual(['build', 'review']);
    expect((await runOf(runs[1] as string)).output).toEqual({ by: 'review' });
    expect(await workflowsOf(await runsOf(await send('/github', {}, { 'x-github-event': 'pull_request' })))).toEqual(['review']);
  });

  test('that matches none is answered all the same, starts no run and is counted', async () => {
    const before = await runCount('/github');
    for (const body of ['{}', '[]', '7', 'null', '{"constructor":1}']) expect(await runsOf(await send('/github', body))).toEqual([]);
    const { id } = await sinkOf('/github');
    const [entry] = await until('the entry of the requests', async () => {
      const { rejections } = (await app().admin('GET', `/rejections?sink_id=${id}&reason=no_workflow`)).body;
      return rejections[0]?.count === 5 ? rejections : null;
    });
    expect(entry).toMatchObject({ status: 202, code: 'no_workflow', path: '/shop/github' });
    expect(await runCount('/github')).toBe(before);
  });

  test('gets the answer of the sink, and "otherwise" takes what no other entry does', async () => {
    const response = await send('/rest', { kind: 'x' });
    expect([response.status, await response.text()]).toEqual([200, 'thanks']);
    const { runs } = (await app().admin('GET', `/runs?sink_id=${(await sinkOf('/rest')).id}`)).body;
    expect(runs.map((run: any) => run.workflow_id)).toEqual(['rest']);
  });

  test('gives each workflow its own inputs, and starts none if one of them does not fit', async () => {
    const runs = await runsOf(await send('/numbers', { count: 17, n: 4 }));
    expect((await runOf(runs[1] as string)).output).toEqual({ n: 17 });
    const before = await runCount('/numbers');
    const response = await send('/numbers', { count: 'many' });
    expect(response.status).toBe(422);
    expect(((await response.json()) as any).message).toContain('does not fit workflow "numbered": input "n" must be');
    expect(await runCount('/numbers')).toBe(before);
  });

  test('with a large body is filtered and started too', async () => {
    const pad = 'x'.repeat(400_000);
    const runs = await runsOf(await send('/numbers', { count: 3, pad }, { 'idempotency-key': 'large' }));
    expect(await runsOf(await send('/numbers', { count: 3, pad }, { 'idempotency-key': 'large' }))).toEqual(runs);
    const run = await until('the end of the run', async () => {
      const found = await runOf(runs[1] as string);
      return found.status === 'completed' ? found : null;
    });
    expect(run.output).toEqual({ n: 3 });
    await send('/rest', { pad, kind: 'b' });
    const newest = (await app().admin('GET', `/runs?limit=1&sink_id=${(await sinkOf('/rest')).id}`)).body.runs[0];
    expect(newest.workflow_id).toBe('build');
  });

  test('waits in the line of its sink as a whole', async () => {
    const runs = [...(await runsOf(await send('/line', {}))), ...(await runsOf(await send('/line', {})))];
    for (const run of runs) await until('the end of the run', async () => ((await runOf(run)).status === 'completed' ? true : null));
    expect(await workflowsOf(runs)).toEqual(['build', 'rest', 'build', 'rest']);
  });

  test('of a provider is filtered once it is proven, and only then', async () => {
    const post = (body: string, headers: Record<string, string>): Promise<Response> => {
      const signature = createHmac('sha256', 'github-secret').update(body).digest('hex');
      return send('/signed', body, { 'x-hub-signature-256': `sha256=${signature}`, ...headers });
    };
    const before = await runCount('/signed');
    const forged = await post('{"action":"opened"}', {
      ...push,
      'x-github-delivery': '1',
      'x-hub-signature-256': `sha256=${'0'.repeat(64)}`,
    });
    expect([forged.status, await runCount('/signed')]).toEqual([401, before]);
    for (let time = 0; time < 2; time += 1) {
      const proven = await post('{"action":"opened"}', { ...push, 'x-github-delivery': '1' });
      expect([proven.ok, await runCount('/signed')]).toEqual([true, before + 2]);
    }
    expect((await post('{"action":"closed"}', { 'x-github-event': 'star', 'x-github-delivery': '2' })).ok).toBe(true);
    expect(await runCount('/signed')).toBe(before + 2);
  });
});

test('a handshake that is a run starts its workflows, and gets the answer of a handshake', async () => {
  const post = (id: string, type: string): Promise<Response> => {
    const [time, body] = [new Date().toISOString(), '{"challenge":"c"}'];
    const signature = createHmac('sha256', 'twitch-secret').update(`${id}${time}${body}`).digest('hex');
    const base = { 'twitch-eventsub-message-id': id, 'twitch-eventsub-message-timestamp': time, 'twitch-eventsub-message-type': type };
    return send('/twitch', body, { ...base, 'twitch-eventsub-message-signature': `sha256=${signature}` });
  };
  expect(await (await post('1', 'webhook_callback_verification')).text()).toBe('c');
  expect(await runCount('/twitch')).toBe(0);
  expect([(await post('2', 'revocation')).status, await runCount('/twitch')]).toEqual([204, 2]);
});

test("a platform's request is filtered by its typed form", async () => {
  const item = { name: 'a.png', path: '/', source_info: { item_id: 'i', team: { slug: 't' }, dataset: { slug: 'd' } }, slots: [] };
  const runs = await runsOf(await send('/v7', { version: '2.0', item, annotations: [] }));
  expect(await workflowsOf(runs)).toEqual(['build']);
});

test('a form is filtered by its fields, and each run has its file', async () => {
  const form = new FormData();
  form.append('kind', 'b');
  form.append('paper', new Blob(['text']), 'paper.txt');
  await app().sink({ path: '/form', workflows: [{ workflow_id: 'build', when: { '$request.body.kind': 'b' } }, { workflow_id: 'rest' }] });
  const runs = await runsOf(await fetch(`${app().url}/shop/form`, { method: 'POST', body: form }));
  for (const run of runs) expect((await runOf(run)).request.files).toMatchObject([{ filename: 'paper.txt' }]);
  expect(runs.length).toBe(2);
});

describe('a request that comes again', () => {
  const key = (name: string): Record<string, string> => ({ 'idempotency-key': name });

  test('gets the runs of the first, also when the sink was edited meanwhile', async () => {
    const { id } = await app().sink({ path: '/edited', workflows: [{ workflow_id: 'build' }, { workflow_id: 'review' }] });
    const first = await send('/edited', {}, key('e'));
    const runs = await runsOf(first);
    const again = await send('/edited', {}, key('e'));
    expect(await runsOf(again)).toEqual(runs);
    expect([first, again].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true']);
    for (const workflows of [[{ workflow_id: 'rest' }, { workflow_id: 'review' }, { workflow_id: 'build' }], [{ workflow_id: 'rest' }]]) {
      expect((await app().admin('PATCH', `/apps/shop/sinks/${id}`, { workflows })).status).toBe(200);
      expect(await runsOf(await send('/edited', {}, key('e')))).toEqual(runs);
    }
    expect(await runCount('/edited')).toBe(2);
  });

  test('at the same moment is one request', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => send('/github', { n: 1 }, { ...push, ...key('same') }).then(runsOf)));
    expect(new Set(answers.map(String)).size).toBe(1);
  });

  test('with another body is refused, even if it matches other workflows', async () => {
    await runsOf(await send('/github', {}, { 'x-github-event': 'pull_request', ...key('other') }));
    const before = await runCount('/github');
    const response = await send('/github', { another: true }, { ...push, ...key('other') });
    expect([response.status, await runCount('/github')]).toEqual([422, before]);
  });

  test('with Last-Event-ID starts nothing without a key', async () => {
    await app().sink({ path: '/named', idempotency_key: '$request.body.id', workflows: [{ workflow_id: 'build' }] });
    const response = await send('/named', {}, { 'last-event-id': '1' });
    expect([response.status, await runCount('/named')]).toEqual([204, 0]);
  });

  test('cannot claim a run by a key with a space', async () => {
    expect((await send('/github', {}, { ...push, ...key('e +1') })).status).toBe(400);
  });
});

describe('a replay', () => {
  test('runs the workflow of its run, with the inputs of its entry', async () => {
    const [, numbered] = await runsOf(await send('/numbers', { count: 5 }));
    const { status, body } = await app().admin('POST', `/runs/${numbered}/replay`, {});
    expect(status).toBe(202);
    expect(await runOf(body.run_id)).toMatchObject({ workflow_id: 'numbered', output: { n: 5 } });
  });

  test('of a workflow that the sink starts no more needs the original version', async () => {
    const { id } = await app().sink({ path: '/left', workflows: [{ workflow_id: 'build' }, { workflow_id: 'review' }] });
    const [, review] = await runsOf(await send('/left', {}));
    await app().admin('PATCH', `/apps/shop/sinks/${id}`, { workflows: [{ workflow_id: 'build' }] });
    const refused = await app().admin('POST', `/runs/${review}/replay`, {});
    expect([refused.status, refused.body.error.message]).toEqual([
      409,
      expect.stringContaining('"review", which its sink does not start any more'),
    ]);
    const { body } = await app().admin('POST', `/runs/${review}/replay`, { version: 'original' });
    expect((await runOf(body.run_id)).output).toEqual({ by: 'review' });
  });
});

describe('the definition', () => {
  test('comes back as it was sent, and may be sent back and patched', async () => {
    const workflows = [{ workflow_id: 'build', when: { [EVENT]: 'push', '$request.body.ref': null }, inputs: { a: '$request.path' } }];
    const { id } = await app().sink({ path: '/shown', workflows });
    const { body: shown } = await app().admin('GET', `/apps/shop/sinks/${id}`);
    expect(shown).toMatchObject({ workflow_id: null, workflows });
    expect((await app().admin('PUT', `/apps/shop/sinks/${id}`, shown)).body).toMatchObject({ workflows });
    const patched = await app().admin('PATCH', `/apps/shop/sinks/${id}`, { workflow_id: 'rest' });
    expect(patched.body.error.message).toContain('workflows: cannot stand beside workflow_id');
    const single = await app().admin('PATCH', `/apps/shop/sinks/${id}`, { workflow_id: 'rest', workflows: null });
    expect([single.body.workflow_id, single.body.workflows]).toEqual(['rest', undefined]);
    await app().admin('DELETE', `/apps/shop/sinks/${id}`);
  });

  test('names a workflow that is not there', async () => {
    const { status, body } = await app().admin('POST', '/apps/shop/sinks', {
      path: '/unknown',
      method: 'POST',
      workflows: [{ workflow_id: 'build' }, { workflow_id: 'biuld' }],
    });
    expect([status, body.error.message]).toEqual([400, expect.stringContaining('has no workflow "biuld"')]);
  });

  test('keeps its workflows from being deleted', async () => {
    const { status, body } = await app().admin('DELETE', '/apps/shop/workflows/review');
    expect([status, body.error.message]).toEqual([409, expect.stringContaining('is used by POST /github')]);
  });

  test('of a large request says how much it would store', async () => {
    const { id } = await app().sink({
      path: '/copies',
      limits: { body_bytes: 40_000_000 },
      workflows: [{ workflow_id: 'build' }, { workflow_id: 'rest', when: { '$request.headers.x-both': 'yes' } }],
    });
    const body = Buffer.alloc(36_000_000, 0x20).fill('{}', 0, 2).toString();
    const refused = await send('/copies', body, { 'x-both': 'yes' });
    expect([refused.status, ((await refused.json()) as any).error.message]).toEqual([413, expect.stringContaining('starts 2 workflows')]);
    expect((await app().admin('GET', `/runs?sink_id=${id}`)).body.runs).toEqual([]);
  });
});
