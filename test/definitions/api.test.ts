// Apps, workflows and sinks through the admin API: made, found, changed, deleted, and refused in plain words.

import { describe, expect, test } from 'vitest';
import { createGates, gatedWorkflow } from '../support/gates.ts';
import { sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';
import { ADMIN_TOKEN } from '../support/start-app.ts';

const gates = createGates();
const app = shareApp({ ...gates.options, settings: { drain_seconds: '0' } });

const admin = (method: string, path: string, body?: unknown): Promise<{ status: number; body: any }> => app().admin(method, path, body);
const EMPTY = { version: '1.0', inputs: [], steps: [], outputs: [] };

describe('sinks', () => {
  test('are made with their URL and place, found, listed, replaced and deleted', async () => {
    const response = await fetch(`${app().url}/api/v1/apps/crud/sinks`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: '{"path":"/hook/","method":"post","auth_token":"secret-1","limits":{"files":2},"payload":"v7","response":"wait"}',
    });
    expect(response.status).toBe(201);
    const sink = (await response.json()) as any;
    expect(response.headers.get('location')).toBe(`/api/v1/apps/crud/sinks/${sink.id}`);
    expect(sink).toMatchObject({
      app_id: 'crud',
      path: '/hook',
      method: 'POST',
      auth: 'bearer',
      public: false,
      workflow_id: null,
      url: `${app().url}/sink/trigger/http/crud/hook`,
      limits: { files: 2 },
      payload: 'v7',
      response: { mode: 'wait' },
      managed_by: 'api',
    });
    expect((await admin('GET', `/apps/crud/sinks/${sink.id}`)).body).toEqual(sink);
    expect((await admin('GET', '/apps/crud/sinks')).body.sinks).toEqual([sink]);
    expect((await admin('GET', '/sinks?app_id=crud')).body.sinks).toEqual([sink]);

    const replaced = await admin('PUT', `/apps/crud/sinks/${sink.id}`, { path: '/new', method: 'PUT' });
    expect(replaced.body).toMatchObject({ id: sink.id, path: '/new', method: 'PUT', public: false, created_at: sink.created_at });
    expect((await fetch(`${app().url}/crud/hook`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${app().url}/crud/new`, { method: 'PUT' })).status).toBe(401);
    const headers = { authorization: 'Bearer secret-1' };
    expect((await fetch(`${app().url}/crud/new`, { method: 'PUT', headers })).status).toBe(200);

    expect(await admin('DELETE', `/apps/crud/sinks/${sink.id}`)).toEqual({ status: 204, body: null });
    expect((await fetch(`${app().url}/crud/new`, { method: 'PUT' })).status).toBe(404);
    for (const method of ['GET', 'PUT', 'DELETE'])
      expect(
        (await admin(method, `/apps/crud/sinks/${sink.id}`, method === 'PUT' ? { path: '/x', method: 'GET' } : undefined)).status,
      ).toBe(404);
  });

  test('clash when they match the same requests: 409 that names the other one', async () => {
    const first = await app().sink({ path: '/users/:id', method: 'POST' }, 'clash');
    for (const path of ['/users/:id', '/users/:other', '/users/:id/']) {
      const { status, body } = await admin('POST', '/apps/clash/sinks', { path, method: 'POST' });
      expect(status, path).toBe(409);
      expect(body.error).toMatchObject({ code: 'conflict', sink_id: first.id });
      expect(body.error.message).toContain(`clashes with sink ${first.id} (POST /users/:id) of app "clash"`);
    }
    const other = await app().sink({ path: '/users/:id', method: 'PUT' }, 'clash');
    await app().sink({ path: '/users/:id', method: 'ANY' }, 'clash');
    await app().sink({ path: '/users/:id', method: 'POST' }, 'clash-elsewhere');
    expect((await admin('PUT', `/apps/clash/sinks/${other.id}`, { path: '/users/:x', method: 'POST' })).status).toBe(409);
    expect((await admin('GET', `/apps/clash/sinks/${other.id}`)).body.method).toBe('PUT');
    await admin('DELETE', `/apps/clash/sinks/${first.id}`);
    expect((await admin('POST', '/apps/clash/sinks', { path: '/users/:id', method: 'POST' })).status).toBe(201);
  });

  test('are made once when twenty ask at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => admin('POST', '/apps/crowd/sinks', { path: '/same', method: 'POST' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
    expect((await admin('GET', '/apps/crowd/sinks')).body.sinks).toHaveLength(1);
  });

  test('keep the change of each of two that change them at the same time', async () => {
    const { id } = await app().sink({ path: '/both', auth_token: 'old' }, 'race');
    const [rotated, replaced] = await Promise.all([
      admin('POST', `/apps/race/sinks/${id}/rotate-token`),
      admin('PUT', `/apps/race/sinks/${id}`, { path: '/both', method: 'PATCH', auth_token: 'replaced' }),
    ]);
    expect([rotated.status, replaced.status]).toEqual([200, 200]);
    expect((await admin('GET', `/apps/race/sinks/${id}`)).body.method).toBe('PATCH');
  });

  test('name a workflow that there is', async () => {
    const { status, body } = await admin('POST', '/apps/empty/sinks', { path: '/w', method: 'POST', workflow_id: 'nope' });
    expect(status).toBe(400);
    expect(body.error.message).toContain('workflow_id: app "empty" has no workflow "nope"');
    expect((await admin('GET', '/apps/empty/sinks')).body.sinks).toEqual([]);
  });
});

describe('workflows', () => {
  test('become a new version with each change, and with none without', async () => {
    const put = async (definition: object): Promise<number> =>
      (await admin('PUT', '/apps/shop/workflows/versions', definition)).body.version;
    expect(await put(EMPTY)).toBe(1);
    expect(await put(EMPTY)).toBe(1);
    expect(await put({ ...EMPTY, version: '1.1' })).toBe(2);
    expect(await put(EMPTY)).toBe(3);
    expect((await admin('GET', '/apps/shop/workflows/versions')).body).toMatchObject({ version: 3, definition: EMPTY });
    expect((await admin('GET', '/apps/shop/workflows/versions?version=2')).body.definition.version).toBe('1.1');
    expect((await admin('GET', '/apps/shop/workflows/versions?version=9')).status).toBe(404);
    expect((await admin('GET', '/apps/shop/workflows/versions?version=x')).status).toBe(400);
    expect((await admin('GET', '/apps/shop/workflows')).body.workflows.map(({ id }: any) => id)).toContain('versions');
  });

  test('change for later runs only: a run keeps the version that it began with', async () => {
    const before = gatedWorkflow('keeps', 1);
    await app().workflow('keeps', before);
    await app().sink({ path: '/keeps', workflow_id: 'keeps' });
    const first = await fetch(`${app().url}/shop/keeps`, { method: 'POST' });
    await gates.reached('keeps1');
    await app().workflow('keeps', {
      steps: [{ type: 'sluice/set@v1', name: 's', values: { v: 2 } }],
      outputs: [{ type: 'JsonField', name: 'v', selector: '$steps.s.v' }],
    });
    const second = await fetch(`${app().url}/shop/keeps`, { method: 'POST' });
    gates.open('keeps1');
    expect(await first.text()).toContain('"output":{"done":true}');
    expect(await second.text()).toContain('"output":{"v":2}');
  });

  test('keep the text of their numbers', async () => {
    const definition =
      '{"version":"1.0","inputs":[],"steps":[{"type":"sluice/set@v1","name":"s","values":{"n":1.0,"id":12345678901234567890}}],"outputs":[{"type":"JsonField","name":"s","selector":"$steps.s.*"}]}';
    expect((await admin('PUT', '/apps/shop/workflows/exact', definition)).status).toBe(200);
    await app().sink({ path: '/exact', workflow_id: 'exact' });
    expect(await (await fetch(`${app().url}/shop/exact`, { method: 'POST' })).text()).toContain(
      '"output":{"s":{"n":1.0,"id":12345678901234567890}}',
    );
  });

  test('that a sink uses cannot be deleted: 409 that names the sink', async () => {
    await app().workflow('used', {});
    const { id } = await app().sink({ path: '/used', workflow_id: 'used' });
    const refused = await admin('DELETE', '/apps/shop/workflows/used');
    expect(refused.status).toBe(409);
    expect(refused.body.error.message).toContain('used by POST /used');
    await admin('DELETE', `/apps/shop/sinks/${id}`);
    expect((await admin('DELETE', '/apps/shop/workflows/used')).status).toBe(204);
    expect((await admin('DELETE', '/apps/shop/workflows/used')).status).toBe(404);
  });

  test('that are not valid are refused with every fault and its place', async () => {
    const broken = {
      ...EMPTY,
      steps: [{ type: 'sluice/set@v1', name: 'a', values: { x: '$inputs.nope' } }],
      outputs: [{ type: 'JsonField', name: 'o', selector: '$steps.b.x' }],
    };
    const { status, body } = await admin('PUT', '/apps/shop/workflows/broken', broken);
    expect(status).toBe(400);
    expect(body.error.faults.map(({ path }: any) => path)).toEqual(['steps[0].values', 'outputs[0].selector']);
    expect((await admin('GET', '/apps/shop/workflows/broken')).status).toBe(404);
  });
});

describe('apps', () => {
  test('are made when first named, renamed, and deleted when nothing is in them', async () => {
    const { id } = await app().sink({ path: '/x' }, 'fresh');
    expect((await admin('GET', '/apps/fresh')).body).toMatchObject({ id: 'fresh', name: null, managed_by: 'api' });
    expect((await admin('PUT', '/apps/fresh', { name: 'Fresh' })).body.name).toBe('Fresh');
    const refused = await admin('DELETE', '/apps/fresh');
    expect(refused.status).toBe(409);
    expect(refused.body.error.message).toContain('still has 1 sinks or workflows');
    await admin('DELETE', `/apps/fresh/sinks/${id}`);
    expect((await admin('DELETE', '/apps/fresh')).status).toBe(204);
    expect((await admin('GET', '/apps/fresh')).status).toBe(404);
    expect((await admin('DELETE', '/apps/fresh')).status).toBe(404);
  });

  test('cannot take a name that the server keeps for itself', async () => {
    for (const id of ['api', 'sink', 'runs', 'healthz', '-x', 'a.b']) {
      for (const [method, path, body] of [
        ['PUT', `/apps/${id}`, {}],
        ['POST', `/apps/${id}/sinks`, { path: '/x', method: 'POST' }],
        ['PUT', `/apps/${id}/workflows/w`, EMPTY],
      ] as const)
        expect((await admin(method, path, body)).status, `${method} ${path}`).toBe(400);
    }
  });
});

describe('a body that is not right', () => {
  const bodies: [string, string, string][] = [
    ['an unknown field', '{"path":"/x","method":"POST","tokn":"a"}', 'unknown field "tokn"'],
    ['a field that stands twice', '{"path":"/x","method":"POST","path":"/y"}', 'field "path" appears twice'],
    [
      'a field that stands twice deep inside',
      '{"path":"/x","method":"POST","limits":{"files":1,"files":2}}',
      'field "files" appears twice',
    ],
    ['a field that stands twice behind an escape', '{"path":"/x","method":"POST","m\\u0065thod":"GET"}', 'field "method" appears twice'],
    ['broken JSON', '{"path":', 'not valid JSON'],
    ['nothing', '', 'must be object'],
    ['a list', '[]', 'must be object'],
    ['a poisoned key', '{"path":"/x","method":"POST","__proto__":{"auth_token":null}}', '__proto__'],
    ['a thousand levels', `{"path":"/x","method":"POST","inputs":${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}}`, 'deeper than 100 levels'],
  ];
  for (const [what, text, expected] of bodies) {
    test(`${what} is named: ${expected}`, async () => {
      const { status, body } = await admin('POST', '/apps/shop/sinks', text);
      expect(status).toBe(400);
      expect(body.error.code).toBe('invalid');
      expect(body.error.message).toContain(expected);
      expect(body).not.toHaveProperty('triggered');
    });
  }

  test('bytes that are not UTF-8 are refused: nothing is saved with letters that nobody wrote', async () => {
    const body = '{"path":"/caf\u00e9","method":"POST"}';
    const head = `POST /api/v1/apps/shop/sinks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\nContent-Type: application/json; charset=iso-8859-1\r\nContent-Length: ${body.length}\r\n\r\n`;
    const answer = await sendRaw(app().url, head + body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body).error.message).toContain('not utf-8 text');
  });

  test('one that is too large is 413 that names the limit', async () => {
    const { status, body } = await admin('POST', '/definitions/apply', `{"sinks":[${' '.repeat(5_000_000)}]}`);
    expect(status).toBe(413);
    expect(body.error).toEqual({ code: 'too_large', message: 'the body is larger than the 4194304 bytes that the admin API accepts' });
  });

  test('one that is not JSON by its type is 415 that says what would be right', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense', '']) {
      const head = `POST /api/v1/apps/shop/sinks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\nContent-Type: ${type}\r\nContent-Length: 2\r\n\r\n{}`;
      const answer = await sendRaw(app().url, head);
      expect([400, 415], type).toContain(answer.status);
      expect(JSON.parse(answer.body).error.message).toMatch(/application\/json|must be object|"path"/);
    }
  });
});
