// A stream that was cut goes on where it stopped: after any event, during and after the run, and after a restart.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { firstFrames, readFrames } from '../support/event-stream.ts';
import { createGates, type Gates, gatedWorkflow } from '../support/gates.ts';
import { shareApp } from '../support/shared-app.ts';
import { ADMIN_TOKEN, startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const STEPS = 3;
/** Progress 0, one for each step but the last, 100, and complete. */
const EVENTS = STEPS + 2;
/** Events out when the run stands at gate n. */
const eventsAtGate = (gate: number): number => gate;

const gates = createGates();
const app = shareApp({ ...gates.options, settings: { drain_seconds: '0' } });

/** A sink of its own whose run stands at the gates `name1`, `name2` and `name3`. */
async function gatedSink(at: TestApp, name: string, auth: object = {}): Promise<string> {
  await at.workflow(name, gatedWorkflow(name, STEPS));
  await at.sink({ path: `/${name}`, workflow_id: name, ...auth });
  return `${at.url}/shop/${name}`;
}

function openAll(of: Gates, name: string): void {
  for (let gate = 1; gate <= STEPS; gate += 1) of.open(`${name}${gate}`);
}

type Resume = (run: string, after: number, at?: TestApp) => Promise<Response>;

const byHeader: Resume = (run, after, at = app()) => fetch(`${at.url}/runs/${run}/events`, { headers: { 'last-event-id': String(after) } });
const byQuery: Resume = (run, after, at = app()) => fetch(`${at.url}/runs/${run}/events?after=${after}`);
const asAdmin: Resume = (run, after, at = app()) =>
  fetch(`${at.url}/api/v1/runs/${run}/events?after=${after}`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });

const WAYS: [string, Resume][] = [
  ['Last-Event-ID', byHeader],
  ['?after=', byQuery],
  ['the admin route', asAdmin],
];

/** The text of a whole stream without what was sent up to the event. */
function textAfter(whole: string, after: number): string {
  return whole
    .split(/(?<=\n\n)/)
    .slice(after)
    .join('');
}

describe('during the run', () => {
  for (const [way, resume] of WAYS) {
    test(`a stream resumed by ${way} after any event, at any moment, brings exactly the remaining events`, async () => {
      const name = `during-${WAYS.findIndex(([known]) => known === way)}-`;
      const first = await fetch(await gatedSink(app(), name), { method: 'POST' });
      const run = first.headers.get('x-run-id') as string;
      const resumed: { after: number; text: Promise<string> }[] = [];
      for (let gate = 1; gate <= STEPS; gate += 1) {
        await gates.reached(`${name}${gate}`);
        for (let after = 0; after <= eventsAtGate(gate); after += 1) {
          const response = await resume(run, after);
          expect(response.headers.get('content-type')).toBe('text/event-stream');
          expect(response.headers.get('x-run-id')).toBe(run);
          resumed.push({ after, text: response.text() });
        }
        gates.open(`${name}${gate}`);
      }
      const whole = await first.text();
      expect(whole.match(/^id: \d+$/gm)).toHaveLength(EVENTS);
      for (const { after, text } of resumed) expect(await text).toBe(textAfter(whole, after));
    });
  }

  test('a stream cut after each event in turn and resumed is the same as one that was never cut', async () => {
    for (let cut = 1; cut <= STEPS; cut += 1) {
      const name = `cut-${cut}-`;
      const url = await gatedSink(app(), name);
      const first = await fetch(url, { method: 'POST' });
      const run = first.headers.get('x-run-id') as string;
      const seen = firstFrames(first, cut);
      for (let gate = 1; gate < cut; gate += 1) gates.open(`${name}${gate}`);
      const before = await seen;
      const rest = byHeader(run, cut);
      openAll(gates, name);
      const parts = before.map(({ id, text }) => `id: ${id}\ndata: ${text}\n\n`).join('') + (await (await rest).text());
      expect(parts).toBe(await (await byHeader(run, 0)).text());
      expect(parts.match(/^id: \d+$/gm)).toEqual(['id: 1', 'id: 2', 'id: 3', 'id: 4', 'id: 5']);
    }
  });

  test('a caller that goes away does not stop the run', async () => {
    const first = await fetch(await gatedSink(app(), 'gone'), { method: 'POST' });
    const run = first.headers.get('x-run-id');
    await firstFrames(first, 1);
    openAll(gates, 'gone');
    const ended = await until('the run to end', async () => {
      const { body } = await app().admin('GET', `/runs/${run}`);
      return body.finished_at === null ? null : body;
    });
    expect(ended).toMatchObject({ status: 'completed', output: { done: true } });
  });

  test('a cancelled run ends every stream of it with one error event', async () => {
    const first = await fetch(await gatedSink(app(), 'cancel'), { method: 'POST' });
    const run = first.headers.get('x-run-id') as string;
    await gates.reached('cancel1');
    const second = await byQuery(run, 1);
    expect((await app().admin('POST', `/runs/${run}/cancel`)).body).toEqual({ run_id: run, status: 'cancelled' });
    const error = `id: 2\ndata: {"type":"error","run_id":"${run}","error":{"code":"cancelled","message":"the run was cancelled"}}\n\n`;
    expect(textAfter(await first.text(), 1)).toBe(error);
    expect(await second.text()).toBe(error);
    expect((await app().admin('POST', `/runs/${run}/cancel`)).status).toBe(409);
    expect((await app().admin('POST', '/runs/run_00000000000000000000000000000000/cancel')).status).toBe(404);
    openAll(gates, 'cancel');
    expect((await app().admin('GET', `/runs/${run}`)).body).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } });
  });
});

describe('after the run', () => {
  for (const [way, resume] of WAYS) {
    test(`a stream asked for by ${way} after any event brings exactly the remaining events, and ends`, async () => {
      const name = `after-${WAYS.findIndex(([known]) => known === way)}-`;
      openAll(gates, name);
      const first = await fetch(await gatedSink(app(), name), { method: 'POST' });
      const run = first.headers.get('x-run-id') as string;
      const whole = await first.text();
      for (let after = 0; after <= EVENTS + 1; after += 1) expect(await (await resume(run, after)).text()).toBe(textAfter(whole, after));
    });
  }

  test('Last-Event-ID wins over ?after=, because a browser that reconnects keeps the address and adds the header', async () => {
    openAll(gates, 'both');
    const first = await fetch(await gatedSink(app(), 'both'), { method: 'POST' });
    const whole = await first.text();
    const response = await fetch(`${app().url}/runs/${first.headers.get('x-run-id')}/events?after=1`, {
      headers: { 'last-event-id': '3' },
    });
    expect(await response.text()).toBe(textAfter(whole, 3));
  });

  test('a position that is no whole number is refused with what would be right', async () => {
    openAll(gates, 'bad-position');
    const first = await fetch(await gatedSink(app(), 'bad-position'), { method: 'POST' });
    const run = first.headers.get('x-run-id');
    await first.text();
    for (const position of ['abc', '-1', '1.5', '1e3', '99999999999999999999', ' ', '%00']) {
      const response = await fetch(`${app().url}/runs/${run}/events?after=${position}`);
      expect(response.status, position).toBe(400);
      expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining('whole number') } });
    }
    const twice = await fetch(`${app().url}/runs/${run}/events?after=1&after=2`);
    expect(twice.status).toBe(400);
  });

  test('a run that there is not is 404, whatever the id looks like', async () => {
    for (const id of ['run_xyz', 'run_00000000000000000000000000000000', '..%2f', 'run_', `run_${'z'.repeat(31)}`, "run_'--"]) {
      for (const path of [`/runs/${id}`, `/runs/${id}/events`]) {
        const response = await fetch(app().url + path);
        expect([400, 404], path).toContain(response.status);
        expect(await response.json()).toMatchObject({ error: { message: expect.stringMatching(/./) } });
      }
    }
  });

  test('a replayed run is a new run of the same request, with a stream of its own', async () => {
    await app().workflow('copy', {
      inputs: [{ type: 'WorkflowParameter', name: 'n' }],
      steps: [{ type: 'sluice/set@v1', name: 's', values: { n: '$inputs.n', q: '$request.query.q' } }],
      outputs: [{ type: 'JsonField', name: 's', selector: '$steps.s.*' }],
    });
    await app().sink({ path: '/copy', workflow_id: 'copy' });
    const first = await fetch(`${app().url}/shop/copy?q=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"n":1.0}',
    });
    const original = first.headers.get('x-run-id') as string;
    const whole = await first.text();
    expect(whole).toContain('"output":{"s":{"n":1.0,"q":"1"}}');
    const { status, body } = await app().admin('POST', `/runs/${original}/replay`);
    expect(status).toBe(202);
    expect(body.replay_of).toBe(original);
    expect(body.run_id).not.toBe(original);
    expect(await (await byQuery(body.run_id, 0)).text()).toBe(whole.replaceAll(original, body.run_id));
    expect((await app().admin('POST', '/runs/run_00000000000000000000000000000000/replay')).status).toBe(404);
  });
});

describe('after a restart', () => {
  test('a stream cut before the restart goes on after it, event by event the same, and its Idempotency-Key still names it', async () => {
    const dataDir = tempDir();
    const before = createGates();
    const first = await startTestApp({ ...before.options, dataDir, settings: { drain_seconds: '0' } });
    const headers = { 'idempotency-key': 'across-restarts' };
    const response = await fetch(await gatedSink(first, 'restart'), { method: 'POST', headers });
    const run = response.headers.get('x-run-id') as string;
    const frames = readFrames(response);
    const seen = [(await frames.next()).value];
    before.open('restart1');
    seen.push((await frames.next()).value);
    await before.reached('restart2');
    await first.close();
    expect((await frames.next()).done).toBe(true);

    const after = createGates();
    const second = await startTestApp({ ...after.options, dataDir, settings: { drain_seconds: '0' } });
    await after.reached('restart2');
    const resumed = await Promise.all([0, 1, 2].map((position) => byHeader(run, position, second)));
    openAll(after, 'restart');
    const [whole = '', ...rest] = await Promise.all(resumed.map((each) => each.text()));
    expect(seen.map((frame) => `id: ${frame?.id}\ndata: ${frame?.text}\n\n`).join('') + rest[1]).toBe(whole);
    expect(rest[0]).toBe(textAfter(whole, 1));
    expect(whole.match(/"progress":\d+|"type":"complete"/g)).toEqual([
      '"progress":0',
      '"progress":33',
      '"progress":66',
      '"progress":100',
      '"type":"complete"',
    ]);

    await second.close();
    const third = await startTestApp({ dataDir });
    for (let position = 0; position <= EVENTS; position += 1)
      expect(await (await byHeader(run, position, third)).text()).toBe(textAfter(whole, position));
    const again = await fetch(`${third.url}/shop/restart`, { method: 'POST', headers });
    expect(again.headers.get('x-run-id')).toBe(run);
    expect((await again.text()).replace(/^:.*\n\n/, '')).toBe(whole);
  });
});

describe('heartbeat', () => {
  afterEach(() => void vi.useRealTimers());

  test('a comment every 15 seconds keeps a quiet stream open, and is no event', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] });
    const held = createGates();
    const quiet = await startTestApp({ ...held.options, settings: { drain_seconds: '0' } });
    const response = await fetch(await gatedSink(quiet, 'quiet'), { method: 'POST' });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const next = async (): Promise<string> => Buffer.from((await reader.read()).value ?? []).toString();
    expect(await next()).toContain('"progress":0');
    await held.reached('quiet1');
    vi.advanceTimersByTime(15_000);
    expect(await next()).toBe(': heartbeat\n\n');
    vi.advanceTimersByTime(15_000);
    expect(await next()).toBe(': heartbeat\n\n');
    openAll(held, 'quiet');
    let rest = '';
    for (let chunk = await next(); chunk !== ''; chunk = await next()) rest += chunk;
    expect(rest.match(/^id: \d+$/gm)).toEqual(['id: 2', 'id: 3', 'id: 4', 'id: 5']);
  });
});
