// Bodies above a quarter of a megabyte, which are decoded and planned in a thread of their own: callers notice nothing of
// it, but that others do not wait for them.

import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const FILLER = 'x'.repeat(300_000);
const output = (name: string, selector: string): object => ({ type: 'JsonField', name, selector });
const set = (name: string, values: object, more: object = {}): object => ({ type: 'sluice/set@v1', name, values, ...more });

const app = shareApp({ settings: { outbound_allow: '127.0.0.0/8' } }, async (shared) => {
  await shared.workflow('pick', {
    inputs: [{ type: 'WorkflowParameter', name: 'user' }],
    steps: [set('s', { id: '$request.body.id', price: '$request.body.price', method: '$request.method', user: '$inputs.user' })],
    outputs: [output('s', '$steps.s.*')],
  });
  await shared.sink({ path: '/pick', workflow_id: 'pick', response: 'wait' });
  await shared.sink({ path: '/mapped', workflow_id: 'pick', response: 'wait', inputs: { user: '$request.body.who.name' } });
  await shared.sink({ path: '/capture' });
  await shared.sink({
    path: '/custom',
    response: { mode: 'custom', status: 201, body: { id: '$request.body.id', run: '$run.id', ok: '$output.received' } },
  });
});

function send(
  path: string,
  body: string,
  type = 'application/json',
  headers: Record<string, string> = {},
  to: TestApp = app(),
): Promise<Response> {
  return fetch(`${to.url}/shop${path}`, { method: 'POST', headers: { 'content-type': type, ...headers }, body });
}

const large = (fields = ''): string =>
  `{"id":12345678901234567890,"price":1.0,"user":"ann","who":{"name":"bob"},${fields}"filler":"${FILLER}"}`;

describe('a large JSON body', () => {
  test('reaches the workflow with its numbers as they were written', async () => {
    const answer = await (await send('/pick', large())).text();
    expect(answer).toContain('"s":{"id":12345678901234567890,"price":1.0,"method":"POST","user":"ann"}');
  });

  test('may come byte by byte', async () => {
    const socket = connect(Number(new URL(app().url).port), '127.0.0.1');
    const head = 'Host: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked';
    const chunks = Array.from(large(), (byte) => `1\r\n${byte}\r\n`).join('');
    socket.write(`POST /shop/pick HTTP/1.1\r\n${head}\r\n\r\n${chunks}0\r\n\r\n`);
    expect(await text(socket)).toContain('"s":{"id":12345678901234567890,"price":1.0,"method":"POST","user":"ann"}');
  });

  test('binds inputs as the sink maps them', async () => {
    expect(await (await send('/mapped', large())).json()).toMatchObject({ status: 'completed', output: { s: { user: 'bob' } } });
  });

  test('is read as JSON where curl calls it a form', async () => {
    expect(await (await send('/pick', large(), 'application/x-www-form-urlencoded')).json()).toMatchObject({
      output: { s: { user: 'ann' } },
    });
  });

  test('is kept as it came, and can be seen, replayed and joined by its key', async () => {
    const first = (await (await send('/pick', large(), undefined, { 'idempotency-key': 'one' })).json()) as any;
    const { body } = await app().admin('GET', `/runs/${first.run_id}`);
    expect(body.request.body).toBe(large());
    const again = (await (await send('/pick', large(), undefined, { 'idempotency-key': 'one' })).json()) as any;
    expect(again).toEqual(first);
    const replayed = await app().admin('POST', `/runs/${first.run_id}/replay`);
    expect(replayed).toMatchObject({ status: 202, body: { status: 'completed' } });
    expect((await app().admin('GET', `/runs/${replayed.body.run_id}`)).body.output).toEqual(first.output);
  });

  test('is refused as a small one is when it is not what it should be, and leaves no run', async () => {
    const before = (await app().admin('GET', '/runs?limit=500')).body.runs.length;
    const broken = await send('/pick', large().slice(0, -1));
    expect(broken.status).toBe(400);
    expect(((await broken.json()) as any).message).toContain('is not valid JSON');
    const deep = await send('/capture', `${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    expect([deep.status, ((await deep.json()) as any).error.code]).toEqual([400, 'invalid']);
    const poison = await send('/capture', `{"__proto__":{"a":1},"filler":"${FILLER}"}`);
    expect(poison.status).toBe(400);
    const unfit = await send('/pick', `{"filler":"${FILLER}"}`);
    expect(unfit.status).toBe(422);
    expect(((await unfit.json()) as any).message).toContain('input "user" is missing');
    expect((await app().admin('GET', '/runs?limit=500')).body.runs).toHaveLength(before);
  });

  test('is what a custom answer selects from', async () => {
    const response = await send('/custom', large());
    expect(response.status).toBe(201);
    expect(await response.text()).toMatch(/^\{"id":12345678901234567890,"run":"run_\w+","ok":true\}$/);
  });

  test('goes through a delivery that is awaited, a wait, and what steps remember', async () => {
    const receiver = await startWebhookReceiver();
    await app().workflow('going', {
      steps: [
        { type: 'sluice/delay@v1', name: 'd', seconds: 0.01, next_steps: ['$steps.hook'] },
        {
          type: 'roboflow_core/webhook_sink@v1',
          name: 'hook',
          url: receiver.url,
          method: 'POST',
          json_payload: { id: '$request.body.id', filler: '$request.body.filler' },
          fire_and_forget: false,
          cooldown_seconds: 5,
        },
      ],
      outputs: [output('message', '$steps.hook.message'), output('throttled', '$steps.hook.throttling_status')],
    });
    await app().sink({ path: '/going', workflow_id: 'going', response: 'wait' });
    expect(await (await send('/going', large())).json()).toMatchObject({ output: { throttled: false } });
    expect(receiver.arrivals[0]?.body.toString()).toBe(`{"id": 12345678901234567890, "filler": "${FILLER}"}`);
    expect(await (await send('/going', large())).json()).toMatchObject({ output: { throttled: true } });
    expect(receiver.arrivals).toHaveLength(1);
  });
});

test('a form whose fields are large reaches the workflow field by field', async () => {
  const form = new FormData();
  form.append('user', 'ann');
  form.append('id', new Blob(['12345678901234567890'], { type: 'application/json' }), 'blob');
  form.append('1', FILLER);
  form.append('filler', FILLER);
  form.append('filler', FILLER);
  const response = await fetch(`${app().url}/shop/pick`, { method: 'POST', body: form });
  expect(await response.text()).toContain('"id":12345678901234567890,"price":null,"method":"POST","user":"ann"');
  const broken = new FormData();
  broken.append('filler', FILLER);
  broken.append('bad', new Blob(['{'], { type: 'application/json' }), 'blob');
  const refused = await fetch(`${app().url}/shop/pick`, { method: 'POST', body: broken });
  expect(refused.status).toBe(400);
  expect(((await refused.json()) as any).message).toContain('"bad"');
});

test('a large run that waits when the server stops goes on at the next start', async () => {
  const dataDir = tempDir();
  const first = await startTestApp({ dataDir });
  await first.workflow('late', {
    steps: [
      { type: 'sluice/delay@v1', name: 'd', seconds: 0.2, next_steps: ['$steps.s'] },
      set('s', { id: '$request.body.id', user: '$request.body.user' }),
    ],
    outputs: [output('s', '$steps.s.*')],
  });
  await first.sink({ path: '/late', workflow_id: 'late', response: 'accept' });
  const ids: string[] = [];
  for (let count = 0; count < 5; count += 1) ids.push(((await (await send('/late', large(), undefined, {}, first)).json()) as any).run_id);
  await first.close();
  const second = await startTestApp({ dataDir });
  for (const id of ids) {
    const run = await until(
      'the run to end',
      async () => {
        const { body } = await second.admin('GET', `/runs/${id}`);
        return body.status === 'completed' ? body : null;
      },
      15_000,
    );
    expect(run.output.s).toMatchObject({ user: 'ann' });
  }
});
