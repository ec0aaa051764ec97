// A run's stream as the client reads it: whatever happens to the connection, each event comes once and in order.

import { describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import type { RunEvent } from '../../src/client/wire/wire-types.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { createGates, gatedWorkflow } from '../support/gates.ts';
import { shareApp } from '../support/shared-app.ts';
import { ADMIN_TOKEN, startTestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';

const NO_DELAYS = [0, 0, 0];

const gates = createGates();
const app = shareApp(gates.options, async (shared) => {
  await shared.workflow('three', gatedWorkflow('open', 3));
  await shared.sink({ path: '/three', workflow_id: 'three' });
  await shared.sink({ path: '/locked', workflow_id: 'three', auth_token: 'token-of-the-sink' });
  for (const gate of ['open1', 'open2', 'open3']) gates.open(gate);
});

const SINK = '/sink/trigger/http/shop/three';

async function collect(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const collected: RunEvent[] = [];
  for await (const event of events) collected.push(event);
  return collected;
}

const EVENTS = [
  { seq: 1, type: 'progress', progress: 0 },
  { seq: 2, type: 'progress', progress: 33, step: 'g1' },
  { seq: 3, type: 'progress', progress: 66, step: 'g2' },
  { seq: 4, type: 'progress', progress: 100 },
  { seq: 5, type: 'complete', output: { done: true } },
];

describe('a connection that breaks', () => {
  test('is replaced by one that goes on after the last whole event, wherever the stream was cut', async () => {
    const { runId } = await triggerToEnd();
    const whole = await (await fetch(`${app().url}/runs/${runId}/events`)).text();
    for (let length = 0; length <= whole.length; length += 7) {
      const proxy = await startCuttingProxy(app().url, (answer, connection) => {
        const bodyAt = answer.indexOf('id: 1');
        return connection > 0 || bodyAt === -1 ? null : bodyAt + length;
      });
      const events = await collect(createClient({ url: proxy.url }).runs.follow(runId, { reconnectDelaysMs: NO_DELAYS }));
      expect(events, `cut after ${length} bytes`).toEqual(EVENTS.map((event) => ({ ...event, run_id: runId })));
    }
  });

  test('during a trigger is replaced by one that follows the same run: nothing is sent twice', async () => {
    await app().workflow('cut', gatedWorkflow('cut', 3));
    await app().sink({ path: '/cut', workflow_id: 'cut' });
    const proxy = await startCuttingProxy(app().url, (answer, connection) =>
      connection === 0 && answer.includes('id: 2') ? answer.length : null,
    );
    const { runId, events } = await createClient({ url: proxy.url }).trigger('/sink/trigger/http/shop/cut', { body: 'x' });
    gates.open('cut1');
    await gates.reached('cut2');
    gates.open('cut2');
    gates.open('cut3');
    expect((await collect(events)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    const { body } = await app().admin('GET', '/runs?limit=500');
    expect(body.runs.filter((run: any) => run.workflow_id === 'cut').map((run: any) => run.run_id)).toEqual([runId]);
    expect(proxy.connections()).toBe(2);
  });

  test('because the server restarts is replaced once the server is back, and the run goes on to its end', async () => {
    const dataDir = tempDir();
    const restarting = createGates();
    const first = await startTestApp({ ...restarting.options, dataDir, settings: { drain_seconds: '0' } });
    await first.workflow('long', gatedWorkflow('long', 2));
    await first.sink({ path: '/long', workflow_id: 'long' });
    const { events } = await createClient({ url: first.url }).trigger('/sink/trigger/http/shop/long');
    restarting.open('long1');
    await restarting.reached('long2');
    const collecting = collect(events);
    await first.close();
    const { port } = new URL(first.url);
    await startTestApp({ ...restarting.options, dataDir, settings: { port, drain_seconds: '0' } });
    restarting.open('long2');
    expect((await collecting).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  test('for good ends the reading with what went wrong, after the last pause', async () => {
    const { runId } = await triggerToEnd();
    const proxy = await startCuttingProxy(app().url, () => 0);
    const reading = collect(createClient({ url: proxy.url }).runs.follow(runId, { reconnectDelaysMs: [1, 1] }));
    await expect(reading).rejects.toThrow(`cannot reach ${proxy.url}: the connection was closed`);
    expect(proxy.connections()).toBe(3);
  });
});

describe('following a run', () => {
  test('that has ended ends at once for a reader who has seen all of it', async () => {
    const { runId } = await triggerToEnd();
    const client = createClient({ url: app().url });
    expect(await collect(client.runs.follow(runId, { after: 5, reconnectDelaysMs: NO_DELAYS }))).toEqual([]);
    expect((await collect(client.runs.follow(runId, { after: 3 }))).map(({ seq }) => seq)).toEqual([4, 5]);
  });

  test('that does not exist is refused at once, in the words of the server', async () => {
    const reading = collect(createClient({ url: app().url }).runs.follow('run_nothing'));
    await expect(reading).rejects.toMatchObject({ name: 'RefusedError', status: 404, code: 'not_found' });
  });

  test('takes the token of the sink or of the administrator, and no other', async () => {
    const triggered = await createClient({ url: app().url, token: 'token-of-the-sink' }).trigger('/shop/locked');
    expect((await collect(triggered.events)).at(-1)?.type).toBe('complete');
    for (const token of ['token-of-the-sink', ADMIN_TOKEN]) {
      const events = await collect(createClient({ url: app().url, token }).runs.follow(triggered.runId));
      expect(events).toHaveLength(5);
    }
    const refused = collect(createClient({ url: app().url, token: 'another' }).runs.follow(triggered.runId));
    await expect(refused).rejects.toMatchObject({ status: 401, code: 'unauthorized' });
  });

  test('stops with the reason of the signal, while it reads and while it waits to connect again', async () => {
    await app().workflow('stopped', gatedWorkflow('stopped', 1));
    await app().sink({ path: '/stopped', workflow_id: 'stopped' });
    const stop = new AbortController();
    const { runId, events } = await createClient({ url: app().url }).trigger('/shop/stopped', { signal: stop.signal });
    expect((await events.next()).value).toMatchObject({ seq: 1 });
    const reading = events.next();
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');

    const pausing = new AbortController();
    const proxy = await startCuttingProxy(app().url, () => {
      queueMicrotask(() => setImmediate(() => pausing.abort(new Error('enough of it'))));
      return 0;
    });
    const waiting = collect(createClient({ url: proxy.url }).runs.follow(runId, { signal: pausing.signal, reconnectDelaysMs: [60_000] }));
    await expect(waiting).rejects.toThrow('enough of it');
    gates.open('stopped1');
  });
});

async function triggerToEnd(): Promise<{ runId: string }> {
  const { runId, events } = await createClient({ url: app().url }).trigger(SINK);
  await collect(events);
  return { runId };
}
