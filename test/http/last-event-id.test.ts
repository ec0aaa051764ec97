// A request that carries Last-Event-ID opens a stream again: it never is a new request of its own.

import { describe, expect, test } from 'vitest';
import { allFrames } from '../support/event-stream.ts';
import { createGates, gatedWorkflow } from '../support/gates.ts';
import { shareApp } from '../support/shared-app.ts';
import { ADMIN_TOKEN } from '../support/start-app.ts';

const gates = createGates();
const app = shareApp({ ...gates.options, settings: { drain_seconds: '0' } }, async (shared) => {
  await shared.sink({ path: '/any', method: 'ANY' });
  await shared.sink({ path: '/guarded', method: 'GET', auth_token: 'tok' });
  await shared.workflow('held', gatedWorkflow('held', 1));
  await shared.sink({ path: '/held', workflow_id: 'held' });
});

function send(headers: Record<string, string>, path = '/any', method = 'POST'): Promise<Response> {
  return fetch(`${app().url}/shop${path}`, { method, headers: { 'content-type': 'application/json', ...headers } });
}

async function runCount(): Promise<number> {
  return (await app().admin('GET', '/runs?limit=500')).body.runs.length;
}

const ids = async (response: Response): Promise<number[]> => (await allFrames(response)).map(({ id }) => id);

describe('without a key that names a run', () => {
  for (const method of ['GET', 'POST', 'DELETE']) {
    for (const id of ['3', '0', 'abc', '99999999999999999999']) {
      test(`${method} with Last-Event-ID: ${id} is 204 and starts nothing, however it wishes to be answered`, async () => {
        const before = await runCount();
        for (const headers of [{}, { accept: 'text/event-stream' }, { accept: 'application/json' }, { prefer: 'respond-async' }]) {
          const response = await send({ ...headers, 'last-event-id': id }, '/any', method);
          expect(response.status).toBe(204);
          expect(response.headers.get('x-run-id')).toBeNull();
        }
        expect(await runCount()).toBe(before);
      });
    }
  }

  test('an empty header says nothing: the request is a new one', async () => {
    expect((await send({ 'last-event-id': '' })).status).toBe(200);
  });

  test('a token is asked for all the same', async () => {
    expect((await send({ 'last-event-id': '3' }, '/guarded', 'GET')).status).toBe(401);
    expect((await send({ 'last-event-id': '3', authorization: 'Bearer tok' }, '/guarded', 'GET')).status).toBe(204);
  });
});

describe('with the key of a run', () => {
  test('the run is joined behind the last event that was seen, and 204 ends it', async () => {
    const first = await send({ 'idempotency-key': 'joined' });
    expect(await ids(first)).toEqual([1, 2, 3]);
    const join = (seen: string): Promise<Response> => send({ 'idempotency-key': 'joined', 'last-event-id': seen });
    expect(await ids(await join('0'))).toEqual([1, 2, 3]);
    expect(await ids(await join('1'))).toEqual([2, 3]);
    expect(await ids(await join('2'))).toEqual([3]);
    for (const seen of ['3', '4', '999999999999999']) {
      const ended = await join(seen);
      expect(ended.status).toBe(204);
      expect(ended.headers.get('x-run-id')).toBe(first.headers.get('x-run-id'));
    }
  });

  test('a run that goes on is followed', async () => {
    const first = await send({ 'idempotency-key': 'live' }, '/held');
    await gates.reached('held1');
    const again = await send({ 'idempotency-key': 'live', 'last-event-id': '1' }, '/held');
    gates.open('held1');
    expect(await ids(again)).toEqual([2, 3]);
    expect(await ids(first)).toEqual([1, 2, 3]);
  });

  test('what is no number of an event is refused', async () => {
    await (await send({ 'idempotency-key': 'refused' })).text();
    const response = await send({ 'idempotency-key': 'refused', 'last-event-id': 'x' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining('must be the id of an event of the stream, a whole number') },
    });
  });

  test('a key that names no run yet starts it, for the key alone says which request this is', async () => {
    expect(await ids(await send({ 'idempotency-key': 'first', 'last-event-id': '2' }))).toEqual([1, 2, 3]);
    expect(await ids(await send({ 'idempotency-key': 'first', 'last-event-id': '2' }))).toEqual([3]);
  });
});

describe('the stream of an ended run, asked from its end', () => {
  test('is 204 by header and by query, for callers and for the administrator', async () => {
    const first = await send({});
    const run = first.headers.get('x-run-id');
    await first.text();
    const authorization = `Bearer ${ADMIN_TOKEN}`;
    for (const base of [`/runs/${run}/events`, `/api/v1/runs/${run}/events`]) {
      for (const seen of ['3', '4', '999999999999999']) {
        const byHeader = await fetch(app().url + base, { headers: { 'last-event-id': seen, authorization } });
        const byQuery = await fetch(`${app().url}${base}?after=${seen}`, { headers: { authorization } });
        expect([byHeader.status, byQuery.status]).toEqual([204, 204]);
        expect(await byHeader.text()).toBe('');
      }
      expect((await fetch(`${app().url}${base}?after=2`, { headers: { authorization } })).status).toBe(200);
    }
  });
});
