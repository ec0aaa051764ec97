// Deliveries over the admin API: lists by every filter, a delivery with its attempts, retries by hand, and every wrong
// question. All of them really go to a receiver on this machine.

import { afterAll, describe, expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { type Answer, type HttpReceiver, startHttpReceiver } from '../support/http-receiver.ts';
import { sendingSteps } from '../support/sending-steps.ts';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { until } from '../support/until.ts';

let receiver: HttpReceiver;
const cleanups: (() => void | Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups) await cleanup();
});
const sinkIds = new Map<string, string>();

const send = (name: string, path: string, fields: object = {}): object => ({
  type: 'test/send@v1',
  name,
  url: `${receiver.url}${path}`,
  ...fields,
});

const app = shareApp({ stepTypes: sendingSteps, settings: { outbound_allow: '127.0.0.0/8' } }, async (shared) => {
  receiver = await startHttpReceiver((cleanup) => void cleanups.push(cleanup));
  receiver.answer('/bad', { status: 400 });
  receiver.answer('/gone', { status: 410 });
  const works = send('notify', '/ok', { body: '{"n":1}' });
  const fails = send('notify', '/bad', { retry: { max_retries: 2, base_seconds: 0 } });
  const both = [send('first', '/ok', { background: true }), send('second', '/gone', { background: true })];
  for (const [id, steps, appId] of [
    ['works', [works], 'shop'],
    ['fails', [fails], 'shop'],
    ['both', both, 'other'],
  ] as const) {
    await shared.workflow(id, { steps }, appId);
    sinkIds.set(id, (await shared.sink({ path: `/${id}`, workflow_id: id, response: 'wait' }, appId)).id);
  }
  for (let round = 0; round < 6; round += 1) for (const path of ['/shop/works', '/shop/fails', '/other/both']) await trigger(shared, path);
  await allOver(shared);
});

/** Resolves to the run's id once it has ended. */
async function trigger(target: TestApp, path: string): Promise<string> {
  const response = await fetch(target.url + path, { method: 'POST' });
  await response.text();
  return response.headers.get('x-run-id') as string;
}

async function allOver(target: TestApp): Promise<void> {
  await until('all deliveries to be over', async () => {
    const { deliveries } = (await target.admin('GET', '/deliveries?limit=500')).body;
    return deliveries.every(({ finished_at: finishedAt }: any) => finishedAt !== null);
  });
}

async function list(query: string): Promise<any> {
  const { status, body } = await app().admin('GET', `/deliveries${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

const listAll = async (query = ''): Promise<any[]> => (await list(`?limit=500${query}`)).deliveries;

/** The first delivery of a new run. */
async function deliveryOf(target: TestApp, path: string): Promise<any> {
  const runId = await trigger(target, path);
  await allOver(target);
  return (await target.admin('GET', `/deliveries?run_id=${runId}`)).body.deliveries[0];
}

/** A delivery that has failed, to a receiver of its own: failures of others do not keep it from being tried. */
async function deadLetter(retries: number, answer: Answer): Promise<{ down: HttpReceiver; id: string; runId: string }> {
  const down = await startHttpReceiver(onTestEnd);
  down.answer('/', answer);
  await app().workflow('dead-letter', {
    steps: [{ type: 'test/send@v1', name: 'notify', url: `${down.url}/`, retry: { max_retries: retries, base_seconds: 0 } }],
  });
  if (!sinkIds.has('dead-letter'))
    sinkIds.set('dead-letter', (await app().sink({ path: '/dead-letter', workflow_id: 'dead-letter', response: 'wait' })).id);
  const { delivery_id: id, run_id: runId } = await deliveryOf(app(), '/shop/dead-letter');
  return { down, id, runId };
}

describe('the list of deliveries', () => {
  test('is newest first, with what tells one from another', async () => {
    const runId = await trigger(app(), '/shop/fails');
    const [newest] = await listAll();
    expect(newest).toEqual({
      delivery_id: expect.stringMatching(/^dlv_[0-9a-z]{31}_0$/),
      run_id: runId,
      app_id: 'shop',
      sink_id: sinkIds.get('fails'),
      step: 'notify',
      status: 'failed',
      transport: 'http',
      method: 'POST',
      url: `${receiver.url}/bad`,
      attempt_count: 1,
      max_attempts: 3,
      last_result: { kind: 'response', status: 400, error: null },
      next_attempt_at: null,
      created_at: expect.stringMatching(/^\d{4}-/),
      finished_at: expect.stringMatching(/^\d{4}-/),
      dropped_reason: null,
    });
    const times = (await listAll()).map(({ created_at: at }) => at);
    expect(times).toEqual([...times].sort().reverse());
  });

  test('is filtered by app, sink, run and status, alone and together', async () => {
    const all = await listAll();
    const [some] = all.filter(({ app_id: appId }) => appId === 'other');
    const filters: [string, (delivery: any) => boolean][] = [
      ['&app_id=other', ({ app_id }) => app_id === 'other'],
      [`&sink_id=${sinkIds.get('works')}`, ({ sink_id }) => sink_id === sinkIds.get('works')],
      [`&run_id=${some.run_id}`, ({ run_id }) => run_id === some.run_id],
      ['&status=failed', ({ status }) => status === 'failed'],
      ['&status=delivered&app_id=other', ({ status, app_id }) => status === 'delivered' && app_id === 'other'],
      [`&status=failed&sink_id=${sinkIds.get('both')}`, ({ status, sink_id }) => status === 'failed' && sink_id === sinkIds.get('both')],
      [`&run_id=${some.run_id}&status=failed&app_id=other`, ({ run_id, status }) => run_id === some.run_id && status === 'failed'],
    ];
    for (const [query, keep] of filters) {
      const expected = all.filter(keep);
      expect(expected.length, query).toBeGreaterThan(0);
      expect(expected.length, query).toBeLessThan(all.length);
      expect(await listAll(query), query).toEqual(expected);
    }
    const foreignNonce = some.run_id.replace(/.$/, some.run_id.endsWith('0') ? '1' : '0');
    const nothing = [
      'app_id=nobody',
      'sink_id=snk_none',
      'run_id=x',
      `run_id=${foreignNonce}`,
      'status=cancelled',
      'status=queued',
      `app_id=shop&sink_id=${sinkIds.get('both')}`,
      `app_id=shop&run_id=${some.run_id}`,
      'app_id=%00',
      'run_id=',
    ];
    for (const query of nothing) expect(await listAll(`&${query}`), query).toEqual([]);
  });

  for (const filter of ['', '&app_id=other', '&status=failed', '&app_id=shop&status=delivered']) {
    test(`is turned page by page without a gap or a repetition${filter === '' ? '' : `, with ${filter.slice(1)}`}`, async () => {
      const whole = (await listAll(filter)).map(({ delivery_id: id }) => id);
      for (const limit of [1, 4, 7]) {
        const paged: string[] = [];
        let cursor = '';
        for (let pages = 0; pages < 60; pages += 1) {
          const page = await list(`?limit=${limit}${filter}${cursor}`);
          paged.push(...page.deliveries.map(({ delivery_id: id }: any) => id));
          if (page.next_cursor === null) break;
          cursor = `&cursor=${page.next_cursor}`;
        }
        expect(paged).toEqual(whole);
      }
    });
  }

  const wrong: [string, string][] = [
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=many', 'limit'],
    ['status=dead', 'status'],
    ['status=', 'status'],
    ["status=failed'--", 'status'],
    ['cursor=abc', 'cursor'],
    ['cursor=-1', 'cursor'],
    ['cursor=1.5', 'cursor'],
    ['cursor=9007199254740993', 'cursor'],
    ['app=shop', 'additional properties'],
    ['app_id=a&app_id=b', 'app_id'],
    ['app_id[]=a', 'additional properties'],
    ['since=2026-01-01', 'additional properties'],
  ];
  for (const [query, reason] of wrong) {
    test(`?${query} is 400 that names it`, async () => {
      const { status, body } = await app().admin('GET', `/deliveries?${query}`);
      expect(status).toBe(400);
      expect(body.error).toMatchObject({ code: 'invalid', message: expect.stringContaining(reason) });
    });
  }
});

describe('a delivery', () => {
  test('shows what was sent, and every attempt with what was answered', async () => {
    const { down, id } = await deadLetter(1, { status: 503, headers: { 'retry-after': '0', 'x-node': 'a1' }, body: 'try later' });
    const { status, body } = await app().admin('GET', `/deliveries/${id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ delivery_id: id, status: 'failed', step: 'notify', url: `${down.url}/` });
    expect(body.message).toEqual({
      headers: {},
      body: { text: '', size: 0, is_truncated: false },
      timeout_ms: 30_000,
      is_signed: false,
    });
    expect(body.attempts.map(({ attempt }: any) => attempt)).toEqual([1, 2]);
    expect(body.attempts[1]).toEqual({
      attempt: 2,
      started_at: expect.stringMatching(/^\d{4}-/),
      duration_ms: expect.any(Number),
      kind: 'response',
      status: 503,
      error: null,
      response: {
        reason: 'Service Unavailable',
        url: `${down.url}/`,
        headers: expect.objectContaining({ 'retry-after': '0', 'x-node': 'a1' }),
        body: { text: 'try later', size: 9, is_truncated: false },
      },
    });
  });

  test('that nobody answers says so in one line', async () => {
    await app().workflow('nobody', {
      steps: [
        { type: 'test/send@v1', name: 'closed', url: 'http://127.0.0.1:1/', background: true },
        { type: 'test/send@v1', name: 'forbidden', url: 'http://10.0.0.1/', background: true },
      ],
    });
    await app().sink({ path: '/nobody', workflow_id: 'nobody', response: 'wait' });
    const runId = await trigger(app(), '/shop/nobody');
    await allOver(app());
    const [forbidden, closed] = await listAll(`&run_id=${runId}`);
    expect(closed.last_result).toEqual({ kind: 'network', status: null, error: expect.stringMatching(/^.*ECONNREFUSED.*$/) });
    expect(forbidden.last_result).toEqual({
      kind: 'refused',
      status: null,
      error: '10.0.0.1 is not a public address (private), and SLUICE_OUTBOUND_ALLOW does not name it',
    });
    const { attempts } = (await app().admin('GET', `/deliveries/${forbidden.delivery_id}`)).body;
    expect(attempts).toEqual([expect.objectContaining({ attempt: 1, kind: 'refused', status: null })]);
    expect(attempts[0]).not.toHaveProperty('response');
  });

  test('shows bytes as text where they are UTF-8, else as base64, up to 64 KiB', async () => {
    const bytes = Buffer.from([0, 255, 254, 10]);
    receiver.answer('/binary', { status: 200, body: bytes });
    receiver.answer('/long', { status: 200, body: 'ä'.repeat(20_000) });
    await app().workflow('bytes', {
      steps: [
        send('a', '/binary', { base64: bytes.toString('base64'), background: true }),
        send('b', '/long', { body: `x${'ä'.repeat(40_000)}`, background: true }),
      ],
    });
    await app().sink({ path: '/bytes', workflow_id: 'bytes', response: 'wait' });
    const runId = await trigger(app(), '/shop/bytes');
    await allOver(app());
    const [b, a] = await Promise.all(
      (await listAll(`&run_id=${runId}`)).map(async ({ delivery_id: id }) => (await app().admin('GET', `/deliveries/${id}`)).body),
    );
    expect(a.message.body).toEqual({ base64: bytes.toString('base64'), size: 4, is_truncated: false });
    expect(a.attempts[0].response.body).toEqual({ base64: bytes.toString('base64'), size: 4, is_truncated: false });
    expect(b.message.body).toEqual({ text: `x${'ä'.repeat(32_767)}`, size: 80_001, is_truncated: true });
    expect(b.attempts[0].response.body).toEqual({ text: 'ä'.repeat(8192), size: 16_384, is_truncated: true });
  });

  test('is shown briefly with its run, to the administrator only', async () => {
    const runId = await trigger(app(), '/other/both');
    await allOver(app());
    const { body } = await app().admin('GET', `/runs/${runId}`);
    const [second, first] = await listAll(`&run_id=${runId}`);
    expect(body.deliveries).toEqual([
      { delivery_id: first.delivery_id, step: 'first', status: 'delivered', attempt_count: 1 },
      { delivery_id: second.delivery_id, step: 'second', status: 'failed', attempt_count: 1 },
    ]);
    expect(await (await fetch(`${app().url}/runs/${runId}`)).json()).not.toHaveProperty('deliveries');
  });

  test('that there is not is 404 for every question about it', async () => {
    const [{ delivery_id: known }] = await listAll();
    const foreign = known.replace(/.(?=_\d+$)/, (digit: string) => (digit === '0' ? '1' : '0'));
    const ids = ['dlv_none_0', 'x', '%00', 'dlv_', `${known}9`, foreign, `dlv_${'0'.repeat(31)}_0`, `dlv_${'z'.repeat(31)}_999999`];
    for (const id of ids) {
      for (const [method, suffix] of [
        ['GET', ''],
        ['POST', '/retry'],
      ] as const) {
        const { status, body } = await app().admin(method, `/deliveries/${id}${suffix}`);
        expect([status, body.error.code], `${method} ${id}`).toEqual([404, 'not_found']);
      }
    }
    expect((await app().admin('GET', `/deliveries/${'x'.repeat(5000)}`)).status).toBeLessThan(500);
    expect((await app().admin('GET', '/deliveries/..%2f..')).status).toBeLessThan(500);
  });

  test('is shown to nobody without the admin token', async () => {
    for (const [method, path] of [
      ['GET', '/deliveries'],
      ['GET', '/deliveries/dlv_x_0'],
      ['GET', '/deliveries/export'],
      ['POST', '/deliveries/dlv_x_0/retry'],
      ['POST', '/deliveries/retry'],
    ] as const)
      expect((await fetch(`${app().url}/api/v1${path}`, { method })).status, path).toBe(401);
  });
});

describe('a retry by hand', () => {
  test('gives a failed delivery another round of attempts, which count on', async () => {
    const { down, id, runId } = await deadLetter(1, { status: 503 });
    down.answer('/', { status: 200 });
    const { status, body } = await app().admin('POST', `/deliveries/${id}/retry`);
    expect(status).toBe(202);
    expect(body).toMatchObject({ delivery_id: id, max_attempts: 4 });
    await allOver(app());
    const { body: after } = await app().admin('GET', `/deliveries/${id}`);
    expect(after).toMatchObject({ status: 'delivered', attempt_count: 3, max_attempts: 4, last_result: { status: 200 } });
    expect(after.attempts.map(({ attempt, status: answer }: any) => [attempt, answer])).toEqual([
      [1, 503],
      [2, 503],
      [3, 200],
    ]);
    expect(down.received.map(({ headers }) => headers['webhook-id'])).toEqual([id, id, id]);
    expect(new Set(down.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    // What the run made of the failure stays.
    expect((await app().admin('GET', `/runs/${runId}`)).body.status).toBe('failed');
  });

  test('of one that has not failed is 409 that says how it stands', async () => {
    const { delivery_id: id } = await deliveryOf(app(), '/shop/works');
    const { status, body } = await app().admin('POST', `/deliveries/${id}/retry`);
    expect(status).toBe(409);
    expect(body.error).toMatchObject({
      code: 'conflict',
      message: 'cannot retry: the delivery is delivered; only failed and dropped deliveries can be retried',
    });
  });

  test('ends in the dead letters again when the receiver is still down', async () => {
    const { id } = await deadLetter(1, { status: 503 });
    expect((await app().admin('POST', `/deliveries/${id}/retry`)).status).toBe(202);
    await until('another round', async () => (await app().admin('GET', `/deliveries/${id}`)).body.attempt_count === 4);
    await allOver(app());
    expect((await app().admin('GET', `/deliveries/${id}`)).body).toMatchObject({ status: 'failed', attempt_count: 4, max_attempts: 4 });
  });
});

describe('a retry in bulk', () => {
  test('takes ids, and retries those that have failed', async () => {
    const failed = await deadLetter(0, { status: 404 });
    const fine = await deliveryOf(app(), '/shop/works');
    failed.down.answer('/', { status: 200 });
    const ids = [fine.delivery_id, failed.id, failed.id, `dlv_${'0'.repeat(31)}_0`];
    const { status, body } = await app().admin('POST', '/deliveries/retry', { ids });
    expect([status, body]).toEqual([202, { retried: 1, ids: [failed.id], next_cursor: null }]);
    await allOver(app());
    expect((await app().admin('GET', `/deliveries/${failed.id}`)).body.status).toBe('delivered');
  });

  test('takes a filter, and retries no others', async () => {
    const own = await startTestApp({ stepTypes: sendingSteps, settings: { outbound_allow: '127.0.0.0/8' } });
    receiver.answer('/dead', { status: 400 });
    for (const appId of ['left', 'right']) {
      await own.workflow('w', { steps: [send('a', '/dead')] }, appId);
      await own.sink({ path: '/w', workflow_id: 'w', response: 'wait' }, appId);
      for (let count = 0; count < 3; count += 1) await trigger(own, `/${appId}/w`);
    }
    receiver.answer('/dead', { status: 200 });
    const { status, body } = await own.admin('POST', '/deliveries/retry', { app_id: 'left', status: 'failed' });
    expect([status, body.retried, body.ids.length, body.next_cursor]).toEqual([202, 3, 3, null]);
    await allOver(own);
    const byApp = async (appId: string): Promise<string[]> =>
      (await own.admin('GET', `/deliveries?app_id=${appId}`)).body.deliveries.map(({ status: now }: any) => now);
    expect(await byApp('left')).toEqual(['delivered', 'delivered', 'delivered']);
    expect(await byApp('right')).toEqual(['failed', 'failed', 'failed']);
    expect((await own.admin('POST', '/deliveries/retry', { app_id: 'left' })).body).toEqual({ retried: 0, ids: [], next_cursor: null });
    expect((await own.admin('POST', '/deliveries/retry', { status: 'failed' })).body.retried).toBe(3);
    await allOver(own);
  });

  const wrong: [unknown, string][] = [
    [{}, 'the body selects no deliveries; send "ids", or a filter'],
    [undefined, 'the body selects no deliveries; send "ids", or a filter'],
    ['null', 'the body selects no deliveries; send "ids", or a filter'],
    ['[]', 'must be object'],
    ['"failed"', 'must be object'],
    [{ cursor: 1 }, 'the body selects no deliveries'],
    [{ ids: [] }, 'ids: must NOT have fewer than 1 items'],
    [{ ids: ['run_x'] }, 'ids[0]: must be the id of a delivery'],
    [{ ids: [7] }, 'ids[0]: must be string'],
    [{ ids: 'dlv_x_0' }, 'ids: must be array'],
    [{ ids: Array.from({ length: 1001 }, (_, index) => `dlv_x_${index}`) }, 'ids: must NOT have more than 1000 items'],
    [{ ids: ['dlv_x_0'], app_id: 'shop' }, 'the body has both ids and a filter; send one of them'],
    [{ app_id: 7 }, 'app_id: must be string'],
    [{ app_id: '' }, 'app_id'],
    [{ status: 'delivered' }, 'status: must be one of "failed", "dropped"'],
    [{ app_id: 'shop', cursor: -1 }, 'cursor: must be >= 0'],
    [{ app_id: 'shop', limit: 5 }, 'unknown field "limit"'],
    ['{"app_id":"a","app_id":"b"}', 'field "app_id" appears twice'],
    ['{"app_id":', 'JSON'],
  ];
  for (const [sent, reason] of wrong) {
    test(`with ${JSON.stringify(sent)?.slice(0, 60) ?? 'no body'} is 400 that says what is wrong`, async () => {
      const { status, body } = await app().admin('POST', '/deliveries/retry', sent);
      expect([status, body.error.code], JSON.stringify(body)).toEqual([400, 'invalid']);
      expect(body.error.message).toContain(reason);
    });
  }
});

test('the routes stand in the description of the API, with their parameters', async () => {
  const { paths } = (await (await fetch(`${app().url}/api/v1/openapi.json`)).json()) as any;
  const names = ({ parameters = [] }: any): string[] => parameters.map(({ name }: any) => name);
  expect(names(paths['/api/v1/deliveries'].get)).toEqual(['app_id', 'sink_id', 'run_id', 'status', 'limit', 'cursor']);
  expect(names(paths['/api/v1/deliveries/export'].get)).toEqual(['format', 'app_id', 'sink_id', 'run_id', 'status']);
  expect(names(paths['/api/v1/deliveries/{delivery_id}'].get)).toEqual(['delivery_id']);
  expect(paths['/api/v1/deliveries/{delivery_id}/retry'].post.tags).toEqual(['deliveries']);
  expect(Object.keys(paths['/api/v1/deliveries/retry'].post.requestBody.content['application/json'].schema.properties)).toContain('ids');
});
