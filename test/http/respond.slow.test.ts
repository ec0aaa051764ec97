// Answers that a step gives while its run goes on: sluice/respond@v1, and sinks with `response: respond`.

import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { providerAnswer } from '../../src/http/trigger/senders/provider-answer.ts';
import type { Preset } from '../../src/presets/preset.ts';
import { findPreset } from '../../src/presets/table.ts';
import { allFrames } from '../support/event-stream.ts';
import { createGates } from '../support/gates.ts';
import { sendRaw } from '../support/raw-http.ts';
import { sendingSteps } from '../support/sending-steps.ts';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';

const SECRET = 'the-secret-of-the-tests';
const HUGE = 'x'.repeat(400_000);

const gates = createGates();
const respond = (name: string, fields: object = {}): object => ({ type: 'sluice/respond@v1', name, ...fields });
const set = (name: string, values: object, more: object = {}): object => ({ type: 'sluice/set@v1', name, values, ...more });
const gate = (name: string, id: string, more: object = {}): object => ({ type: 'test/gate@v1', name, gate: id, ...more });
const output = (name: string, selector: string): object => ({ type: 'JsonField', name, selector });
const signed = { type: 'hmac', secrets: [SECRET], header: 'X-Signature' };
const github = { type: 'github', secrets: [SECRET] };

const byType = (value: string, type: string, challenge: object): object[] => [
  {
    type: 'roboflow_core/switch_case@v1',
    name: 'which',
    value,
    cases: { [type]: '$steps.challenge' },
    default_next_steps: ['$steps.thanks'],
  },
  respond('challenge', { body: challenge }),
  respond('thanks', { status: 202, body: 'thanks', on_success: ['$steps.work'] }),
  set('work', { done: true }),
];

const WORKFLOWS: Record<string, object[]> = {
  first: [
    respond('now', {
      status: '$request.body.status',
      headers: {
        'X-Name': '$request.body.name',
        'Content-Type': 'application/vnd.example+json',
        'X-Price': '$$5',
        'X-None': '$request.body.nothing',
      },
      body: { hello: '$request.body.name', list: [1.0, '$request.body.n'], price: '$$5' },
    }),
    gate('later', 'first'),
  ],
  second: [
    gate('before', 'before', { on_success: ['$steps.answer'] }),
    respond('answer', { status: 201, body: 'after the gate', on_success: ['$steps.after'] }),
    gate('after', 'after'),
  ],
  delayed: [
    { type: 'sluice/delay@v1', name: 'pause', seconds: 0.05, next_steps: ['$steps.answer'] },
    respond('answer', { body: { at: 'last' }, on_success: ['$steps.after'] }),
    gate('after', 'delayed'),
  ],
  slack: byType('$request.body.type', 'url_verification', { challenge: '$request.body.challenge' }),
  events: byType('$request.body.0.eventType', 'Microsoft.EventGrid.SubscriptionValidationEvent', {
    validationResponse: '$request.body.0.data.validationCode',
  }),
  two: [
    respond('one', { body: 'one', on_success: ['$steps.two'] }),
    respond('two', { status: 500, body: 'two', on_success: ['$steps.end'] }),
    set('end', { first: '$steps.one.is_sent', second: '$steps.two.is_sent', status: '$steps.two.status' }),
  ],
  looping: [
    { type: 'sluice/delay@v1', name: 'pause', seconds: 0.01, next_steps: ['$steps.answer'], max_visits: 3 },
    respond('answer', { body: { visit: 'the first' }, on_success: ['$steps.pause'] }),
  ],
  none: [set('only', { a: 1 })],
  failing: [{ type: 'sluice/fail@v1', name: 'broken', code: 'no_luck', message: 'it broke' }],
  brave: [respond('one', { body: 'well', on_success: ['$steps.broken'] }), { type: 'sluice/fail@v1', name: 'broken' }],
  held: [gate('held', 'held', { on_success: ['$steps.answer'] }), respond('answer', { body: 'at last' })],
  replayed: [
    gate('held', 'replayed', { on_success: ['$steps.answer'] }),
    respond('answer', { status: 203, body: { id: '$request.body.id' } }),
  ],
  large: [
    respond('answer', { body: { length: '$request.body.filler.length', filler: '$request.body.filler' } }),
    { type: 'sluice/delay@v1', name: 'after', seconds: 0.2 },
  ],
  secret: [
    { type: 'test/secret@v1', name: 'secrets', variable: 'API_KEY' },
    respond('answer', { headers: { 'X-Key': '$steps.secrets.value' }, body: { key: '$steps.secrets.value' } }),
  ],
  empty: [respond('answer', { status: '$request.body.status', body: 'no content' })],
  page: [respond('answer', { headers: { 'Content-Type': '$request.body.type' }, body: '$request.body.page' })],
  kept: [respond('answer', { status: 204 })],
};

const app = shareApp(
  {
    ...gates.options,
    stepTypes: [...gates.options.stepTypes, ...sendingSteps],
    environment: { API_KEY: SECRET },
    settings: { drain_seconds: '0', secrets_allow: 'API_KEY' },
  },
  async (shared) => {
    for (const [id, steps] of Object.entries(WORKFLOWS)) {
      await shared.workflow(id, { steps, outputs: id === 'two' ? [output('end', '$steps.end.*')] : [] });
      const auth = id === 'slack' || id === 'events' ? { auth: signed } : {};
      await shared.sink({ path: `/${id}`, method: 'ANY', workflow_id: id, response: 'respond', ...auth });
    }
    await shared.sink({ path: '/short', workflow_id: 'held', response: { mode: 'respond', wait_seconds: 0.05 } });
    await shared.sink({ path: '/streamed', workflow_id: 'kept' });
    for (const id of ['first', 'none', 'failing', 'held'])
      await shared.sink({ path: `/github-${id}`, workflow_id: id, auth: github, response: { mode: 'respond', wait_seconds: 0.2 } });
  },
);

function post(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Response> {
  const text = JSON.stringify(body);
  const signature = createHmac('sha256', SECRET).update(text).digest('hex');
  return fetch(`${app().url}/shop${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-signature': signature, 'x-hub-signature-256': `sha256=${signature}`, ...headers },
    body: text,
  });
}

const runOf = async (response: Response): Promise<any> => (await app().admin('GET', `/runs/${response.headers.get('x-run-id')}`)).body;
const completion = (response: Response): Promise<any> =>
  until('the run to complete', async () => {
    const run = await runOf(response);
    return run.status === 'completed' ? run : null;
  });

describe('a respond step', () => {
  test('answers in the first turn, while the run goes on', async () => {
    const response = await post('/first', { status: 201, name: 'Ada', n: 5 });
    expect(response.status).toBe(201);
    expect(response.headers.get('x-name')).toBe('Ada');
    expect(response.headers.get('x-price')).toBe('$5');
    expect(response.headers.has('x-none')).toBe(false);
    expect(response.headers.get('content-type')).toBe('application/vnd.example+json; charset=utf-8');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await response.text()).toBe('{"hello":"Ada","list":[1,5],"price":"$5"}');
    expect((await runOf(response)).status).toBe('waiting');
    gates.open('first');
    expect((await completion(response)).steps[0].outputs).toMatchObject({ is_sent: true, status: 201 });
  });

  test('answers after a step, while the run goes on', async () => {
    const answered = post('/second');
    await gates.reached('before');
    gates.open('before');
    const response = await answered;
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe('after the gate');
    expect((await runOf(response)).status).toBe('waiting');
    gates.open('after');
    await completion(response);
  });

  test('answers after a delay, for which the run has left memory', async () => {
    const response = await post('/delayed');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ at: 'last' });
    expect((await runOf(response)).status).toBe('waiting');
    gates.open('delayed');
    await completion(response);
  });

  test('answers by condition: a challenge at once, other messages as their own', async () => {
    const challenged = await post('/slack', { type: 'url_verification', challenge: 'prove it' });
    expect(await challenged.json()).toEqual({ challenge: 'prove it' });
    expect((await completion(challenged)).steps.find(({ step }: any) => step === 'work')).toMatchObject({ status: 'skipped' });
    const event = await post('/slack', { type: 'event_callback' });
    expect([event.status, await event.text()]).toEqual([202, 'thanks']);
    expect((await completion(event)).steps.find(({ step }: any) => step === 'work')).toMatchObject({ status: 'completed' });
    expect((await post('/slack', { type: 'event_callback' }, { 'x-signature': 'wrong' })).status).toBe(401);
  });

  test('answers the validation of Event Grid among its events', async () => {
    const validation = { eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent', data: { validationCode: '512d38b6' } };
    expect(await (await post('/events', [validation])).json()).toEqual({ validationResponse: '512d38b6' });
    expect(await (await post('/events', [{ eventType: 'Shop.Ordered', data: {} }])).text()).toBe('thanks');
  });

  test('wins when it completes first; a later one records that the answer is given', async () => {
    const response = await post('/two');
    expect([response.status, await response.text()]).toEqual([200, 'one']);
    expect((await completion(response)).output).toEqual({ end: { first: true, second: false, status: null } });
  });

  test('wins with its first visit, although the run leaves memory between them', async () => {
    const key = { 'idempotency-key': 'loop' };
    const response = await post('/looping', {}, key);
    expect(await response.json()).toEqual({ visit: 'the first' });
    const steps = await until('the run to fail', async () => {
      const run = await runOf(response);
      return run.status === 'failed' && run.steps;
    });
    const sent = steps.filter(({ step, outputs }: any) => step === 'answer' && outputs).map(({ outputs }: any) => outputs.is_sent);
    expect(sent).toEqual([true, false, false]);
    expect(await (await post('/looping', {}, key)).json()).toEqual({ visit: 'the first' });
  });

  test('answers although the run fails later', async () => {
    const response = await post('/brave');
    expect([response.status, await response.text()]).toEqual([200, 'well']);
    expect((await runOf(response)).status).toBe('failed');
  });

  test('answers again when the request is repeated, from what is stored', async () => {
    const key = { 'idempotency-key': 'order-7' };
    const first = post('/replayed', { id: 7 }, key);
    await gates.reached('replayed');
    const second = post('/replayed', { id: 7 }, key);
    gates.open('replayed');
    const answers = [await first, await second, await post('/replayed', { id: 7 }, key)];
    for (const [index, answer] of answers.entries()) {
      expect([answer.status, await answer.text()]).toEqual([203, '{"id":7}']);
      expect(answer.headers.get('idempotent-replayed')).toBe(index === 0 ? null : 'true');
    }
    expect(new Set(answers.map((answer) => answer.headers.get('x-run-id'))).size).toBe(1);
  });

  test('answers with a large body, of a run that is planned in its own thread', async () => {
    const response = await post('/large', { filler: HUGE });
    expect(response.status).toBe(200);
    const body = await response.text();
    expect(JSON.parse(body)).toEqual({ length: null, filler: HUGE });
    expect(Number(response.headers.get('content-length'))).toBe(body.length);
    await completion(response);
  });

  test('shows no secret', async () => {
    const response = await post('/secret');
    expect(response.headers.get('x-key')).toBe('********');
    expect(await response.json()).toEqual({ key: '********' });
  });

  test('only records its outputs in a sink that answers otherwise', async () => {
    const response = await post('/streamed');
    expect((await allFrames(response)).at(-1)?.data.type).toBe('complete');
    expect((await runOf(response)).steps[0].outputs).toEqual({ is_sent: true, status: 204, headers: {}, body: null });
  });

  test('keeps a page from acting as a page of the server', async () => {
    const response = await post('/page', { page: '<script>alert(1)</script>', type: 'text/html' });
    expect(response.headers.get('content-type')).toBe('text/html');
    expect(response.headers.get('content-security-policy')).toBe('sandbox');
    expect(await response.text()).toBe('<script>alert(1)</script>');
  });

  test('makes a hostile value safe', async () => {
    const response = await post('/first', { name: 'a\r\nSet-Cookie: b=1\r\n\r\n<h1>' });
    expect(response.headers.get('x-name')).toBe('a  Set-Cookie: b=1    <h1>');
    expect(response.headers.has('set-cookie')).toBe(false);
  });

  for (const status of [199, 600, 'many', 200.5, []]) {
    test(`fails when it selects the status ${JSON.stringify(status)}`, async () => {
      const response = await post('/empty', { status });
      const message = expect.stringMatching(/^status must be a whole number/);
      expect(response.status).toBe(502);
      expect(await response.json()).toMatchObject({ status: 'failed', error: { code: 'invalid_setting', message, step: 'answer' } });
    });
  }

  for (const status of [204, 304]) {
    test(`sends no body with ${status}`, async () => {
      const text = JSON.stringify({ status });
      const head = `POST /shop/empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${text.length}`;
      const answer = await sendRaw(app().url, `${head}\r\n\r\n${text}`, { untilClosed: true });
      expect([answer.status, answer.body]).toEqual([status, '']);
      expect(Number(answer.headers['content-length'] ?? 0)).toBe(0);
    });
  }

  test('is refused when it is saved with a header that an answer cannot set, or a status that is none', async () => {
    const faultsOf = async (fields: object): Promise<string> => {
      const definition = { version: '1.0', inputs: [], steps: [respond('answer', fields)], outputs: [] };
      const { status, body } = await app().admin('PUT', '/apps/shop/workflows/refused', definition);
      expect(status).toBe(400);
      return JSON.stringify(body);
    };
    for (const name of ['Set-Cookie', 'content-length', 'Transfer-Encoding', 'X-Run-Id', 'a b', 'content-security-policy'])
      expect(await faultsOf({ headers: { [name]: 'x' } })).toContain(`headers.${name}`);
    expect(await faultsOf({ headers: { 'x-a': 'a\r\nb: c' } })).toContain('headers.x-a');
    expect(await faultsOf({ headers: { location: 'javascript:alert(1)' } })).toContain('headers.location');
    for (const status of [100, 199, 600, 'many']) expect(await faultsOf({ status })).toContain('status');
    expect(await faultsOf({ headers: '$request.headers' })).toContain('headers');
  });
});

describe('a sink with response "respond"', () => {
  test('answers with the document of a run that completes without an answer', async () => {
    const response = await post('/none');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ run_id: response.headers.get('x-run-id'), status: 'completed', output: {} });
  });

  test('answers 502 for a run that fails before', async () => {
    const response = await post('/failing');
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ status: 'failed', error: { code: 'no_luck' } });
  });

  test('answers 202 when the wait is over first, and the run goes on', async () => {
    const response = await post('/short');
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe(`/runs/${response.headers.get('x-run-id')}`);
    const preferred = await post('/held', {}, { prefer: 'wait=0' });
    expect([preferred.status, preferred.headers.get('preference-applied')]).toEqual([202, 'wait=0']);
    gates.open('held');
    expect((await completion(response)).steps.at(-1).outputs).toMatchObject({ is_sent: true, body: 'at last' });
  });

  test('streams to a caller that asks for a stream alone, and answers every other', async () => {
    const stream = await post('/kept', {}, { accept: 'text/event-stream' });
    expect((await allFrames(stream)).at(-1)?.data.type).toBe('complete');
    for (const accept of ['*/*', 'application/json', 'text/html', 'text/event-stream, */*'])
      expect((await post('/kept', {}, { accept })).status, accept).toBe(204);
    expect((await post('/kept', {}, { prefer: 'respond-async' })).status).toBe(202);
  });

  test('starts no run for HEAD', async () => {
    const answer = await sendRaw(app().url, 'HEAD /shop/brave HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', { untilClosed: true });
    expect([answer.status, answer.body, answer.headers['x-run-id']]).toEqual([200, '', undefined]);
  });

  test('answers a provider with what the step says, or else with what the provider expects, and never with a stream', async () => {
    const event = { 'x-github-event': 'push', accept: 'text/event-stream' };
    const answered = await post('/github-first', { status: 201, name: 'Ada' }, event);
    expect([answered.status, await answered.json()]).toMatchObject([201, { hello: 'Ada' }]);
    const none = await post('/github-none', { a: 1 }, event);
    expect([none.status, await none.text()]).toEqual([200, '']);
    const failed = await post('/github-failing', { a: 1 }, event);
    expect([failed.status, await failed.json()]).toMatchObject([502, { status: 'failed' }]);
  });

  test('waits 2.5 s for a provider by default, and as long as it says otherwise', () => {
    const waits = (waitMs: number | null) => providerAnswer(findPreset('github') as Preset, { mode: 'respond', waitMs }).waitMs;
    expect([waits(null), waits(200)]).toEqual([2500, 200]);
  });

  test('hands over to the background when a provider would wait too long', async () => {
    const slow = await createSlow();
    const response = await post('/github-slow', { a: 1 }, { 'x-github-event': 'push' });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect((await runOf(response)).status).toBe('waiting');
    slow.open();
    await completion(response);
  });

  const refused: [string, object, string][] = [
    [
      'a stream to a provider',
      { auth: github, response: 'stream' },
      'response: cannot be \\"stream\\": github reads one answer and no stream',
    ],
    [
      'a wait that is too long for a provider',
      { auth: github, response: { mode: 'respond', wait_seconds: 3 } },
      'response.wait_seconds: must be at most 2.5',
    ],
    ['a wait of no time', { response: { mode: 'respond', wait_seconds: 0 } }, 'response.wait_seconds'],
    ['a wait beyond the limit', { response: { mode: 'respond', wait_seconds: 301 } }, 'response.wait_seconds'],
    ['a wait in another mode', { response: { mode: 'wait', wait_seconds: 1 } }, 'response.wait_seconds'],
    ['a body of its own', { response: { mode: 'respond', body: 1 } }, 'response.body'],
  ];
  for (const [what, fields, fault] of refused) {
    test(`is refused when it is saved with ${what}`, async () => {
      const { status, body } = await app().admin('POST', '/apps/shop/sinks', { path: '/refused', method: 'POST', ...fields });
      expect(status).toBe(400);
      expect(JSON.stringify(body)).toContain(fault);
    });
  }

  test('is refused when an edit without credentials would stream to the provider that it keeps', async () => {
    const { id } = await app().sink({ path: '/edited', auth: github });
    const put = await app().admin('PUT', `/apps/shop/sinks/${id}`, { path: '/edited', method: 'POST', response: 'stream' });
    expect(put).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining('no stream') } } });
  });

  test('is shown as it was written', async () => {
    expect((await app().sink({ path: '/shown-1', response: 'respond' })).response).toEqual({ mode: 'respond' });
    const response = { mode: 'respond', wait_seconds: 1.5 };
    expect((await app().sink({ path: '/shown-2', response })).response).toEqual(response);
  });
});

async function createSlow(): Promise<{ open: () => void }> {
  await app().workflow('slow', { steps: [gate('held', 'slow')] });
  await app().sink({ path: '/github-slow', workflow_id: 'slow', auth: github, response: { mode: 'respond', wait_seconds: 0.05 } });
  return { open: () => gates.open('slow') };
}
