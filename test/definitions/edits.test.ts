// Edits of what is there: none opens a sink by leaving something out, an answer can be sent back as it came, and one
// that was made for an older state is refused.

import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { ADMIN_TOKEN } from '../support/start-app.ts';

const app = shareApp();

interface Answer {
  status: number;
  etag: string | null;
  body: any;
}

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${app().url}/api/v1/apps${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, etag: response.headers.get('etag'), body: text === '' ? null : JSON.parse(text) };
}

/** Whether the sink takes a trigger without a token, and with this one. */
async function opens(path: string, token = 'first-token'): Promise<[open: boolean, withToken: boolean]> {
  const post = async (headers: Record<string, string>): Promise<boolean> => {
    const response = await fetch(`${app().url}/shop${path}`, { method: 'POST', headers });
    await response.text();
    return response.status === 200;
  };
  return [await post({}), await post({ authorization: `Bearer ${token}` })];
}

let count = 0;
/** A sink of its own for each test, protected by `first-token`. */
async function protectedSink(more: object = {}): Promise<{ url: string; path: string; sink: any }> {
  count += 1;
  const path = `/guarded-${count}`;
  const sink = await app().sink({ path, auth_token: 'first-token', response: 'wait', limits: { files: 3 }, ...more });
  return { url: `/shop/sinks/${sink.id}`, path, sink };
}

const WORKFLOW = { version: '1.0', inputs: [], steps: [{ type: 'sluice/set@v1', name: 's', values: { n: 1 } }], outputs: [] };

describe('an edit of a sink', () => {
  test('that says nothing of credentials keeps them, by PUT and by PATCH', async () => {
    const { url, path } = await protectedSink();
    expect((await call('PUT', url, { path, method: 'POST' })).body).toMatchObject({ public: false, auth: 'bearer' });
    expect(await opens(path)).toEqual([false, true]);
    expect((await call('PATCH', url, { response: 'accept' })).body).toMatchObject({ public: false, response: { mode: 'accept' } });
    expect(await opens(path)).toEqual([false, false]);
    expect((await call('PATCH', url, {})).body).toMatchObject({ public: false });
  });

  for (const opening of [{ auth_token: null }, { auth: null }, { auth: null, auth_token: null }, { auth: { type: 'none' } }]) {
    test(`opens it where it says so: ${JSON.stringify(opening)}`, async () => {
      for (const method of ['PUT', 'PATCH']) {
        const { url, path } = await protectedSink();
        const body = method === 'PUT' ? { path, method: 'POST', ...opening } : opening;
        expect((await call(method, url, body)).body, method).toMatchObject({ public: true, auth: 'none' });
        expect(await opens(path)).toEqual([true, true]);
      }
    });
  }

  test('gives it another token, or a first one', async () => {
    const { url, path } = await protectedSink();
    await call('PATCH', url, { auth_token: 'second-token' });
    expect(await opens(path, 'second-token')).toEqual([false, true]);
    expect(await opens(path)).toEqual([false, false]);
    await call('PATCH', url, { auth: { type: 'bearer', tokens: ['third', 'fourth'] } });
    expect(await opens(path, 'fourth')).toEqual([false, true]);
    const open = await app().sink({ path: '/to-close', response: 'wait' });
    expect((await call('PATCH', `/shop/sinks/${open.id}`, { auth_token: 'first-token' })).body.public).toBe(false);
    expect(await opens('/to-close')).toEqual([false, true]);
  });

  test('may be the answer itself, which changes nothing but the time of the change', async () => {
    await app().workflow('answer', WORKFLOW);
    const { url, path, sink } = await protectedSink({ workflow_id: 'answer', inputs: {}, payload: null });
    const custom = await protectedSink({ response: { mode: 'custom', status: 201, headers: { 'x-a': 'b' }, body: { at: '$run.id' } } });
    for (const [at, shown] of [
      [url, sink],
      [custom.url, custom.sink],
    ]) {
      for (const method of ['PUT', 'PATCH']) {
        const read = (await call('GET', at)).body;
        expect(read).toEqual({ ...shown, updated_at: expect.any(String) });
        expect(await call(method, at, read), method).toMatchObject({ status: 200, body: { ...shown, updated_at: expect.any(String) } });
      }
    }
    expect(await opens(path)).toEqual([false, true]);
  });

  test('cannot change what the server makes, and says which field that is', async () => {
    const { url, path } = await protectedSink();
    const read = (await call('GET', url)).body;
    const changes: [object, string][] = [
      [{ id: 'snk_0000000000000000' }, 'id: is set by the server and cannot be changed'],
      [{ url: 'http://elsewhere/x' }, 'url: is set by the server'],
      [{ managed_by: 'config' }, 'managed_by: is set by the server'],
      [{ created_at: '2020-01-01T00:00:00.000Z' }, 'created_at: is set by the server'],
      [{ updated_at: '2020-01-01T00:00:00.000Z' }, 'updated_at: is set by the server'],
      [{ app_id: 'other' }, 'app_id: must be "shop"'],
      [{ auth: 'none' }, 'auth: is "bearer", and a scheme alone cannot change it'],
      [{ public: true }, 'public: is false; send "auth_token": null to make the sink public'],
      [{ public: true, auth_token: 'another' }, 'public: cannot be true beside a token'],
      [{ public: 'no' }, 'public: must be boolean'],
      [{ auth: null, auth_token: 'another' }, 'auth: cannot stand beside auth_token'],
    ];
    for (const [change, reason] of changes) {
      for (const method of ['PUT', 'PATCH']) {
        const { status, body } = await call(method, url, method === 'PUT' ? { ...read, ...change } : change);
        expect([status, body.error.message], `${method} ${JSON.stringify(change)}`).toEqual([400, expect.stringContaining(reason)]);
      }
    }
    expect((await call('GET', url)).body).toEqual(read);
    expect(await opens(path)).toEqual([false, true]);
    const fresh = await call('POST', '/shop/sinks', { path: '/copy', method: 'POST', id: read.id });
    expect([fresh.status, fresh.body.error.message]).toEqual([400, expect.stringContaining('unknown field "id"')]);
  });

  test('by PATCH merges: what it names changes, null takes away, the rest stays', async () => {
    await app().workflow('merged', WORKFLOW);
    const { url, sink } = await protectedSink({ workflow_id: 'merged', inputs: { a: '$request.query.a', b: '$request.query.b' } });
    const patched = await call('PATCH', url, { limits: { fields: 5 }, inputs: { a: null, c: '$request.query.c' } }, MERGE_PATCH);
    expect(patched.body).toEqual({
      ...sink,
      limits: { files: 3, fields: 5 },
      inputs: { b: '$request.query.b', c: '$request.query.c' },
      updated_at: expect.any(String),
    });
    const { limits: _limits, inputs: _inputs, ...rest } = sink;
    expect((await call('PATCH', url, { limits: null, inputs: null, response: null, workflow_id: null })).body).toEqual({
      ...rest,
      workflow_id: null,
      response: undefined,
      updated_at: expect.any(String),
    });
  });

  test.each<[unknown, string]>([
    [{ path: null }, 'field "path" is missing'],
    [{ tokn: 1 }, 'unknown field "tokn"'],
    [[], 'must be object'],
    ['wait', 'must be object'],
    [null, 'must be object'],
    [{ auth: { tokens: ['x'] } }, 'auth: field "type" is missing'],
    [{ limits: { files: -1 } }, 'limits.files: '],
  ])('by PATCH that makes no sink is refused, and changes nothing: %j', async (patch, reason) => {
    const { url } = await protectedSink();
    const before = (await call('GET', url)).body;
    const { status, body } = await call('PATCH', url, patch);
    expect([status, body.error.message]).toEqual([400, expect.stringContaining(reason)]);
    expect((await call('GET', url)).body).toEqual(before);
  });

  test('of one that is not there, or belongs to another app, is 404', async () => {
    const { sink } = await protectedSink();
    expect((await call('PATCH', '/shop/sinks/snk_0000000000000000', {})).status).toBe(404);
    expect((await call('PATCH', `/elsewhere/sinks/${sink.id}`, {})).status).toBe(404);
  });
});

const MERGE_PATCH = { 'content-type': 'application/merge-patch+json' };

describe('If-Match', () => {
  const kinds: [kind: string, make: () => Promise<{ url: string; edit: [string, unknown][] }>][] = [
    [
      'a sink',
      async () => {
        const { url, path } = await protectedSink();
        return {
          url,
          edit: [
            ['PUT', { path, method: 'POST', response: 'accept' }],
            ['PATCH', { limits: { files: 9 } }],
          ],
        };
      },
    ],
    [
      'a workflow',
      async () => {
        await app().workflow('tagged', WORKFLOW);
        return {
          url: '/shop/workflows/tagged',
          edit: [
            ['PUT', { ...WORKFLOW, version: '1.1' }],
            ['PATCH', { version: '1.2' }],
          ],
        };
      },
    ],
    [
      'an app',
      async () => {
        await call('PUT', '/tagged', { name: 'One' });
        return {
          url: '/tagged',
          edit: [
            ['PUT', { name: 'Two' }],
            ['PATCH', { name: 'Three' }],
          ],
        };
      },
    ],
  ];
  for (const [kind, make] of kinds) {
    test(`makes an edit of ${kind} to the state that it names, and is 412 for any other`, async () => {
      const { url, edit } = await make();
      for (const [method, body] of edit) {
        const { etag } = await call('GET', url);
        expect(etag).toMatch(/^"[\w-]{22}"$/);
        const stale = await call(method, url, body, { 'if-match': '"AAAAAAAAAAAAAAAAAAAAAA"' });
        expect(stale).toMatchObject({ status: 412, etag, body: { error: { code: 'precondition_failed' } } });
        expect(stale.body.error.message).toContain('has changed since it was read');
        expect((await call('GET', url)).etag).toBe(etag);
        const done = await call(method, url, body, { 'if-match': `"other", ${etag}` });
        expect(done.status).toBe(200);
        expect(done.etag).not.toBe(etag);
        expect((await call('GET', url)).etag).toBe(done.etag);
        expect((await call(method, url, body, { 'if-match': etag as string })).status).toBe(412);
        expect((await call(method, url, body, { 'if-match': `W/${done.etag}` })).status).toBe(412);
      }
      const { etag } = await call('GET', url);
      expect((await call('DELETE', url, undefined, { 'if-match': '"older"' })).status).toBe(412);
      expect((await call('DELETE', url, undefined, { 'if-match': etag as string })).status).toBe(204);
    });
  }

  test('of two edits made from one reading lets one win, and tells the other', async () => {
    const { url, sink } = await protectedSink();
    const { etag } = await call('GET', url);
    const answers = await Promise.all([1, 2, 3].map((files) => call('PATCH', url, { limits: { files } }, { 'if-match': etag as string })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412]);
    expect((await call('POST', `${url}/rotate-token`, undefined, { 'if-match': etag as string })).status).toBe(412);
    await call('POST', `${url}/rotate-token`);
    expect((await call('GET', url)).etag).not.toBe(answers.find(({ status }) => status === 200)?.etag);
    expect(sink.limits).toEqual({ files: 3 });
  });

  test('with * asks that there be something, and without quotes is no entity tag', async () => {
    expect((await call('PUT', '/not-yet', {}, { 'if-match': '*' })).status).toBe(412);
    expect((await call('PUT', '/shop/workflows/not-yet', WORKFLOW, { 'if-match': '*' })).status).toBe(412);
    await call('PUT', '/there', {});
    expect((await call('PUT', '/there', { name: 'x' }, { 'if-match': '*' })).status).toBe(200);
    for (const wrong of ['abc', '"a" "b"', '"', 'w/"a"', ',']) {
      const { status, body } = await call('PUT', '/there', { name: 'y' }, { 'if-match': wrong });
      expect([status, body.error.part], wrong).toEqual([400, 'If-Match']);
    }
  });
});

describe('preconditions of a workflow', () => {
  const url = '/shop/workflows/counted';
  const put = (version: string, headers: Record<string, string>): Promise<Answer> => call('PUT', url, { ...WORKFLOW, version }, headers);

  test('name its version, and 412 says which one is current since when', async () => {
    await put('1.0', {});
    expect((await put('1.1', { 'if-match': '"1"' })).body).toMatchObject({ version: 2 });
    const { status, body, etag } = await put('1.2', { 'if-match': '"1"' });
    const { created_at: savedAt } = (await call('GET', url)).body;
    expect([status, etag, body.error]).toMatchObject([
      412,
      (await call('GET', url)).etag,
      { code: 'precondition_failed', version: 2, saved_at: savedAt },
    ]);
    expect(body.error.message).toContain(`version 2, saved at ${savedAt}, is current`);
    expect((await call('POST', `${url}/rollback`, { version: 1 }, { 'if-match': '"1"' })).status).toBe(412);
    expect((await call('POST', `${url}/rollback`, { version: 1 }, { 'if-match': '"2"' })).body.version).toBe(3);
    for (const tag of ['W/"3"', '"03"', '"4", "2"', '"3.0"']) expect((await put('1.2', { 'if-match': tag })).status, tag).toBe(412);
    expect((await call('DELETE', url, undefined, { 'if-match': '"2"' })).status).toBe(412);
    expect((await put('1.2', { 'if-match': '3' })).status).toBe(400);
  });

  test('let one of several writers win', async () => {
    await app().workflow('raced', WORKFLOW);
    const racers = (headers: Record<string, string>, at: string) =>
      Promise.all([1, 2, 3].map((n) => call('PUT', at, { ...WORKFLOW, version: `1.${n}` }, headers)));
    const edits = await racers({ 'if-match': '"1"' }, '/shop/workflows/raced');
    expect(edits.map(({ status }) => status).sort()).toEqual([200, 412, 412]);
    expect((await call('GET', '/shop/workflows/raced')).body.version).toBe(2);
    const creations = await racers({ 'if-none-match': '*' }, '/shop/workflows/first');
    expect(creations.map(({ status }) => status).sort()).toEqual([200, 412, 412]);
    expect((await call('GET', '/shop/workflows/first')).body.version).toBe(1);
  });
});

describe('If-None-Match', () => {
  test('with * makes only what is not there', async () => {
    await call('PUT', '/excluded', {});
    const { url, path } = await protectedSink();
    await app().workflow('excluded', WORKFLOW);
    const edits: [string, string, unknown][] = [
      ['PUT', '/excluded', { name: 'x' }],
      ['PUT', '/shop/workflows/excluded', { ...WORKFLOW, version: '1.1' }],
      ['PATCH', '/shop/workflows/excluded', { version: '1.1' }],
      ['PUT', url, { path, method: 'POST', response: 'accept' }],
    ];
    for (const [method, at, body] of edits) {
      const before = await call('GET', at);
      const refused = await call(method, at, body, { 'if-none-match': '*' });
      expect([refused.status, refused.etag, refused.body.error.message], at).toEqual([412, before.etag, expect.stringContaining('exists')]);
      expect((await call(method, at, body, { 'if-none-match': `W/${before.etag}` })).status).toBe(412);
      expect(await call('GET', at)).toEqual(before);
      expect((await call(method, at, body, { 'if-none-match': '"other"', 'if-match': before.etag as string })).status).toBe(200);
    }
    expect((await call('PUT', '/excluded-2', {}, { 'if-none-match': '*' })).status).toBe(200);
    for (const wrong of ['abc', '', '**', '"a" "b"']) {
      const { status, body } = await call('PUT', '/excluded', {}, { 'if-none-match': wrong });
      expect([status, body.error.part], wrong).toEqual([400, 'If-None-Match']);
    }
  });
});

describe('an edit of an app', () => {
  test('that gives no name keeps the one that it has; null takes it away; an answer may be sent back', async () => {
    await call('PUT', '/named', { name: 'Named' });
    expect((await call('PUT', '/named', {})).body.name).toBe('Named');
    expect((await call('PATCH', '/named', {})).body.name).toBe('Named');
    const read = (await call('GET', '/named')).body;
    expect(await call('PUT', '/named', read)).toMatchObject({ status: 200, body: read });
    expect((await call('PUT', '/named', { ...read, id: 'renamed' })).body.error.message).toContain('id: is set by the server');
    expect((await call('PUT', '/named', { title: 'x' })).body.error.message).toContain('unknown field "title"');
    expect((await call('PUT', '/named', [])).status).toBe(400);
    expect((await call('PUT', '/named', { name: null })).body.name).toBeNull();
    expect((await call('PATCH', '/nowhere', { name: 'x' })).status).toBe(404);
  });
});

describe('an edit of a workflow', () => {
  test('may be an answer, with its definition changed or not, and makes a version only of a change', async () => {
    await app().workflow('sent-back', WORKFLOW);
    const url = '/shop/workflows/sent-back';
    const read = (await call('GET', url)).body;
    expect((await call('PUT', url, read)).body).toMatchObject({ version: 1 });
    expect((await call('PUT', url, { ...read, definition: { ...WORKFLOW, version: '1.1' } })).body).toMatchObject({ version: 2 });
    const stale = await call('PUT', url, read);
    expect([stale.status, stale.body.error.message]).toEqual([400, expect.stringContaining('version: is set by the server')]);
    expect((await call('PUT', url, { definition: WORKFLOW, name: 'x' })).body.error.message).toContain('unknown field "name"');
    expect((await call('PUT', '/shop/workflows/copied', { ...read })).body.error.message).toContain('leave it out');
    expect((await call('PUT', '/shop/workflows/copied', { definition: WORKFLOW })).body).toMatchObject({ id: 'copied', version: 1 });
  });

  test('by PATCH merges into the definition, digit for digit, and is checked as a whole', async () => {
    const url = '/shop/workflows/patched';
    const exact =
      '{"version":"1.0","inputs":[],"steps":[{"type":"sluice/set@v1","name":"s","values":{"n":1.0,"id":12345678901234567890}}],"outputs":[]}';
    await app().admin('PUT', '/apps/shop/workflows/patched', exact);
    const outputs = [{ type: 'JsonField', name: 'n', selector: '$steps.s.n' }];
    expect((await call('PATCH', url, { outputs }, MERGE_PATCH)).body).toMatchObject({ version: 2 });
    const response = await fetch(`${app().url}/api/v1/apps${url}`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    expect(await response.text()).toContain('{"n":1.0,"id":12345678901234567890}');
    const broken = await call('PATCH', url, { steps: [] });
    expect([broken.status, broken.body.error.faults[0].path]).toEqual([400, 'outputs[0].selector']);
    expect((await call('PATCH', '/shop/workflows/none', {})).status).toBe(404);
  });
});

describe('applying a document', () => {
  const document = (more: object = {}): object => ({ sinks: [{ app_id: 'filed', path: '/hook', method: 'POST', ...more }] });
  const apply = (more?: object) => app().admin('POST', '/definitions/apply', document(more));

  test('that lost a token changes nothing, says so, and asks for "public: true"', async () => {
    await apply({ auth_token: 'first-token' });
    for (const path of ['/definitions/diff', '/definitions/apply']) {
      const { status, body } = await app().admin('POST', path, document({ response: 'wait' }));
      expect(status).toBe(400);
      expect(body.error.faults).toEqual([
        {
          path: 'sinks[0]',
          message:
            'POST /hook of app "filed" requires a token on the server, and the document has none: add auth_token, or "public: true" to let anyone trigger it',
        },
      ]);
    }
    expect((await fetch(`${app().url}/filed/hook`, { method: 'POST' })).status).toBe(401);
    expect((await apply({ public: false })).body.error.message).toContain('public: cannot be false without a token');
    expect((await apply({ public: true, auth_token: 'x' })).body.error.message).toContain('public: cannot be true beside a token');
    expect((await apply({ public: true })).status).toBe(200);
    expect((await fetch(`${app().url}/filed/hook`, { method: 'POST' })).status).toBe(200);
    expect((await apply({ public: true })).body.changes).toEqual([]);
    expect((await apply()).body.changes).toEqual([]);
  });

  test('does not open a sink that the API made and protected', async () => {
    await app().sink({ path: '/made', auth_token: 'first-token' }, 'filed');
    const adopted = { sinks: [{ app_id: 'filed', path: '/made/', method: 'POST' }] };
    expect((await app().admin('POST', '/definitions/apply', adopted)).body.error.faults[0].path).toBe('sinks[0]');
    expect((await fetch(`${app().url}/filed/made`, { method: 'POST' })).status).toBe(401);
  });

  test('tells of a workflow that its sink names and nobody defines, with the place', async () => {
    const { body } = await apply({ workflow_id: 'gone', public: true });
    expect(body.error.faults).toEqual([
      { path: 'sinks[0].workflow_id', message: expect.stringContaining('app "filed" has no workflow "gone"') },
    ]);
  });
});
