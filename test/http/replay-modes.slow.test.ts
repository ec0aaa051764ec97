// Replays of one run through a real server and a real receiver: what each mode does again, and what is refused.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const settings = { outbound_allow: '127.0.0.0/8', secrets_allow: 'REPLAY_*' };
const environment = { REPLAY_KEY: 's3cret-of-replays' };
const app = shareApp({ settings, environment });

const JSON_TYPE = { 'content-type': 'application/json' };
const request = (name: string, url: string, more: object = {}) => ({ type: 'sluice/http_request@v1', name, url, method: 'POST', ...more });
const output = (name: string, selector: string) => ({ type: 'JsonField', name, selector });

async function trigger(path: string, body: unknown = { n: 1 }, target = app()): Promise<string> {
  const response = await fetch(`${target.url}/shop${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'respond-async' },
    body: JSON.stringify(body),
  });
  return response.headers.get('x-run-id') as string;
}

async function ended(runId: string, target: TestApp = app()): Promise<any> {
  return await until(`${runId} to end`, async () => {
    const { body } = await target.admin('GET', `/runs/${runId}`);
    return ['completed', 'failed', 'cancelled'].includes(body.status) ? body : null;
  });
}

async function replay(runId: string, body?: unknown): Promise<any> {
  const answer = await app().admin('POST', `/runs/${runId}/replay`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body;
}

async function deliveriesOf(runId: string): Promise<any[]> {
  const { deliveries } = (await app().admin('GET', `/deliveries?run_id=${runId}`)).body;
  return await Promise.all(
    deliveries.reverse().map(async ({ delivery_id: id }: any) => (await app().admin('GET', `/deliveries/${id}`)).body),
  );
}

let made = 0;
async function flow(steps: object[], outputs: object[] = [], inputs: object[] = []): Promise<string> {
  made += 1;
  await app().workflow(`flow${made}`, { inputs, steps, outputs });
  await app().sink({ path: `/flow${made}`, workflow_id: `flow${made}` });
  return `/flow${made}`;
}

describe('a dry replay', () => {
  test('sends nothing, and records what a live one sends, byte for byte and without secrets', async () => {
    const receiver = await startWebhookReceiver({ body: '{"id":7}', headers: () => JSON_TYPE });
    const secrets = { type: 'roboflow_core/environment_secrets_store@v1', name: 'env', variables_storing_secrets: ['REPLAY_KEY'] };
    const headers = { 'x-key': '$steps.env.replay_key', 'x-n': '$request.body.n' };
    const background = {
      type: 'roboflow_core/webhook_sink@v1',
      name: 'tell',
      method: 'POST',
      url: receiver.url,
      cooldown_seconds: 0,
      json_payload: { of: '$request.body' },
    };
    const path = await flow(
      [secrets, request('ask', `${receiver.url}?a=1`, { json: { all: '$request.body', ü: 1 }, headers }), background],
      [output('status', '$steps.ask.status'), output('headers', '$steps.ask.headers'), output('told', '$steps.tell.message')],
    );
    const original = await trigger(path, { n: 3, text: 'żółw' });
    expect(await ended(original)).toMatchObject({ status: 'completed', output: { status: 200 } });
    await until('both to arrive', () => receiver.arrivals.length === 2);
    const { run_id: runId, mode, replay_of: of } = await replay(original, { mode: 'dry' });
    expect({ mode, of }).toEqual({ mode: 'dry', of: original });
    const run = await ended(runId);
    expect(run).toMatchObject({
      status: 'completed',
      replay: { of: original, mode: 'dry' },
      output: { status: 200, headers: { 'sluice-dry-run': 'true' } },
      deliveries: [
        { step: 'ask', status: 'recorded', attempt_count: 0 },
        { step: 'tell', status: 'recorded' },
      ],
    });
    const recorded = await deliveriesOf(runId);
    const sent = await deliveriesOf(original);
    for (const [index, { method, url, message, ...rest }] of recorded.entries()) {
      expect(rest).toMatchObject({ status: 'recorded', next_attempt_at: null, attempts: [], attempt_count: 0 });
      expect(rest.finished_at).not.toBeNull();
      const arrival = receiver.arrivals.find(({ body }) => body === message.body.text);
      expect(arrival, message.body.text).toBeDefined();
      expect({ method, url, message }).toEqual({ method: sent[index].method, url: sent[index].url, message: sent[index].message });
    }
    expect(JSON.stringify([run, recorded])).not.toContain(environment.REPLAY_KEY);
    expect(receiver.arrivals.find(({ target }) => target === '/hook?a=1')?.headers['x-key']).toBe(environment.REPLAY_KEY);
    expect(receiver.arrivals).toHaveLength(2);
    const [{ delivery_id: id }] = recorded;
    expect(await app().admin('POST', `/deliveries/${id}/retry`)).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringContaining('recorded') } },
    });
    expect((await app().admin('GET', '/deliveries?status=recorded')).body.deliveries).toHaveLength(2);
    expect((await app().admin('GET', `/runs?limit=1`)).body.runs[0]).toMatchObject({
      run_id: runId,
      replay: { of: original, mode: 'dry' },
    });
    // The document that callers of the sink see does not name another run.
    expect(await (await fetch(`${app().url}/runs/${runId}`)).json()).not.toHaveProperty('replay');
  });

  test('writes no file, and keeps to a cooldown that runs', async () => {
    const receiver = await startWebhookReceiver({ body: '{"ok":true}' });
    const file = {
      type: 'roboflow_core/local_file_sink@v1',
      name: 'file',
      content: '$request.body.text',
      file_type: 'txt',
      target_directory: 'dry',
      file_name_prefix: 'f',
      output_mode: 'separate_files',
    };
    const hook = {
      type: 'roboflow_core/webhook_sink@v1',
      name: 'hook',
      method: 'POST',
      url: receiver.url,
      cooldown_seconds: 3600,
      fire_and_forget: false,
    };
    const path = await flow(
      [file, hook],
      [
        output('message', '$steps.hook.message'),
        output('throttled', '$steps.hook.throttling_status'),
        output('file', '$steps.file.error_status'),
      ],
    );
    const original = await trigger(path, { text: 'hello' });
    await ended(original);
    expect(receiver.arrivals).toHaveLength(1);
    const folder = join(app().dataDir, 'files', 'dry');
    const before = readdirSync(folder);
    expect(before).toHaveLength(1);
    const dry = await ended((await replay(original, { mode: 'dry' })).run_id);
    expect(dry).toMatchObject({ status: 'completed', output: { throttled: true } });
    expect(readdirSync(folder)).toEqual(before);
    expect(receiver.arrivals).toHaveLength(1);
  });

  test('that is first does not start the cooldown of the next run', async () => {
    const receiver = await startWebhookReceiver();
    const gate = { type: 'sluice/fail@v1', name: 'gate', code: 'x' };
    const path = await flow([gate]);
    const original = await trigger(path);
    await ended(original);
    const name = path.slice(1);
    const hook = {
      type: 'roboflow_core/webhook_sink@v1',
      name: 'hook',
      method: 'POST',
      url: receiver.url,
      cooldown_seconds: 3600,
      fire_and_forget: false,
    };
    await app().workflow(name, { steps: [hook], outputs: [output('throttled', '$steps.hook.throttling_status')] });
    for (let count = 0; count < 2; count += 1)
      expect(await ended((await replay(original, { mode: 'dry' })).run_id)).toMatchObject({ output: { throttled: false } });
    expect(receiver.arrivals).toHaveLength(0);
    expect(await ended((await replay(original)).run_id)).toMatchObject({
      output: { throttled: false },
      replay: { of: original, mode: 'live' },
    });
    expect(receiver.arrivals).toHaveLength(1);
    expect(await ended((await replay(original)).run_id)).toMatchObject({ output: { throttled: true } });
  });

  test('stays dry across a restart in the middle', async () => {
    const receiver = await startWebhookReceiver();
    const dataDir = tempDir();
    const first = await startTestApp({ settings: { ...settings, drain_seconds: '0' }, dataDir });
    const steps = [
      { type: 'sluice/delay@v1', name: 'pause', seconds: 0.5, next_steps: ['$steps.ask'] },
      request('ask', receiver.url, { json: { late: true } }),
    ];
    await first.workflow('slow', { steps, outputs: [output('status', '$steps.ask.status')] });
    await first.sink({ path: '/slow', workflow_id: 'slow' });
    const original = await trigger('/slow', {}, first);
    await ended(original, first);
    expect(receiver.arrivals).toHaveLength(1);
    const { run_id: runId } = (await first.admin('POST', `/runs/${original}/replay`, { mode: 'dry' })).body;
    await first.close();
    const second = await startTestApp({ settings, dataDir });
    expect(await ended(runId, second)).toMatchObject({
      status: 'completed',
      replay: { mode: 'dry' },
      deliveries: [{ status: 'recorded' }],
    });
    expect(receiver.arrivals).toHaveLength(1);
  });

  test('of a large body is dry too', async () => {
    const receiver = await startWebhookReceiver();
    const path = await flow([request('ask', receiver.url, { json: '$request.body' })]);
    const original = await trigger(path, { text: 'x'.repeat(400_000) });
    expect(await ended(original)).toMatchObject({ status: 'completed' });
    const { run_id: runId } = await replay(original, { mode: 'dry' });
    expect(await ended(runId)).toMatchObject({ status: 'completed', deliveries: [{ status: 'recorded' }] });
    expect(receiver.arrivals).toHaveLength(1);
    expect((await deliveriesOf(runId))[0].message.body.size).toBe(receiver.arrivals[0]?.bytes.byteLength);
  });
});

describe('a replay from the failed step', () => {
  test('goes on with the stored outputs, and sends nothing again that has arrived', async () => {
    const works = await startWebhookReceiver({ body: '{"id":"abc"}', headers: () => JSON_TYPE });
    let status = 500;
    const fails = await startWebhookReceiver({ status: () => status });
    const secrets = { type: 'roboflow_core/environment_secrets_store@v1', name: 'env', variables_storing_secrets: ['REPLAY_KEY'] };
    const steps = [
      secrets,
      request('first', works.url, { json: '$request.body' }),
      request('second', fails.url, { json: { id: '$steps.first.body.id' }, headers: { 'x-key': '$steps.env.replay_key' } }),
      request('third', works.url, { json: { after: '$steps.second.status' } }),
    ];
    const path = await flow(steps, [output('id', '$steps.first.body.id'), output('third', '$steps.third.status')]);
    const original = await trigger(path);
    expect(await ended(original)).toMatchObject({ status: 'failed', error: { step: 'second' } });
    expect([works.arrivals.length, fails.arrivals.length]).toEqual([1, 1]);
    const again = await replay(original, { mode: 'from_failed_step' });
    expect(await ended(again.run_id)).toMatchObject({ status: 'failed', error: { step: 'second' } });
    expect(works.arrivals).toHaveLength(1);
    status = 200;
    // A replay can be replayed.
    const { run_id: runId } = await replay(again.run_id, { mode: 'from_failed_step' });
    const run = await ended(runId);
    expect(run).toMatchObject({
      status: 'completed',
      output: { id: 'abc', third: 200 },
      replay: { of: again.run_id, mode: 'from_failed_step' },
    });
    expect(run.steps.map(({ step, status: state }: any) => [step, state])).toEqual([
      ['env', 'completed'],
      ['first', 'completed'],
      ['second', 'completed'],
      ['third', 'completed'],
    ]);
    expect(works.arrivals.map(({ body }) => body)).toEqual(['{"n":1}', '{"after":200}']);
    expect(fails.arrivals.at(-1)).toMatchObject({ body: '{"id":"abc"}', headers: { 'x-key': environment.REPLAY_KEY } });
    expect(await deliveriesOf(runId)).toHaveLength(2);
    const refused = await app().admin('POST', `/runs/${runId}/replay`, { mode: 'from_failed_step' });
    expect(refused).toMatchObject({
      status: 409,
      body: { error: { code: 'conflict', message: expect.stringContaining('it is completed') } },
    });
  });

  test('uses the version of the failed run, or the current one if it has the same ended steps', async () => {
    const receiver = await startWebhookReceiver();
    const first = request('first', receiver.url, { json: { first: 1 } });
    const path = await flow([first, { type: 'sluice/fail@v1', name: 'f', code: 'bad', message: '$steps.first.status' }]);
    const original = await trigger(path);
    expect(await ended(original)).toMatchObject({ status: 'failed', workflow_version: 1 });
    const end = { type: 'sluice/set@v1', name: 'f', values: { ok: '$steps.first.status' } };
    const outputs = [output('ok', '$steps.f.ok')];
    await app().workflow(path.slice(1), { steps: [first, end], outputs });
    expect(await ended((await replay(original, { mode: 'from_failed_step' })).run_id)).toMatchObject({
      status: 'failed',
      workflow_version: 1,
    });
    const current = await replay(original, { mode: 'from_failed_step', version: 'current' });
    expect(await ended(current.run_id)).toMatchObject({ status: 'completed', workflow_version: 2, output: { ok: 200 } });
    expect(receiver.arrivals).toHaveLength(1);
    await app().workflow(path.slice(1), { steps: [{ ...first, json: { first: 2 } }, end], outputs });
    const refused = await app().admin('POST', `/runs/${original}/replay`, { mode: 'from_failed_step', version: 'current' });
    expect(refused).toMatchObject({ status: 409, body: { error: { message: expect.stringContaining('first'), steps: ['first'] } } });
  });

  test('takes over the visits of a loop, and goes on in the visit that failed', async () => {
    const statuses = { probe: [200, 500, 200], ask: [500, 200] };
    const receiver = await startWebhookReceiver({ status: ({ target }) => statuses[target.slice(6) as 'probe' | 'ask'].shift() ?? 599 });
    const steps = [
      request('probe', `${receiver.url}?probe`),
      request('ask', `${receiver.url}?ask`, { json: '$steps.probe.status', on_failure: ['$steps.pause'], on_success: ['$steps.done'] }),
      { type: 'sluice/delay@v1', name: 'pause', seconds: 0.01, on_success: ['$steps.probe'] },
      { type: 'sluice/set@v1', name: 'done', values: { ok: true } },
    ];
    const path = await flow(steps, [output('ok', '$steps.done.ok')]);
    const original = await trigger(path);
    expect(await ended(original)).toMatchObject({ status: 'failed', error: { step: 'probe' } });
    const run = await ended((await replay(original, { mode: 'from_failed_step' })).run_id);
    expect(run).toMatchObject({ status: 'completed', output: { ok: true } });
    const visits = run.steps.filter(({ status }: any) => status === 'completed').map(({ step, visit }: any) => `${step} ${visit}`);
    expect(visits).toEqual(expect.arrayContaining(['probe 2', 'ask 2', 'done 2']));
    expect(receiver.arrivals.map(({ target }) => target.slice(6))).toEqual(['probe', 'ask', 'probe', 'probe', 'ask']);
  });
});

describe('the version of a replay', () => {
  test('is the current one or the original one', async () => {
    const path = await flow([{ type: 'sluice/set@v1', name: 's', values: { v: 'one' } }], [output('v', '$steps.s.v')]);
    const original = await trigger(path);
    await ended(original);
    await app().workflow(path.slice(1), {
      steps: [{ type: 'sluice/set@v1', name: 's', values: { v: 'two' } }],
      outputs: [output('v', '$steps.s.v')],
    });
    expect(await ended((await replay(original)).run_id)).toMatchObject({ output: { v: 'two' }, workflow_version: 2 });
    expect(await ended((await replay(original, { version: 'original' })).run_id)).toMatchObject({
      output: { v: 'one' },
      workflow_version: 1,
    });
    expect(await ended((await replay(original, { mode: 'dry', version: 'original' })).run_id)).toMatchObject({ output: { v: 'one' } });
  });
});

const wrong: [string, unknown, string][] = [
  ['an unknown mode', { mode: 'wet' }, 'mode'],
  ['an unknown version', { version: 7 }, 'version'],
  ['an unknown field', { dry: true }, 'dry'],
  ['a list', [], 'object'],
  ['a text', '"dry"', 'object'],
  ['no JSON', '{', 'JSON'],
];
test.each(wrong)('%s is refused by name', async (_name, body, reason) => {
  const runs = (await app().admin('GET', '/runs?limit=1')).body.runs;
  const { status, body: answer } = await app().admin('POST', `/runs/${runs[0].run_id}/replay`, body);
  expect(status).toBe(400);
  expect(answer.error).toMatchObject({ code: 'invalid', message: expect.stringContaining(reason) });
});

test('an unknown run is 404', async () => {
  for (const id of ['run_', 'nothing', `run_${'0'.repeat(31)}`])
    expect((await app().admin('POST', `/runs/${id}/replay`, { mode: 'dry' })).status).toBe(404);
});
