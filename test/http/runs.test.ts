// Lists and look-ups of runs: every filter, every page, and every wrong question.

import { describe, expect, test } from 'vitest';
import { createGates, gatedWorkflow } from '../support/gates.ts';
import { shareApp } from '../support/shared-app.ts';

const gates = createGates();
let now = Date.UTC(2026, 0, 1);
const runs: { path: string; id: string; at: number }[] = [];
const sinkIds = new Map<string, string>();

const app = shareApp({ ...gates.options, clock: () => now, settings: { drain_seconds: '0' } }, async (shared) => {
  await shared.workflow('fails', { steps: [{ type: 'sluice/fail@v1', name: 'f', code: 'no_luck' }] });
  await shared.workflow('held', gatedWorkflow('held', 1));
  await shared.sink({ path: '/good' });
  await shared.sink({ path: '/bad', workflow_id: 'fails' });
  await shared.sink({ path: '/held', workflow_id: 'held' });
  await shared.sink({ path: '/good' }, 'other');
  for (const { app_id: appId, path, id } of (await shared.admin('GET', '/sinks')).body.sinks) sinkIds.set(`/${appId}${path}`, id);
  const gone = await shared.sink({ path: '/gone' });
  for (let count = 0; count < 26; count += 1) {
    const path = count === 0 ? '/shop/gone' : (['/shop/held', '/shop/good', '/shop/bad', '/other/good', '/shop/good'][count % 5] as string);
    const response = await fetch(shared.url + path, { method: 'POST', headers: { prefer: 'respond-async' } });
    runs.unshift({ path, id: response.headers.get('x-run-id') as string, at: now });
    now += 1000;
  }
  await shared.admin('DELETE', `/apps/shop/sinks/${gone.id}`);
});

async function list(query: string): Promise<any> {
  const { status, body } = await app().admin('GET', `/runs${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

async function ids(query: string): Promise<string[]> {
  return (await list(query)).runs.map(({ run_id: id }: any) => id);
}

const expected = (keep: (run: (typeof runs)[number]) => boolean): string[] => runs.filter(keep).map(({ id }) => id);
const isoOf = (index: number): string => encodeURIComponent(new Date(runs[index]?.at as number).toISOString());

describe('the list of runs', () => {
  test('is newest first, with what tells one from another', async () => {
    const { runs: listed, next_cursor: cursor } = await list('?limit=500');
    expect(listed.map(({ run_id: id }: any) => id)).toEqual(expected(() => true));
    expect(cursor).toBeNull();
    expect(listed[0]).toMatchObject({
      app_id: 'shop',
      workflow_id: 'held',
      workflow_version: 1,
      status: 'waiting',
      progress: 0,
      finished_at: null,
    });
    expect(listed[3]).toMatchObject({ status: 'failed', error: { code: 'no_luck', step: 'f' }, created_at: '2026-01-01T00:00:22.000Z' });
  });

  test('is filtered by app, sink, status and time, alone and together', async () => {
    expect(await ids('?app_id=other')).toEqual(expected(({ path }) => path === '/other/good'));
    expect(await ids(`?sink_id=${sinkIds.get('/shop/bad')}`)).toEqual(expected(({ path }) => path === '/shop/bad'));
    expect(await ids('?status=failed')).toEqual(expected(({ path }) => path === '/shop/bad'));
    expect(await ids('?status=completed&app_id=shop')).toEqual(expected(({ path }) => path === '/shop/good' || path === '/shop/gone'));
    expect(await ids(`?status=waiting&sink_id=${sinkIds.get('/shop/held')}`)).toEqual(expected(({ path }) => path === '/shop/held'));
    expect(await ids(`?since=${isoOf(9)}&until=${isoOf(4)}`)).toEqual(runs.slice(5, 10).map(({ id }) => id));
    expect(await ids(`?since=${isoOf(9)}&app_id=other`)).toEqual(
      expected(({ path, at }) => path === '/other/good' && at >= (runs[9]?.at as number)),
    );
    expect(await ids(`?app_id=other&sink_id=${sinkIds.get('/shop/bad')}`)).toEqual([]);
    for (const nothing of ['?app_id=nobody', '?sink_id=snk_none', '?status=cancelled', '?until=2020-01-01', '?since=2030-01-01'])
      expect(await ids(nothing), nothing).toEqual([]);
  });

  for (const filter of ['', '&app_id=shop', '&status=completed', `&since=2026-01-01T00:00:05Z`]) {
    test(`is turned page by page without a gap or a repetition${filter === '' ? '' : `, with ${filter.slice(1)}`}`, async () => {
      const whole = await ids(`?limit=500${filter}`);
      for (const limit of [1, 4, 7]) {
        const paged: string[] = [];
        let cursor = '';
        for (let pages = 0; pages < 30; pages += 1) {
          const page = await list(`?limit=${limit}${filter}${cursor}`);
          paged.push(...page.runs.map(({ run_id: id }: any) => id));
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
    ['limit=1.5', 'limit'],
    ['status=done', 'status'],
    ['since=yesterday', 'since: must be an ISO 8601 time'],
    ['until=', 'until: must be an ISO 8601 time'],
    ['cursor=abc', 'cursor: must be the next_cursor of the previous page'],
    ['cursor=run_', 'cursor: must be the next_cursor of the previous page'],
    ['app=shop', 'additional properties'],
    ['app_id=a&app_id=b', 'app_id'],
    ['app_id[]=a', 'additional properties'],
  ];
  for (const [query, reason] of wrong) {
    test(`?${query} is 400 that names it`, async () => {
      const { status, body } = await app().admin('GET', `/runs?${query}`);
      expect(status).toBe(400);
      expect(body.error).toMatchObject({ code: 'invalid', message: expect.stringContaining(reason) });
    });
  }
});

describe('a run', () => {
  test('shows its steps, and to the administrator its request too', async () => {
    const id = runs.find(({ path }) => path === '/shop/bad')?.id;
    const forCaller = (await (await fetch(`${app().url}/runs/${id}`)).json()) as any;
    expect(forCaller).toMatchObject({
      run_id: id,
      status: 'failed',
      steps: [{ step: 'f', type: 'sluice/fail@v1', status: 'failed', attempt: 1 }],
    });
    expect(forCaller).not.toHaveProperty('request');
    const { body } = await app().admin('GET', `/runs/${id}`);
    expect(body.request).toMatchObject({ method: 'POST', path: '/bad', client_ip: '127.0.0.1', body: null });
  });

  test('that there is not is 404 for every question about it', async () => {
    for (const id of ['run_00000000000000000000000000000000', 'x', '%00', 'run_..']) {
      for (const [method, suffix] of [
        ['GET', ''],
        ['GET', '/events'],
        ['POST', '/cancel'],
        ['POST', '/replay'],
      ] as const)
        expect([400, 404]).toContain((await app().admin(method, `/runs/${id}${suffix}`)).status);
    }
  });

  test('of a deleted sink cannot be replayed: 409 that says why', async () => {
    const { status, body } = await app().admin('POST', `/runs/${runs.at(-1)?.id}/replay`);
    expect(status).toBe(409);
    expect(body.error.message).toContain('the sink of this run was deleted');
  });
});

describe('health', () => {
  test('is told to everybody, and says nothing else', async () => {
    expect(await (await fetch(`${app().url}/healthz`)).json()).toEqual({ status: 'ok' });
    const ready = await fetch(`${app().url}/readyz`);
    const { memory, ...rest } = (await ready.json()) as any;
    expect([ready.status, ready.headers.get('cache-control'), rest]).toEqual([
      200,
      'no-store',
      { status: 'ready', checks: { accepting: true, disk: true, database: true } },
    ]);
    expect(Object.keys(memory).sort()).toEqual(['answers', 'bodies', 'commits', 'deliveries', 'images', 'runs']);
    for (const account of Object.values(memory))
      expect(account).toEqual({ used: expect.any(Number), peak: expect.any(Number), limit: expect.any(Number) });
  });
});
