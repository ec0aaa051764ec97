// What came to a sink that has no workflow yet: it is recorded, kept as samples, inferred from, and tried on workflows dry.

import { describe, expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { startHttpReceiver } from '../support/http-receiver.ts';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';

let captured: any;
const app = shareApp({ settings: { outbound_allow: '127.0.0.0/8' } }, async (shared) => {
  captured = await shared.sink({ path: '/captured' });
});

const samplesOf = (sink: any): string => `/apps/${sink.app_id}/sinks/${sink.id}/samples`;

async function send(path: string, body: string | FormData, headers: Record<string, string> = {}): Promise<string> {
  const type: Record<string, string> = typeof body === 'string' ? { 'content-type': 'application/json' } : {};
  const response = await fetch(`${app().url}/shop${path}`, { method: 'POST', headers: { ...type, ...headers }, body });
  await response.text();
  expect(response.status).toBe(200);
  return response.headers.get('x-run-id') as string;
}

describe('samples', () => {
  test('are kept, listed, renamed and deleted, and never show credentials', async () => {
    const runId = await send('/captured', '{"id":1}', { authorization: 'Bearer s3cr3t-of-the-caller' });
    const saved = await app().admin('POST', samplesOf(captured), { run_id: runId, name: 'usual' });
    expect(saved).toMatchObject({ status: 201, body: { run_id: runId, name: 'usual', bytes: expect.any(Number) } });
    await app().admin('POST', samplesOf(captured), { run_id: runId, name: 'renamed' });
    expect((await app().admin('GET', samplesOf(captured))).body.samples).toMatchObject([{ run_id: runId, name: 'renamed' }]);
    expect(JSON.stringify((await app().admin('GET', `/runs/${runId}`)).body)).not.toContain('s3cr3t-of-the-caller');
    expect((await app().admin('DELETE', `${samplesOf(captured)}/${runId}`)).status).toBe(204);
    expect((await app().admin('DELETE', `${samplesOf(captured)}/${runId}`)).status).toBe(404);
  });

  test('are refused for bad input, with what would be right', async () => {
    const other = await send('/captured', '{}');
    const sink = await app().sink({ path: '/other' });
    const cases: [unknown, number, string][] = [
      [{}, 400, 'field "run_id" is missing'],
      [{ run_id: 5 }, 400, 'run_id'],
      [{ run_id: other, nam: 'x' }, 400, 'unknown field "nam"'],
      [{ run_id: other, name: 'a\nb' }, 400, 'name: must be 1 to 100 characters'],
      [{ run_id: 'run_none' }, 404, 'the sink has no such run'],
      [{ run_id: other }, 404, 'the sink has no such run'],
      [null, 400, 'run_id'],
    ];
    for (const [body, status, message] of cases) {
      const answer = await app().admin('POST', samplesOf(sink), body);
      expect([answer.status, answer.body.error.message], JSON.stringify(body)).toEqual([status, expect.stringContaining(message)]);
    }
    expect((await app().admin('GET', '/apps/shop/sinks/snk_0/samples')).status).toBe(404);
  });

  test('of much more than a sample may have are refused', async () => {
    const form = new FormData();
    form.set('file', new Blob([Buffer.alloc(5 * 2 ** 20)]), 'a.bin');
    const answer = await app().admin('POST', samplesOf(captured), { run_id: await send('/captured', form) });
    expect([answer.status, answer.body.error.code]).toEqual([413, 'too_large']);
  });
});

describe('what is inferred', () => {
  test('fits what came, and refuses other bodies once it is applied', async () => {
    const sink = await app().sink({ path: '/orders' });
    await send('/orders', '{"id":9007199254740993,"email":"a@example.org","note":null}');
    await send('/orders', '{"id":2,"email":"b@example.org","note":"x","lines":[{"sku":"a"}]}');
    await send('/orders', '{"id":3,"email":"b@example.org","note":"y"}');
    await send('/orders', '{"id":4,"email":"d@example.org","note":"z"}');
    await fetch(`${app().url}/shop/orders`, { method: 'POST' });
    const { body } = await app().admin('GET', `/apps/shop/sinks/${sink.id}/inferred`);
    expect(body).toMatchObject({ requests: 4, left_out: 1, fields_left_out: 0 });
    expect(body.telling_run_ids).toHaveLength(3);
    expect(body.sink.schema).toMatchObject({
      required: ['id', 'email', 'note'],
      properties: { email: { type: 'string', format: 'email' } },
    });
    await app().workflow('typed', {
      inputs: body.workflow.inputs,
      steps: [{ type: 'sluice/set@v1', name: 's', values: { id: '$inputs.id', lines: '$inputs.lines' } }],
      outputs: [{ type: 'JsonField', name: 'seen', selector: '$steps.s.*' }],
    });
    await app().admin('PATCH', `/apps/shop/sinks/${sink.id}`, { ...body.sink, workflow_id: 'typed', response: 'wait' });
    const sent = await fetch(`${app().url}/shop/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"id":9007199254740995,"email":"c@example.org","note":null}',
    });
    expect(await sent.text()).toContain('"seen":{"id":9007199254740995,"lines":null}');
    const refused = await fetch(`${app().url}/shop/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"id":"x"}',
    });
    const { error } = (await refused.json()) as any;
    expect([refused.status, error.faults.map(({ pointer }: any) => pointer)]).toEqual([422, ['', '', '/id']]);
  });

  test('is nothing for a sink to which nothing came, and an unknown limit is refused', async () => {
    const sink = await app().sink({ path: '/quiet' });
    const url = `/apps/shop/sinks/${sink.id}/inferred`;
    expect((await app().admin('GET', url)).body).toMatchObject({ requests: 0, left_out: 0, telling_run_ids: [] });
    for (const query of ['limit=0', 'limit=501', 'limit=x', 'count=1'])
      expect((await app().admin('GET', `${url}?${query}`)).status, query).toBe(400);
  });
});

describe('a dry run of another workflow on a stored request', () => {
  test('records its messages, sends none, and leaves the sink as it is', async () => {
    const receiver = await startHttpReceiver(onTestEnd);
    await app().workflow('forward', {
      steps: [{ type: 'sluice/http_request@v1', name: 'post', method: 'POST', url: receiver.url, json: { who: '$request.body.who' } }],
      outputs: [{ type: 'JsonField', name: 'status', selector: '$steps.post.status' }],
    });
    const runId = await send('/captured', '{"who":"Ada"}');
    const started = await app().admin('POST', `/runs/${runId}/replay`, { mode: 'dry', workflow_id: 'forward' });
    expect(started.status).toBe(202);
    const run = await until('the dry run', async () => {
      const { body } = await app().admin('GET', `/runs/${started.body.run_id}`);
      return body.status === 'completed' ? body : null;
    });
    expect(run).toMatchObject({ workflow_id: 'forward', replay: { of: runId, mode: 'dry' }, deliveries: [{ status: 'recorded' }] });
    const { body } = await app().admin('GET', `/deliveries/${run.deliveries[0].delivery_id}`);
    expect(JSON.stringify(body.message)).toContain('Ada');
    expect(receiver.received).toEqual([]);
    expect((await app().admin('GET', `/apps/shop/sinks/${captured.id}`)).body.workflow_id).toBeNull();
  });

  test('is refused without dry, with a version, and for a workflow that there is not', async () => {
    const runId = await send('/captured', '{}');
    const cases: [object, number][] = [
      [{ workflow_id: 'forward' }, 400],
      [{ mode: 'live', workflow_id: 'forward' }, 400],
      [{ mode: 'dry', version: 'current', workflow_id: 'forward' }, 400],
      [{ mode: 'dry', workflow_id: 5 }, 400],
      [{ mode: 'dry', workflow_id: '' }, 400],
      [{ mode: 'dry', workflow_id: 'none' }, 404],
      [{ mode: 'dry', workflow_id: '__proto__' }, 404],
    ];
    for (const [body, status] of cases) {
      const answer = await app().admin('POST', `/runs/${runId}/replay`, body);
      expect([answer.status, answer.body.error.message], JSON.stringify(body)).toEqual([status, expect.stringContaining('workflow_id')]);
    }
  });
});
