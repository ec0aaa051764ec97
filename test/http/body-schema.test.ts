// A sink with a schema: bodies that do not fit start no run, leave nothing behind, and are told every fault.

import { createHmac } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';

const order = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'integer', maximum: 9007199254740991 },
    lines: { type: 'array', items: { type: 'object', required: ['sku'] } },
  },
};

const app = shareApp({}, async (shared) => {
  await shared.sink({ path: '/order', schema: order, response: 'wait' });
  await shared.sink({ path: '/held', schema: order, response: 'accept', flow: { max_concurrent: 1, ordering_key: '$request.body.id' } });
  await shared.sink({ path: '/form', response: 'form', spam: { honeypot: 'website' }, schema: { ...order, additionalProperties: false } });
  await shared.sink({ path: '/list', split: '$request.body', schema: { type: 'array', items: order } });
  await shared.sink({ path: '/slack', auth: { type: 'slack', secrets: ['s'] }, schema: { type: 'object', required: ['event'] } });
});

function send(path: string, body: string | object, headers: Record<string, string> = {}): Promise<Response> {
  const isPlain = Object.getPrototypeOf(body) === Object.prototype || Array.isArray(body);
  return fetch(`${app().url}/shop${path}`, {
    method: 'POST',
    headers: { ...(isPlain || typeof body === 'string' ? { 'content-type': 'application/json' } : {}), ...headers },
    body: isPlain ? JSON.stringify(body) : (body as string),
  });
}

const countRuns = async (): Promise<number> => (await app().admin('GET', '/runs?limit=500')).body.runs.length;
const storedFiles = (): string[] =>
  (readdirSync(app().dataDir, { recursive: true }) as string[]).filter((name) => /[0-9a-f]{60}/.test(name));

async function refused(sent: Promise<Response>, status = 422): Promise<any> {
  const before = await countRuns();
  const response = await sent;
  const answer = await response.json();
  expect([response.status, await countRuns()]).toEqual([status, before]);
  return answer;
}

describe('a JSON body', () => {
  test('that fits starts a run', async () => {
    expect((await send('/order', '{"id":9007199254740991.0,"lines":[{"sku":"a"}]}')).status).toBe(200);
  });

  test('that does not fit is told every fault with its place', async () => {
    const { error, triggered, run_id: runId } = await refused(send('/order', '{"id":9007199254740993,"lines":[{"sku":1},{},5]}'));
    expect([triggered, runId, error.code]).toEqual([false, null, 'unprocessable']);
    expect(error.faults).toEqual([
      { path: 'id', pointer: '/id', message: 'must be at most 9007199254740991' },
      { path: 'lines[1]', pointer: '/lines/1', message: 'field "sku" is missing' },
      { path: 'lines[2]', pointer: '/lines/2', message: 'must be object, and is integer' },
    ]);
  });

  test('that is missing, or a file, is refused', async () => {
    expect((await refused(fetch(`${app().url}/shop/order`, { method: 'POST' }))).message).toContain('the body is empty, and does not fit');
    expect((await refused(send('/order', new Blob(['\u0000'])), 415)).message).toContain('reads JSON, forms and text');
  });

  test('that is large is checked too, on a sink with flow control as well', async () => {
    const lines = Array.from({ length: 40_000 }, (_, index) => ({ sku: index }));
    for (const path of ['/order', '/held']) {
      const answer = await refused(send(path, { lines: [...lines, {}] }));
      expect(answer.error.faults.map(({ pointer, message }: any) => `${pointer} ${message}`)).toEqual([
        ' field "id" is missing',
        '/lines/40000 field "sku" is missing',
      ]);
      expect((await send(path, { id: 1, lines })).ok).toBe(true);
    }
  });

  test('is checked whole before it is split', async () => {
    expect((await refused(send('/list', [{ id: 1 }, { id: 'x' }]))).error.faults[0].pointer).toBe('/1/id');
    expect((await send('/list', [{ id: 1 }, { id: 2 }])).status).toBe(202);
  });
});

describe('a form', () => {
  test('is checked without its own fields, and its texts as the types that they spell', async () => {
    const page = await send('/form', new URLSearchParams({ id: '7', website: '' }), { accept: 'text/html' });
    expect(page.status).toBe(200);
    const answer = await refused(send('/form', new URLSearchParams({ id: 'x', website: '' })));
    expect(answer.error.faults).toEqual([{ path: 'id', pointer: '/id', message: 'must be integer, and is string' }]);
  });

  test('shows its faults on the page of the sink', async () => {
    const page = await send('/form', new URLSearchParams({ name: '<b>' }), { accept: 'text/html' });
    const html = await page.text();
    expect(page.status).toBe(422);
    expect(html).toContain('field &quot;id&quot; is missing');
    expect(html).toContain('unknown field &quot;name&quot;');
  });

  test('that does not fit leaves no file', async () => {
    const before = storedFiles().length;
    const form = new FormData();
    form.set('photo', new Blob(['the bytes of a refused file']), 'a.png');
    await refused(send('/form', form));
    expect(storedFiles()).toHaveLength(before);
  });

  test('of a robot gets the answer of a visitor, whether it fits or not', async () => {
    const page = await send('/form', new URLSearchParams({ website: 'https://spam.example' }), { accept: 'text/html' });
    expect(page.status).toBe(200);
  });
});

test('the handshake of a provider needs no fitting body, and its events do', async () => {
  const signed = (body: string): Promise<Response> => {
    const time = String(Math.floor(Date.now() / 1000));
    const signature = `v0=${createHmac('sha256', 's').update(`v0:${time}:${body}`).digest('hex')}`;
    return send('/slack', body, { 'x-slack-request-timestamp': time, 'x-slack-signature': signature });
  };
  const handshake = await signed('{"type":"url_verification","challenge":"c"}');
  expect([handshake.status, await handshake.text()]).toEqual([200, 'c']);
  expect((await refused(signed('{"type":"event_callback"}'))).error.faults[0].message).toBe('field "event" is missing');
  const unsigned = await send('/slack', '{"type":"event_callback"}');
  expect(unsigned.status).toBe(401);
});

test('refusals are folded under a reason of their own', async () => {
  const sink = await app().sink({ path: '/folded', schema: order });
  for (let sent = 0; sent < 40; sent += 1) await refused(send('/folded', { [`unknown-${sent}`]: 1, id: sent % 2 === 0 ? 'x' : null }));
  const list = async (): Promise<any[]> =>
    (await app().admin('GET', '/rejections?app_id=shop')).body.rejections.filter(({ sink_id: id }: any) => id === sink.id);
  const rejections = await until('all refusals', async () => {
    const found = await list();
    return found.reduce((sum, { count }) => sum + count, 0) === 40 ? found : null;
  });
  expect(rejections.length).toBeLessThanOrEqual(2);
  expect(rejections[0]).toMatchObject({ reason: 'schema_mismatch', status: 422 });
});

describe('the setting', () => {
  const create = (fields: object): Promise<any> => app().admin('POST', '/apps/shop/sinks', { path: '/faulty', method: 'POST', ...fields });

  test('is refused with every fault of the schema', async () => {
    const { status, body } = await create({ schema: { type: 'x', properties: { a: { pattern: '(?=a)' } } } });
    expect(status).toBe(400);
    expect(body.error.faults.map(({ path }: any) => path)).toEqual(['schema.type', 'schema.properties.a.pattern']);
  });

  test('is refused as another type, for files and for payloads', async () => {
    for (const [fields, path] of [
      [{ schema: 'x' }, 'schema'],
      [{ schema: [] }, 'schema'],
      [{ schema: {}, body: 'raw' }, 'schema'],
      [{ schema: {}, payload: 'v7' }, 'schema'],
    ] as const) {
      const { status, body } = await create(fields);
      expect([status, body.error.faults[0].path], JSON.stringify(fields)).toEqual([400, path]);
    }
  });

  test('is replaced as a whole by an edit, and removed by null', async () => {
    const { id } = await app().sink({ path: '/edited', schema: { type: 'object', required: ['a'], properties: { a: { const: null } } } });
    const patch = (schema: unknown): Promise<any> => app().admin('PATCH', `/apps/shop/sinks/${id}`, { schema });
    expect((await patch({ properties: { b: { const: null } } })).body.schema).toEqual({ properties: { b: { const: null } } });
    expect((await send('/edited', { b: 1 })).status).toBe(422);
    expect((await patch(null)).body.schema).toBeUndefined();
    expect((await send('/edited', { b: 1 })).status).toBe(200);
  });
});
