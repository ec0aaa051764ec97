// Searches of runs over HTTP: texts, filters without an index, slices and cursors, and every wrong question.

import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';

const SECRET = 'hunter2-in-the-environment';
const runs: Record<'order' | 'failed' | 'header' | 'secret' | 'replay', string> = {
  order: '',
  failed: '',
  header: '',
  secret: '',
  replay: '',
};

const app = shareApp({ environment: { API_KEY: SECRET }, settings: { secrets_allow: 'API_KEY' } }, async (shared) => {
  await shared.workflow('fails', { steps: [{ type: 'sluice/fail@v1', name: 'f', code: 'no_luck', message: 'Out of "paper"' }] });
  await shared.workflow('leaks', {
    steps: [
      { type: 'roboflow_core/environment_secrets_store@v1', name: 's', variables_storing_secrets: ['API_KEY'] },
      { type: 'sluice/fail@v1', name: 'f', code: 'leak', message: '$steps.s.api_key' },
    ],
    outputs: [{ type: 'JsonField', name: 'key', selector: '$steps.s.api_key' }],
  });
  await shared.sink({ path: '/order' });
  await shared.sink({ path: '/fails', workflow_id: 'fails' });
  await shared.sink({ path: '/leaks', workflow_id: 'leaks' });
  const post = async (path: string, body: string, headers: Record<string, string> = {}): Promise<string> => {
    const request = { method: 'POST', body, headers: { 'content-type': 'application/json', prefer: 'respond-async', ...headers } };
    return (await fetch(`${shared.url}/shop${path}`, request)).headers.get('x-run-id') as string;
  };
  runs.order = await post('/order', '{"item":"100%_wool Scarf","note":"line one\\nline two"}', { 'idempotency-key': 'order-7' });
  runs.failed = await post('/fails', '{}');
  runs.header = await post('/order', '{}', { 'x-shop': 'Wool & Co', 'x-api-key': 'never-stored' });
  runs.secret = await post('/leaks', '{}');
  runs.replay = (await shared.admin('POST', `/runs/${runs.order}/replay`)).body.run_id;
});

async function search(query: Record<string, string>): Promise<any> {
  const { status, body } = await app().admin('GET', `/runs?${new URLSearchParams(query)}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

async function found(query: Record<string, string>): Promise<string[]> {
  return (await search(query)).runs.map(({ run_id: id }: any) => id);
}

describe('a text', () => {
  test('is found in any part and any case, newest first, with how far the search went', async () => {
    expect(await search({ text: 'WOOL' })).toMatchObject({
      runs: [{ run_id: runs.replay }, { run_id: runs.header }, { run_id: runs.order }],
      next_cursor: null,
      scanned: 5,
      scanned_to: null,
    });
    expect(await found({ text: 'wool', in: 'headers' })).toEqual([runs.header]);
    expect(await found({ text: 'out of "paper"', in: 'error,output' })).toEqual([runs.failed]);
    expect(await found({ text: 'received', in: 'output' })).toEqual([runs.replay, runs.header, runs.order]);
    expect(await found({ text: 'wool', status: 'failed,cancelled' })).toEqual([]);
  });

  test.each([
    ['100%_wool', true],
    ['100_', false],
    ['%wool', false],
    ['100%.wool', false],
    ['.*', false],
    ['line one\\nline two', true],
    ['line one\nline two', false],
    ['\0', false],
    ["' OR 1=1 --", false],
  ])('%j stands for itself: %j', async (text, isFound) => {
    expect(await found({ text })).toEqual(isFound ? [runs.replay, runs.order] : []);
  });

  test('finds nothing that is masked, or not kept', async () => {
    for (const text of [SECRET, 'sluice-secret', 'API_KEY', 'never-stored', 'x-api-key']) expect(await found({ text }), text).toEqual([]);
    expect(await found({ text: '********' })).toEqual([runs.secret]);
    const [listed] = (await search({ workflow_id: 'leaks' })).runs;
    expect(listed.error.message).toBe('********');
  });
});

describe('a filter without an index', () => {
  test('finds runs by workflow, address, key and replay', async () => {
    expect(await found({ workflow_id: 'fails' })).toEqual([runs.failed]);
    expect(await found({ client_ip: '127.0.0.1', limit: '2' })).toEqual([runs.replay, runs.secret]);
    expect(await found({ client_ip: '203.0.113.9' })).toEqual([]);
    expect(await found({ idempotency_key: 'order-7' })).toEqual([runs.order]);
    expect(await found({ idempotency_key: 'order-7', app_id: 'other' })).toEqual([]);
    expect(await found({ replay_of: runs.order })).toEqual([runs.replay]);
    expect(await found({ replay_of: runs.replay })).toEqual([]);
  });
});

describe('a slice', () => {
  test('ends at the limit, and the next one goes on after it without a gap or a repetition', async () => {
    const first = await search({ text: 'wool', limit: '1' });
    expect(first).toMatchObject({ runs: [{ run_id: runs.replay }], next_cursor: runs.replay, scanned: 1 });
    expect(first.scanned_to).toBe(first.runs[0].created_at);
    const second = await search({ text: 'wool', limit: '2', cursor: first.next_cursor });
    expect(second.runs.map(({ run_id: id }: any) => id)).toEqual([runs.header, runs.order]);
    expect((await search({ text: 'wool', cursor: second.next_cursor })).runs).toEqual([]);
  });

  test('a cursor is a place among all runs, so that of another query continues there', async () => {
    const page = await search({ limit: '1', status: 'failed' });
    expect(await found({ text: 'wool', cursor: page.next_cursor })).toEqual([runs.header, runs.order]);
  });

  test('many at once are bounded', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => app().admin('GET', '/runs?text=wool')));
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].every((status) => status === 200 || status === 503)).toBe(true);
    expect(statuses).toContain(200);
  });
});

describe('a wrong question is 400 that names what is wrong', () => {
  test.each([
    ['text=', 'text'],
    [`text=${'x'.repeat(201)}`, 'text'],
    ['text=a&text=b', 'text'],
    ['in=body', 'in: says where to search'],
    ['text=a&in=', 'in: must be one of body, output, error, headers'],
    ['text=a&in=body,steps', 'in: must be one of'],
    ['text=a&in=__proto__', 'in: must be one of'],
    ['status=failed,', 'status: must be one of queued'],
    ['status=constructor', 'status: must be one of'],
    ['text=a&limit=-1', 'limit'],
    ['text=a&limit=1e9', 'limit'],
    ['text=a&cursor=10', 'cursor: must be the next_cursor'],
    ['replay_of=dlv_1', 'replay_of: must be the id of a run'],
    ['delivery_id=x', 'delivery_id: must be the id of a delivery'],
    ['workflow_id=', 'workflow_id'],
    [`client_ip=${'1'.repeat(256)}`, 'client_ip'],
    ['regex=a', 'additional properties'],
    ['__proto__=a', 'additional properties'],
  ])('?%s', async (query, reason) => {
    const { status, body } = await app().admin('GET', `/runs?${query}`);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 'invalid', message: expect.stringContaining(reason) });
  });

  test('a text of 1 MB does not pass the head', async () => {
    const { status } = await app().admin('GET', `/runs?text=${'x'.repeat(1_000_000)}`);
    expect(status).toBe(431);
  });
});
